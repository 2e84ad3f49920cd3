"""What a convolutional test model computes, in NumPy: ranges of its values for quantization."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from onnx import helper, numpy_helper


def windows(x, kernel, strides, pads, fill):
    """[N, C, H', W', kh, kw] of an image [N, C, H, W]."""
    top, left, bottom, right = pads
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    return sliding_window_view(padded, kernel, (2, 3))[:, :, :: strides[0], :: strides[1]]


def convolution(x, weight, bias, kernel_shape, strides, pads, group, **_):
    taps = windows(x, kernel_shape, strides, pads, 0)
    if group == 1:
        y = np.moveaxis(np.tensordot(taps, weight, ((1, 4, 5), (1, 2, 3))), 3, 1)
    else:
        assert group == x.shape[1] == len(weight), "of grouped convolutions, only depthwise ones are computed"
        y = np.einsum("nchwij,cij->nchw", taps, weight[:, 0])
    return y + bias[:, None, None]


OPERATORS = {
    "Conv": convolution,
    "Relu": lambda x: np.maximum(x, 0),
    "Clip": np.clip,
    "Add": np.add,
    "MaxPool": lambda x, kernel_shape, strides, pads: windows(x, kernel_shape, strides, pads, -np.inf).max((4, 5)),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdims=True),
    "Flatten": lambda x, axis: x.reshape(len(x), -1),
    "Gemm": lambda x, weight, bias, transB: x @ weight.T + bias,
    "Constant": lambda value: numpy_helper.to_array(value),
}


def value_ranges(g, feeds):
    """{value: (least, greatest)} of a GraphBuilder's graph, the inputs of `feeds` included."""
    values = {t.name: numpy_helper.to_array(t) for t in g.initializers} | feeds
    for node in g.nodes:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
    return {name: (float(value.min()), float(value.max())) for name, value in values.items()}
