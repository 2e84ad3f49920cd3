"""Convolutional test models: the published architectures with random weights."""

import numpy as np

from builder import GraphBuilder
from layers import classifier, conv, relu6, silu

CLASSES = 1000


def image_model(name, opset, seed, size):
    g = GraphBuilder(name, opset, seed)
    return g, g.input("input", "float32", ["batch", 3, size, size])


def mobilenet_v2(batch_norm, opset, size=224):
    """MobileNetV2 1.0 (Sandler et al. 2018, table 2)."""
    g, x = image_model(f"mobilenetv2-{batch_norm}", opset, 21, size)
    x = relu6(g, conv(g, x, 3, 32, 3, stride=2, batch_norm=batch_norm))
    channels = 32
    for expand, out, repeats, first_stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):
        for block in range(repeats):
            stride = first_stride if block == 0 else 1
            hidden = channels * expand
            y = x
            if expand != 1:
                y = relu6(g, conv(g, y, channels, hidden, 1, batch_norm=batch_norm))
            y = relu6(g, conv(g, y, hidden, hidden, 3, stride=stride, groups=hidden, batch_norm=batch_norm))
            y = conv(g, y, hidden, out, 1, batch_norm=batch_norm, gain=0.7)
            x = g.op("Add", x, y) if stride == 1 and channels == out else y
            channels = out
    x = relu6(g, conv(g, x, channels, 1280, 1, batch_norm=batch_norm))
    g.output(classifier(g, x, 1280, CLASSES), "logits", "float32", ["batch", CLASSES])
    return g


def resnet50(size=224):
    """ResNet-50 v1.5 (He et al. 2015; stride in the 3x3), batch normalisation folded as PyTorch's exporter does."""
    g, x = image_model("resnet50", 17, 50, size)
    x = g.op("Relu", conv(g, x, 3, 64, 7, stride=2))
    x = g.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for width, repeats, first_stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(repeats):
            stride = first_stride if block == 0 else 1
            y = g.op("Relu", conv(g, x, channels, width, 1))
            y = g.op("Relu", conv(g, y, width, width, 3, stride=stride))
            y = conv(g, y, width, width * 4, 1, gain=0.4)
            if block == 0:
                x = conv(g, x, channels, width * 4, 1, stride=stride, he=1.0, gain=0.8)
            x = g.op("Relu", g.op("Add", y, x))
            channels = width * 4
    g.output(classifier(g, x, channels, CLASSES), "logits", "float32", ["batch", CLASSES])
    return g


def efficientnet_b0(size=224):
    """EfficientNet-B0 (Tan and Le 2019): SiLU and squeeze-and-excitation, 3x3 and 5x5 depthwise."""
    g, x = image_model("efficientnet-b0", 17, 80, size)
    # Variance gains that undo what SiLU (0.36 of a unit normal's power) and gates around one half take away.
    after_silu, after_gate = 2.0, 8.0
    x = silu(g, conv(g, x, 3, 32, 3, stride=2))
    channels = 32
    for expand, out, repeats, first_stride, kernel in (
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ):
        for block in range(repeats):
            stride = first_stride if block == 0 else 1
            hidden = channels * expand
            y = silu(g, conv(g, x, channels, hidden, 1, he=1.0)) if expand != 1 else x
            y = silu(g, conv(g, y, hidden, hidden, kernel, stride=stride, groups=hidden, he=after_silu))
            y = g.op("Mul", y, squeeze_excite(g, y, hidden, max(1, channels // 4)))
            y = conv(g, y, hidden, out, 1, gain=0.9, he=after_gate)
            x = g.op("Add", y, x) if stride == 1 and channels == out else y
            channels = out
    x = silu(g, conv(g, x, channels, 1280, 1))
    g.output(classifier(g, x, 1280, CLASSES), "logits", "float32", ["batch", CLASSES])
    return g


def squeeze_excite(g, x, channels, squeezed):
    """Channel gates in [0, 1], [N, C, 1, 1]."""
    y = g.op("ReduceMean", x, axes=[2, 3], keepdims=1)
    y = silu(g, conv(g, y, channels, squeezed, 1, batch_norm="none"))
    return g.op("Sigmoid", conv(g, y, squeezed, channels, 1, batch_norm="none"))


def unet(base=16, depth=3, size=128):
    """A U-Net (Ronneberger et al. 2015): ConvTranspose upsampling and skip connections by Concat."""
    g, x = image_model("unet", 17, 90, size)
    skips, channels = [], 3

    def double_conv(value, c_in, c_out):
        value = g.op("Relu", conv(g, value, c_in, c_out, 3))
        return g.op("Relu", conv(g, value, c_out, c_out, 3))

    for level in range(depth):
        x = double_conv(x, channels, base << level)
        channels = base << level
        skips.append(x)
        x = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = double_conv(x, channels, base << depth)
    for level in reversed(range(depth)):
        c_in, c_out = base << (level + 1), base << level
        weight = g.normal((c_in, c_out, 2, 2), np.sqrt(2 / c_in))
        x = g.op("ConvTranspose", x, weight, g.normal(c_out, 0.1), kernel_shape=[2, 2], strides=[2, 2])
        x = double_conv(g.op("Concat", skips.pop(), x, axis=1), 2 * c_out, c_out)
    x = g.op("Sigmoid", conv(g, x, base, 1, 1, batch_norm="none", he=1.0))
    g.output(x, "mask", "float32", ["batch", 1, size, size])
    return g
