"""Models of one operator in sizes that networks have. Weights are the noise of inputs.mjs, which other engines make too."""

import numpy as np

from builder import GraphBuilder

F = "float32"


def noise(dims, seed):
    """Uniform numbers in [-1, 1) by mulberry32: `noise` of inputs.mjs, to the bit."""
    count = int(np.prod(dims))
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        t ^= t >> np.uint32(14)
    return (2 * (t / 4294967296) - 1).astype(np.float32).reshape(dims)


def single(op, inputs, output_dims, *weights, **attributes):
    """`op` over fed float32 inputs (dims each, named a, b, ...) and constant weights."""

    def build():
        g = GraphBuilder(op, 17, 1)
        fed = [g.input("abc"[i], F, dims) for i, dims in enumerate(inputs)]
        g.output(g.op(op, *fed, *weights, **attributes), "y", F, output_dims)
        return g

    return build


def matmul(size):
    """[size, size] times a constant [size, size], or times a fed one."""
    dims = [size, size]
    yield f"matmul{size}", single("MatMul", [dims], dims, noise(dims, 2))
    yield f"matmul{size}-fed", single("MatMul", [dims, dims], dims)


def conv(c_in, c_out, side, kernel, stride=1, groups=1):
    """[1, c_in, side, side] -> [1, c_out, side / stride, side / stride], "same" padding, with a bias."""
    weights = noise([c_out, c_in // groups, kernel, kernel], 2), noise([c_out], 3)
    return single("Conv", [[1, c_in, side, side]], [1, c_out, side // stride, side // stride], *weights,
                  kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[kernel // 2] * 4, group=groups)


SINGLE_MODELS = {
    **{name: build for size in (64, 128, 256, 512, 1024) for name, build in matmul(size)},
    "conv1x1": conv(256, 256, 28, 1),
    "conv3x3": conv(128, 128, 28, 3),
    "conv5x5": conv(64, 64, 28, 5),
    "conv7x7": conv(3, 64, 224, 7, stride=2),
    "conv-grouped": conv(128, 128, 28, 3, groups=32),
    "depthwise3x3": conv(192, 192, 56, 3, groups=192),
    "depthwise5x5": conv(192, 192, 28, 5, groups=192),
    "softmax": single("Softmax", [[12, 128, 128]], [12, 128, 128], axis=-1),
    "layernorm": single("LayerNormalization", [[1, 128, 768]], [1, 128, 768], noise([768], 2), noise([768], 3), axis=-1),
    "transpose-nhwc": single("Transpose", [[1, 64, 112, 112]], [1, 112, 112, 64], perm=[0, 2, 3, 1]),
    "transpose-heads": single("Transpose", [[1, 128, 12, 64]], [1, 12, 128, 64], perm=[0, 2, 1, 3]),
}
