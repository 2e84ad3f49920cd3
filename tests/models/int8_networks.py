"""Float test models turned into the 8 bit forms that converters write: with quantization at run time (onnxruntime's
quantize_dynamic), with QuantizeLinear and DequantizeLinear around float operators (QDQ), and with QLinear operators."""

from dataclasses import dataclass

import numpy as np
from onnx import helper, numpy_helper

from builder import GraphBuilder
from calibrate import value_ranges
from cnn import mobilenet_v2, resnet50
from transformer import minilm

MICROSOFT = "com.microsoft"


def codes_of(values, scale, zero, type_name):
    """Nearest codes; scale and zero broadcast."""
    info = np.iinfo(type_name)
    return np.clip(np.rint(values / scale) + zero, info.min, info.max).astype(type_name)


def rounded(scale):
    """Three digits: so the bytes do not depend on the order in which a host adds."""
    return np.array(float(f"{max(scale, 1e-6):.3g}"), np.float32)


def asymmetric(low, high, type_name):
    """Scale and zero point that map [low, high], which gets 0 in it, to all codes."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale, info = rounded((high - low) / 255), np.iinfo(type_name)
    return scale, np.array(np.clip(np.rint(info.min - low / scale), info.min, info.max), type_name)


def symmetric(weight, axes):
    """int8 codes and the scales of what is left when `axes` are reduced."""
    scale = np.maximum(np.abs(weight).max(axes, keepdims=True) / 127, 1e-6).astype(np.float32)
    return codes_of(weight, scale, 0, "int8"), scale.squeeze(axes)


def take_weights(g):
    """{name: array} of the initializers; `drop` them by name when their last node is gone."""
    return {t.name: numpy_helper.to_array(t) for t in g.initializers}


def drop_unused(g):
    used = {name for node in g.nodes for name in node.input}
    g.initializers = [t for t in g.initializers if t.name in used]


# ---- quantization at run time ----


def dynamic_minilm(weight_type):
    """int8: weights with a scale a column; uint8: with one scale and zero point."""
    g = minilm("fused")
    weights, quantized = take_weights(g), {}
    nodes, g.nodes = g.nodes, []

    def weight_codes(weight):
        if weight_type == "int8":
            codes, scale = symmetric(weight, 0)
            return codes, scale, np.zeros(len(scale), np.int8)
        scale, zero = asymmetric(float(weight.min()), float(weight.max()), "uint8")
        return codes_of(weight, scale, zero, "uint8"), scale, zero

    for node in nodes:
        by_weight = node.op_type == "MatMul" and node.input[1] in weights
        if by_weight:
            x = node.input[0]
            if x not in quantized:
                quantized[x] = g.op("DynamicQuantizeLinear", x, outputs=3)
            a, a_scale, a_zero = quantized[x]
            codes, scale, zero = weight_codes(weights[node.input[1]])
            product = g.op("Cast", g.op("MatMulInteger", a, codes, a_zero, zero), to=1)
            g.op("Mul", product, g.op("Mul", a_scale, scale))
        elif node.op_type == "Gather" and node.input[0] in weights and weights[node.input[0]].ndim == 2:
            table = weights[node.input[0]]
            scale, zero = asymmetric(float(table.min()), float(table.max()), "uint8")
            g.op("DequantizeLinear", g.op("Gather", codes_of(table, scale, zero, "uint8"), node.input[1]), scale, zero)
        else:
            g.nodes.append(node)
            continue
        g.nodes[-1].output[0] = node.output[0]
    drop_unused(g)
    return g


# ---- quantization with fixed scales ----


@dataclass
class Codes:
    """A value as codes, and how they stand for numbers."""

    name: str
    scale: np.ndarray
    zero: np.ndarray
    inputs: tuple = ()  # the names of scale and zero point

    @property
    def triple(self):
        return self.name, *self.inputs


class StaticQuantizer:
    """Walks a float network of convolutions; each subclass writes one form."""

    def __init__(self, float_model, activation_type, size=64):
        self.source, self.type = float_model, activation_type
        rng = np.random.default_rng(3)
        image = rng.uniform(-1, 1, (2, 3, size, size)).astype(np.float32)
        self.ranges = value_ranges(float_model, {"input": image})
        self.weights = take_weights(float_model)
        self.g = GraphBuilder(f"{float_model.name}-int8", float_model.opset, 1)
        self.values = {}

    def parameters(self, value):
        scale, zero = asymmetric(*self.ranges[value], self.type)
        return scale, zero, (self.g.weight(scale, "scale"), self.g.weight(zero, "zero_point"))

    def quantized(self, x, value):
        """Codes of a float x with the range that `value` has in the float network."""
        scale, zero, names = self.parameters(value)
        return Codes(self.g.op("QuantizeLinear", x, *names), scale, zero, names)

    def network(self):
        g, source = self.g, self.source
        self.values["input"] = self.quantized(g.input("input", "float32", ["batch", 3, 224, 224]), "input")
        readers = {}
        for node in source.nodes:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        fused = set()
        for node in source.nodes:
            if node.op_type == "Constant" or node.output[0] in fused:
                continue
            following = readers.get(node.output[0], [])
            activation = following[0] if len(following) == 1 and following[0].op_type in ("Relu", "Clip") else None
            target = activation.output[0] if activation else node.output[0]
            if activation:
                fused.add(target)
            self.values[target] = self.layer(node, activation, target)
        last = self.values[source.nodes[-1].output[0]]
        g.output(g.op("DequantizeLinear", *last.triple), "logits", "float32", ["batch", 1000])
        return g

    def bias_codes(self, x, w_scale, bias):
        scale = (x.scale * w_scale).astype(np.float32)
        return np.rint(bias / scale).astype(np.int32), scale

    @staticmethod
    def attributes(node):
        return {a.name: helper.get_attribute_value(a) for a in node.attribute}


class QdqQuantizer(StaticQuantizer):
    """Float operators between DequantizeLinear and QuantizeLinear. `keeps_activations`: else the codes' range clamps."""

    def __init__(self, float_model, activation_type, keeps_activations):
        super().__init__(float_model, activation_type)
        self.keeps_activations = keeps_activations

    def dequantized(self, codes):
        return self.g.op("DequantizeLinear", *codes.triple)

    def layer(self, node, activation, target):
        g, attributes = self.g, self.attributes(node)
        first = self.values[node.input[0]]
        if node.op_type in ("Conv", "Gemm"):
            weight, bias = (self.weights[name] for name in node.input[1:])
            codes, scale = symmetric(weight, tuple(range(1, weight.ndim)))
            bias, bias_scale = self.bias_codes(first, scale, bias)
            zeros = np.zeros(len(scale), np.int8)
            y = g.op(node.op_type, self.dequantized(first), g.op("DequantizeLinear", codes, scale, zeros, axis=0),
                     g.op("DequantizeLinear", bias, bias_scale, np.zeros(len(scale), np.int32), axis=0), **attributes)
        else:
            y = g.op(node.op_type, *(self.dequantized(self.values[name]) for name in node.input), **attributes)
        if node.op_type in ("MaxPool", "Flatten"):
            return Codes(g.op("QuantizeLinear", y, *first.inputs), first.scale, first.zero, first.inputs)
        if activation is not None and self.keeps_activations:
            bounds = (np.float32(self.ranges[name][0]) for name in activation.input[1:])
            y = g.op(activation.op_type, y, *(g.constant(bound) for bound in bounds))
        return self.quantized(y, target)


class QLinearQuantizer(StaticQuantizer):
    """QLinearConv and com.microsoft's QLinear operators; activations are the clamp of the codes."""

    def layer(self, node, activation, target):
        g, attributes = self.g, self.attributes(node)
        first = self.values[node.input[0]]
        if node.op_type in ("MaxPool", "Flatten"):
            return Codes(g.op(node.op_type, first.name, **attributes), first.scale, first.zero, first.inputs)
        scale, zero, names = self.parameters(target)
        if node.op_type in ("Conv", "Gemm"):
            weight, bias = (self.weights[name] for name in node.input[1:])
            codes, w_scale = symmetric(weight, tuple(range(1, weight.ndim)))
            bias, _ = self.bias_codes(first, w_scale, bias)
            operands = *first.triple, codes, w_scale, np.zeros(len(w_scale), np.int8)
            if node.op_type == "Conv":
                y = g.op("QLinearConv", *operands, *names, bias, **attributes)
            else:
                y = g.op("QGemm", *operands, bias, *names, domain=MICROSOFT, alpha=1.0, **attributes)
        elif node.op_type == "Add":
            y = g.op("QLinearAdd", *first.triple, *self.values[node.input[1]].triple, *names, domain=MICROSOFT)
        else:
            y = g.op(f"QLinear{node.op_type}", *first.triple, *names, domain=MICROSOFT, channels_last=0)
        return Codes(y, scale, zero, names)


INT8_NETWORKS = {
    "minilm-int8": lambda: dynamic_minilm("int8"),
    "minilm-uint8": lambda: dynamic_minilm("uint8"),
    "resnet50-qdq": lambda: QdqQuantizer(resnet50(), "uint8", True).network(),
    "resnet50-qlinear": lambda: QLinearQuantizer(resnet50(), "uint8").network(),
    "mobilenetv2-qdq": lambda: QdqQuantizer(mobilenet_v2("folded", 17), "int8", False).network(),
    "mobilenetv2-qlinear": lambda: QLinearQuantizer(mobilenet_v2("folded", 17), "uint8").network(),
}
