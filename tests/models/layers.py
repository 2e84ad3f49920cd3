"""Layers of the convolutional test models: weights scaled so that signals keep their size from layer to layer."""

import numpy as np


def batch_norm_parameters(g, channels, gain=1.0):
    """scale, bias, mean, variance [C]: far enough from the identity that a wrong folding shows."""
    return (
        g.uniform(channels, 0.7 * gain, 1.3 * gain),
        g.normal(channels, 0.2),
        g.normal(channels, 0.2),
        g.uniform(channels, 0.6, 1.5),
    )


def conv(g, x, c_in, c_out, kernel, stride=1, groups=1, batch_norm="folded", gain=1.0, he=2.0):
    """Convolution [N, c_in, H, W] -> [N, c_out, H', W'] with "same" padding and batch normalisation.

    batch_norm: "node" keeps a BatchNormalization node, "folded" folds the same numbers into weight and bias,
    "none" has a plain bias. he: variance gain of the weights (2 after a rectifier, 1 after a linear layer).
    """
    fan_in = c_in // groups * kernel * kernel
    weight = g.normal((c_out, c_in // groups, kernel, kernel), np.sqrt(he / fan_in))
    attributes = dict(
        kernel_shape=[kernel, kernel],
        strides=[stride, stride],
        pads=[kernel // 2] * 4,
        group=groups,
        dilations=[1, 1],
    )
    if batch_norm == "none":
        return g.op("Conv", x, weight, g.normal(c_out, 0.1), **attributes)
    scale, bias, mean, variance = batch_norm_parameters(g, c_out, gain)
    epsilon = 1e-5
    if batch_norm == "node":
        y = g.op("Conv", x, weight, **attributes)
        return g.op("BatchNormalization", y, scale, bias, mean, variance, epsilon=epsilon)
    factor = scale / np.sqrt(variance + epsilon)
    return g.op("Conv", x, weight * factor[:, None, None, None], bias - mean * factor, **attributes)


def relu6(g, x):
    if g.opset < 11:
        return g.op("Clip", x, min=0.0, max=6.0)
    return g.op("Clip", x, g.constant(np.float32(0)), g.constant(np.float32(6)))


def silu(g, x):
    return g.op("Mul", x, g.op("Sigmoid", x))


def classifier(g, x, features, classes):
    """Global pooling and a dense layer: [N, features, H, W] -> [N, classes]."""
    y = g.op("Flatten", g.op("GlobalAveragePool", x), axis=1)
    return g.op("Gemm", y, g.normal((classes, features), np.sqrt(1 / features)), g.normal(classes, 0.1), transB=1)
