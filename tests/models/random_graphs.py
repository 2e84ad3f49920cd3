"""Random convolutional graphs: layers in orders that no published model has, to try the passes that fuse and move layouts."""

import numpy as np

from builder import GraphBuilder
from layers import conv


class RandomGraph:
    """Grows a graph on one [N, C, H, W] value; every step keeps that form and tracks its sizes."""

    def __init__(self, seed, steps):
        self.g = GraphBuilder(f"random-{seed}", 17, seed)
        self.rng = np.random.default_rng(seed + 1000)
        self.n, self.c, self.h, self.w = int(self.rng.integers(1, 3)), int(self.rng.integers(1, 9)), 16, 12
        self.x = self.g.input("x0", "float32", [self.n, self.c, self.h, self.w])
        self.kept = []
        self.steps = steps

    def pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def build(self):
        self.convolution()
        for _ in range(self.steps):
            self.pick(self.convolution, self.convolution, self.activation, self.activation, self.batch_norm, self.channel_constant, self.residual, self.pool, self.depthwise,
                      self.gate, self.concatenate, self.split, self.resize, self.pad, self.permuted, self.reduced, self.softmax, self.keep, self.reshaped, self.slice_channels,
                      self.layer_norm, self.branch_output)()
            if self.rng.random() < 0.4:
                self.kept.append((self.x, self.c, self.h, self.w))
        if self.is_output():
            self.activation()
        self.g.output(self.x, "y")
        return self.g

    def is_output(self):
        return any(output.name == self.x for output in self.g.outputs)

    def convolution(self):
        out, kernel = int(self.pick(3, 4, 8, 13, 16)), self.pick(1, 1, 3, 3, 5)
        stride = self.pick(1, 1, 1, 2) if min(self.h, self.w) >= 6 else 1
        self.x = conv(self.g, self.x, self.c, out, kernel, stride, batch_norm=self.pick("node", "folded", "none"))
        self.c, self.h, self.w = out, (self.h - 1) // stride + 1, (self.w - 1) // stride + 1

    def depthwise(self):
        self.x = conv(self.g, self.x, self.c, self.c, self.pick(3, 5), 1, groups=self.c, batch_norm=self.pick("node", "folded", "none"))

    def activation(self):
        kind = self.pick("Relu", "Clip", "Sigmoid", "HardSwish", "HardSigmoid", "LeakyRelu", "Tanh", "silu", "gelu", "PRelu", "Elu", "hard swish by parts")
        g, x = self.g, self.x
        if kind == "Clip":
            self.x = g.op("Clip", x, g.constant(np.float32(-0.5)), g.constant(np.float32(2)))
        elif kind == "silu":
            self.x = g.op("Mul", x, g.op("Sigmoid", x))
        elif kind == "gelu":
            erf = g.op("Erf", g.op("Div", x, g.constant(np.float32(np.sqrt(2)))))
            self.x = g.op("Mul", g.op("Mul", x, g.op("Add", erf, g.constant(np.float32(1)))), g.constant(np.float32(0.5)))
        elif kind == "PRelu":
            self.x = g.op("PRelu", x, g.uniform((self.c, 1, 1), 0.1, 0.4))
        elif kind == "hard swish by parts":
            gate = g.op("Clip", g.op("Add", x, g.constant(np.float32(3))), g.constant(np.float32(0)), g.constant(np.float32(6)))
            self.x = g.op("Div", g.op("Mul", x, gate), g.constant(np.float32(6)))
        else:
            self.x = g.op(kind, x)

    def batch_norm(self):
        g = self.g
        self.x = g.op("BatchNormalization", self.x, g.uniform(self.c, 0.7, 1.3), g.normal(self.c, 0.2), g.normal(self.c, 0.2), g.uniform(self.c, 0.6, 1.5))

    def channel_constant(self):
        shape = self.pick((self.c, 1, 1), (1, self.c, 1, 1), (), (1,), (self.h, self.w), (1, 1, 1, self.w), (self.c, self.h, 1), (1, self.c, self.h, self.w))
        constant = self.g.uniform(shape, 0.5, 1.5)
        operands = [self.x, np.asarray(constant, np.float32)]
        if self.rng.random() < 0.3:
            operands.reverse()
        self.x = self.g.op(self.pick("Add", "Mul", "Sub", "Div") if operands[0] is self.x else self.pick("Add", "Mul", "Sub"), *operands)

    def same_size(self):
        return [value for value, c, h, w in self.kept if (c, h, w) == (self.c, self.h, self.w)]

    def residual(self):
        values = self.same_size()
        other = self.pick(*values) if values else conv(self.g, self.x, self.c, self.c, 3)
        self.x = self.g.op("Add", *self.pick((self.x, other), (other, self.x)))

    def pool(self):
        if min(self.h, self.w) < 4:
            return
        kind = self.pick("MaxPool", "AveragePool")
        if self.rng.random() < 0.5:
            self.x = self.g.op(kind, self.x, kernel_shape=[2, 2], strides=[2, 2])
            self.h, self.w = self.h // 2, self.w // 2
        else:
            self.x = self.g.op(kind, self.x, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])

    def gate(self):
        """Squeeze and excitation, by GlobalAveragePool or ReduceMean."""
        g = self.g
        pooled = g.op("GlobalAveragePool", self.x) if self.rng.random() < 0.5 else g.op("ReduceMean", self.x, axes=[2, 3], keepdims=1)
        squeezed = g.op("Relu", conv(g, pooled, self.c, 4, 1, batch_norm="none"))
        self.x = g.op("Mul", self.x, g.op(self.pick("Sigmoid", "HardSigmoid"), conv(g, squeezed, 4, self.c, 1, batch_norm="none")))

    def concatenate(self):
        values = [(value, c) for value, c, h, w in self.kept if (h, w) == (self.h, self.w)]
        value, c = self.pick(*values) if values else (conv(self.g, self.x, self.c, 5, 1), 5)
        if self.c + c > 64:
            return
        self.x = self.g.op("Concat", *self.pick((self.x, value), (value, self.x)), axis=self.pick(1, -3))
        self.c += c

    def split(self):
        if self.c < 2:
            return
        first = int(self.rng.integers(1, self.c))
        parts = self.g.op("Split", self.x, np.array([first, self.c - first], np.int64), outputs=2, axis=1)
        order = self.pick((0, 1), (1, 0))
        left = self.g.op("Relu", parts[order[0]])
        self.x = self.g.op("Concat", left, parts[order[1]], axis=1)

    def slice_channels(self):
        if self.c < 4:
            return
        bounds = [np.array([v], np.int64) for v in (1, self.c - 1, 1, 1)]
        self.x = self.g.op("Slice", self.x, *bounds)
        self.c -= 2

    def resize(self):
        if self.h > 16:
            return
        mode, transform = self.pick(("nearest", "asymmetric"), ("linear", "half_pixel"), ("linear", "align_corners"))
        extra = dict(nearest_mode="floor") if mode == "nearest" else {}
        self.x = self.g.op("Resize", self.x, None, np.array([1, 1, 2, 2], np.float32), mode=mode, coordinate_transformation_mode=transform, **extra)
        self.h, self.w = self.h * 2, self.w * 2

    def pad(self):
        pads = np.array([0, 0, 1, 0, 0, 0, 0, 2], np.int64)
        mode = self.pick("constant", "edge", "reflect")
        self.x = self.g.op("Pad", self.x, pads, mode=mode)
        self.h, self.w = self.h + 1, self.w + 2

    def permuted(self):
        """Work in channels-last between two transposes, as models from TensorFlow have it."""
        g = self.g
        y = g.op("Transpose", self.x, perm=[0, 2, 3, 1])
        kind = self.pick("Relu", "bias", "softmax", "matmul")
        if kind == "Relu":
            y = g.op("Relu", y)
        elif kind == "bias":
            y = g.op("Add", y, g.normal(self.c, 0.3))
        elif kind == "softmax":
            y = g.op("Softmax", y, axis=-1)
        else:
            y = g.op("MatMul", y, g.normal((self.c, self.c), 1 / np.sqrt(self.c)))
        self.x = g.op("Transpose", y, perm=[0, 3, 1, 2])

    def reduced(self):
        """Subtracts a mean over some axes."""
        axes = self.pick([1], [2, 3], [3], [1, 2, 3], [-1, -2])
        self.x = self.g.op("Sub", self.x, self.g.op("ReduceMean", self.x, axes=axes, keepdims=1))

    def softmax(self):
        self.x = self.g.op("Softmax", self.x, axis=self.pick(1, 2, 3, -1, -3))

    def keep(self):
        self.kept.append((self.x, self.c, self.h, self.w))

    def reshaped(self):
        """Attention-like detour through [N, H*W, C] or [N, C, H*W]."""
        g = self.g
        flat = g.op("Reshape", self.x, np.array([0, self.c, -1], np.int64))
        if self.rng.random() < 0.5:
            y = g.op("Transpose", flat, perm=[0, 2, 1])
            y = g.op("Add", g.op("MatMul", y, g.normal((self.c, self.c), 1 / np.sqrt(self.c))), g.normal(self.c, 0.1))
            flat = g.op("Transpose", y, perm=[0, 2, 1])
        else:
            flat = g.op("Mul", flat, g.uniform((1, self.c, 1), 0.5, 1.5))
        self.x = g.op("Reshape", flat, np.array([self.n, self.c, self.h, self.w], np.int64))

    def layer_norm(self):
        """ConvNeXt's normalisation over channels."""
        g = self.g
        y = g.op("Transpose", self.x, perm=[0, 2, 3, 1])
        y = g.op("LayerNormalization", y, g.uniform(self.c, 0.7, 1.3), g.normal(self.c, 0.1), axis=-1, epsilon=1e-3)
        self.x = g.op("Transpose", y, perm=[0, 3, 1, 2])

    def branch_output(self):
        """The value becomes a graph output too, so it may not be fused away."""
        if self.is_output():
            return
        name = f"side_{len(self.g.outputs)}"
        self.g.output(self.x, name)
        self.kept = [(name if v == self.x else v, c, h, w) for v, c, h, w in self.kept]
        self.x = name


def random_graphs(count=80):
    """[(name, build)]; larger seeds make longer graphs."""
    return [(f"random graph {seed}", RandomGraph(seed, 3 + seed // 8).build) for seed in range(count)]
