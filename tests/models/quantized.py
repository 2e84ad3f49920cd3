"""One-operator models of quantized operators over types, zero points, granularities and shapes."""

import itertools

import numpy as np

from builder import GraphBuilder

MICROSOFT = "com.microsoft"
NUMPY = {"uint8": np.uint8, "int8": np.int8}


def rng(seed=9):
    return np.random.default_rng(seed)


def codes(dims, type_name, seed=9):
    info = np.iinfo(NUMPY[type_name])
    return rng(seed).integers(info.min, info.max + 1, dims).astype(NUMPY[type_name])


def scalar(value, type_name="float32"):
    return np.array(value, type_name)


def zero(type_name, value=7):
    return scalar(value if type_name == "int8" else value + 121, type_name)


def scales(n, seed=4):
    return rng(seed).uniform(0.003, 0.02, n).astype(np.float32)


def one(op, model_opset, inputs, output=None, domain="", outputs=1, **attributes):
    """Builds op(inputs...): an input is (type, dims) to be fed, an array, or None; `output` is its type."""

    def build():
        g = GraphBuilder(op, model_opset, 7)
        names = [g.input(f"x{i}", *x) if isinstance(x, tuple) else x for i, x in enumerate(inputs)]
        results = g.op(op, *names, outputs=outputs, domain=domain, **attributes)
        for i, value in enumerate([results] if outputs == 1 else results):
            g.output(value, f"y{i}", output)
        return g

    return build


def contrib(op, inputs, output, **attributes):
    return one(op, 17, inputs, output, MICROSOFT, **attributes)


def linear():
    x = ("float32", (3, 5, 7))
    for t in ("uint8", "int8"):
        yield f"QuantizeLinear {t}", one("QuantizeLinear", 13, [x, scalar(0.004), zero(t)])
        yield f"DequantizeLinear {t}", one("DequantizeLinear", 13, [(t, (3, 5, 7)), scalar(0.03), zero(t)])
        for axis, n in ((0, 3), (1, 5), (-1, 7)):
            zeros = codes(n, t)
            yield f"QuantizeLinear {t} axis {axis}", one("QuantizeLinear", 13, [x, scales(n), zeros], axis=axis)
            yield f"DequantizeLinear {t} axis {axis}", one("DequantizeLinear", 13, [(t, (3, 5, 7)), scales(n), zeros], axis=axis)
        for axis, dims in ((0, (2, 5, 7)), (1, (3, 3, 7)), (2, (3, 5, 4))):
            yield f"QuantizeLinear {t} blocks on axis {axis}", one("QuantizeLinear", 21, [x, scales(dims), codes(dims, t)], axis=axis, block_size=2)
            yield f"DequantizeLinear {t} blocks on axis {axis}", one("DequantizeLinear", 21, [(t, (3, 5, 7)), scales(dims), codes(dims, t)], axis=axis, block_size=2)
        yield f"com.microsoft QuantizeLinear {t}", contrib("QuantizeLinear", [x, scalar(0.004), zero(t)], t)
        yield f"com.microsoft DequantizeLinear {t} axis 1", contrib("DequantizeLinear", [(t, (3, 5, 7)), scales(5), codes(5, t)], "float32", axis=1)
    yield "QuantizeLinear without zero point", one("QuantizeLinear", 13, [x, scalar(0.01)])
    yield "QuantizeLinear fed scale", one("QuantizeLinear", 13, [("float32", (2, 300)), ("float32", ()), zero("uint8")])
    for t in ("uint16", "int16"):
        yield f"QuantizeLinear {t} to float", lambda t=t: round_trip(t)
    yield "DequantizeLinear int32", one("DequantizeLinear", 13, [("int32", (3, 5)), scalar(0.5)])
    for dims in ((3, 5, 7), (1, 1), (1000,)):
        yield f"DynamicQuantizeLinear {dims}", one("DynamicQuantizeLinear", 13, [("float32", dims)], outputs=3)


def round_trip(type_name):
    """16 bit codes and back, because the JavaScript side of an engine may not hand them out."""
    g = GraphBuilder("round-trip", 21, 7)
    x = g.input("x0", "float32", (3, 5, 7))
    zero_point = scalar(1000, type_name)
    quantized = g.op("QuantizeLinear", x, scalar(1e-4), zero_point)
    g.output(g.op("DequantizeLinear", quantized, scalar(1e-4), zero_point), "y0")
    return g


def products():
    shapes = [((5, 7), (7, 9)), ((33, 65), (65, 17)), ((1, 300), (300, 40)), ((2, 3, 5, 8), (8, 6)), ((2, 1, 5, 7), (3, 7, 4)), ((130, 70), (70, 20))]
    for (a, b), (ta, tb), fed in itertools.product(shapes, (("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")), (False, True)):
        n = b[-1]
        second = (tb, b) if fed else codes(b, tb)
        label = f"{a} {b} {ta} {tb}{', fed B' if fed else ''}"
        yield f"MatMulInteger {label}", one("MatMulInteger", 13, [(ta, a), second, zero(ta), zero(tb)])
        scaled = [(ta, a), scalar(0.02), zero(ta), second, scalar(0.01), zero(tb), scalar(0.4), zero(ta)]
        yield f"QLinearMatMul {label}", one("QLinearMatMul", 21, scaled), 1
        if len(b) == 2 and ta == "uint8":
            yield f"MatMulInteger {label}, zero points of columns", one("MatMulInteger", 13, [(ta, a), second, zero(ta), codes(n, tb)])
        if len(b) == 2:
            yield f"MatMulIntegerToFloat {label}", contrib("MatMulIntegerToFloat", [(ta, a), second, scalar(0.02), scales(n), zero(ta), codes(n, tb), scales(n, 5)], "float32")
        if len(b) == 2 and ta == "uint8":
            yield f"DynamicQuantizeMatMul {label}", contrib("DynamicQuantizeMatMul", [("float32", a), second, scales(n), codes(n, tb), scales(n, 5)], "float32")
    yield "MatMulInteger without zero points", one("MatMulInteger", 13, [("uint8", (5, 7)), codes((7, 9), "int8")])
    yield "QLinearMatMul scales of columns", one("QLinearMatMul", 21, [("uint8", (5, 7)), scalar(0.02), zero("uint8"), codes((7, 9), "int8"), scales(9), np.zeros(9, np.int8), scalar(0.1), zero("uint8")]), 1
    yield "DynamicQuantizeMatMul bare", contrib("DynamicQuantizeMatMul", [("float32", (2, 5, 7)), codes((7, 9), "int8"), scalar(0.01)], "float32")
    for trans_a, trans_b, bias in itertools.product((0, 1), (0, 1), (None, 9)):
        a, b = ((7, 5) if trans_a else (5, 7)), ((9, 7) if trans_b else (7, 9))
        third = None if bias is None else rng().integers(-500, 500, bias).astype(np.int32)
        inputs = [("uint8", a), scalar(0.02), zero("uint8"), codes(b, "int8"), scalar(0.01), scalar(0, "int8"), third]
        yield f"QGemm {trans_a}{trans_b} bias {bias}", contrib("QGemm", [*inputs, scalar(0.1), zero("uint8")], "uint8", transA=trans_a, transB=trans_b, alpha=1.0), 1
        yield f"QGemm {trans_a}{trans_b} bias {bias} to float", contrib("QGemm", inputs, "float32", transA=trans_a, transB=trans_b, alpha=1.5)


def convolutions():
    rows = [
        ("1x1", 1, 3, 5, (7, 9), (1, 1), {}),
        ("1x1 wide", 2, 32, 65, (5, 5), (1, 1), {}),
        ("3x3", 1, 3, 16, (13, 11), (3, 3), dict(pads=[1, 1, 1, 1])),
        ("3x3 whole vectors", 2, 16, 24, (9, 8), (3, 3), dict(pads=[1, 1, 1, 1], strides=[2, 2])),
        ("3x3 uneven pads", 1, 8, 8, (8, 9), (3, 3), dict(pads=[0, 1, 2, 3])),
        ("3x3 dilated", 1, 8, 12, (14, 14), (3, 3), dict(dilations=[2, 3], pads=[2, 3, 2, 3])),
        ("7x7 stem", 1, 3, 32, (30, 30), (7, 7), dict(pads=[3, 3, 3, 3], strides=[2, 2])),
        ("groups 2", 1, 8, 12, (9, 9), (3, 3), dict(group=2, pads=[1, 1, 1, 1])),
        ("groups 2 whole vectors", 1, 16, 12, (9, 9), (3, 3), dict(group=2, pads=[1, 1, 1, 1])),
        ("depthwise", 1, 19, 19, (10, 9), (3, 3), dict(group=19, pads=[1, 1, 1, 1])),
        ("depthwise stride 2", 1, 32, 32, (11, 12), (3, 3), dict(group=32, pads=[1, 1, 1, 1], strides=[2, 2])),
        ("depthwise 5x5", 2, 24, 24, (9, 9), (5, 5), dict(group=24, pads=[2, 2, 2, 2])),
        ("depthwise multiplier", 1, 6, 18, (8, 8), (3, 3), dict(group=6, pads=[1, 1, 1, 1])),
        ("same upper", 1, 5, 7, (10, 11), (3, 3), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
        ("1-D", 2, 6, 10, (23,), (5,), dict(pads=[2, 2], strides=[2])),
        ("3-D", 1, 4, 6, (5, 6, 7), (3, 3, 3), dict(pads=[1] * 6)),
    ]
    for label, n, c_in, c_out, spatial, kernel, attributes in rows:
        dims = (c_out, c_in // attributes.get("group", 1), *kernel)
        for tx, tw in (("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")):
            for form in ("constant", "fed", "by channel"):
                weights = (tw, dims) if form == "fed" else codes(dims, tw)
                w_scale, w_zero = (scales(c_out), np.full(c_out, zero(tw))) if form == "by channel" else (scalar(0.01), zero(tw))
                bias = None if form == "fed" else rng().integers(-2000, 2000, c_out).astype(np.int32)
                inputs = [(tx, (n, c_in, *spatial)), scalar(0.02), zero(tx), weights, w_scale, w_zero, scalar(0.6), zero(tx, 3), *([] if bias is None else [bias])]
                yield f"QLinearConv {label} {tx} {tw} {form}", one("QLinearConv", 13, inputs, kernel_shape=list(kernel), **attributes), 1
        if label == "3x3":
            last = [("uint8", (n, *spatial, c_in)), scalar(0.02), zero("uint8"), codes(dims, "int8"), scalar(0.01), zero("int8"), scalar(0.6), zero("uint8")]
            yield f"com.microsoft QLinearConv {label} channels last", contrib("QLinearConv", last, "uint8", channels_last=1, kernel_shape=list(kernel), **attributes), 1
        if len(kernel) == 2:
            for tw in ("uint8", "int8"):
                yield f"ConvInteger {label} {tw}", one("ConvInteger", 13, [("uint8", (n, c_in, *spatial)), codes(dims, tw), zero("uint8"), zero(tw)], kernel_shape=list(kernel), **attributes)


def elementwise():
    shapes = [((3, 4, 5), (3, 4, 5)), ((3, 4, 5), (5,)), ((3, 4, 5), (4, 1)), ((3, 4, 5), ()), ((2, 8, 5, 5), (8, 1, 1)), ((1000,), (1000,))]
    for op, (a, b), t in itertools.product(("QLinearAdd", "QLinearMul"), shapes, ("uint8", "int8")):
        scale = 0.05 if op == "QLinearAdd" else 0.006
        yield f"{op} {a} {b} {t}", contrib(op, [(t, a), scalar(0.03), zero(t), (t, b), scalar(0.02), zero(t, -3), scalar(scale), zero(t, 1)], t), 1
    for t in ("uint8", "int8"):
        x = [(t, (3, 4, 5)), scalar(0.05), zero(t), scalar(1 / 256), zero(t, -128 if t == "int8" else -121)]
        yield f"QLinearSigmoid {t}", contrib("QLinearSigmoid", x, t), 1
        yield f"QLinearLeakyRelu {t}", contrib("QLinearLeakyRelu", [*x[:3], scalar(0.04), zero(t, 4)], t, alpha=0.2), 1
        yield f"QLinearSoftmax {t}", contrib("QLinearSoftmax", x, t, axis=-1, opset=13), 1
        parts = [(t, (2, 3, 4)), scalar(0.03), zero(t), (t, (2, 5, 4)), scalar(0.02), zero(t, -9)]
        yield f"QLinearConcat {t}", contrib("QLinearConcat", [scalar(0.04), zero(t, 2), *parts], t, axis=1), 1
        image = [(t, (2, 6, 9, 8)), scalar(0.03), zero(t), scalar(0.02), zero(t, 5)]
        yield f"QLinearGlobalAveragePool {t}", contrib("QLinearGlobalAveragePool", image, t, channels_last=0), 1
        yield f"QLinearGlobalAveragePool {t} channels last", contrib("QLinearGlobalAveragePool", image, t, channels_last=1), 1
        yield f"QLinearAveragePool {t}", contrib("QLinearAveragePool", image, t, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 1
        where = [("bool", (3, 4, 5)), (t, (3, 4, 5)), scalar(0.03), zero(t), (t, (5,)), scalar(0.02), zero(t, 3), scalar(0.04), zero(t, 1)]
        yield f"QLinearWhere {t}", contrib("QLinearWhere", where, t), 1


def pools():
    for t, channels in itertools.product(("uint8", "int8"), (5, 16, 37)):
        x = (t, (2, channels, 9, 8))
        yield f"MaxPool {t}, {channels} channels", one("MaxPool", 12, [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        yield f"MaxPool {t}, {channels} channels dilated", one("MaxPool", 12, [x], kernel_shape=[2, 3], dilations=[3, 2], ceil_mode=1, strides=[1, 2])


def network():
    """What a converter writes of a small network: the layout passes work on it."""
    g = GraphBuilder("int8", 17, 7)
    x = g.input("x0", "float32", (1, 3, 20, 18))
    quantized = g.op("QuantizeLinear", x, scalar(0.008), zero("uint8", 7))

    def conv(value, c_in, c_out, kernel, in_scale, out_scale, seed, **attributes):
        return g.op("QLinearConv", value, in_scale, zero("uint8"), codes((c_out, c_in // attributes.get("group", 1), kernel, kernel), "int8", seed), scales(c_out, seed), np.zeros(c_out, np.int8),
                    out_scale, zero("uint8"), rng(seed).integers(-500, 500, c_out).astype(np.int32), kernel_shape=[kernel, kernel], pads=[kernel // 2] * 4, **attributes)

    first = conv(quantized, 3, 16, 3, scalar(0.008), scalar(0.05), 1, strides=[2, 2])
    first = g.op("MaxPool", first, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    second = conv(first, 16, 16, 3, scalar(0.05), scalar(0.4), 2)
    deep = conv(second, 16, 16, 3, scalar(0.4), scalar(1.1), 3, group=16)
    added = g.op("QLinearAdd", deep, scalar(1.1), zero("uint8"), second, scalar(0.4), zero("uint8"), scalar(1.4), zero("uint8"), domain=MICROSOFT)
    joined = g.op("QLinearConcat", scalar(1.5), zero("uint8"), added, scalar(1.4), zero("uint8"), first, scalar(0.05), zero("uint8"), domain=MICROSOFT, axis=1)
    pooled = g.op("QLinearGlobalAveragePool", joined, scalar(1.5), zero("uint8"), scalar(0.3), zero("uint8"), domain=MICROSOFT, channels_last=0)
    g.output(joined, "y0", "uint8")
    g.output(g.op("Flatten", pooled), "y1", "uint8")
    return g


def networks():
    yield "int8 network", network, 1


FAMILIES = (linear, products, convolutions, elementwise, pools, networks)


def quantized_models():
    """[(name, build)] or [(name, build, codes that results may differ by)] of every model."""
    return [row for family in FAMILIES for row in family()]
