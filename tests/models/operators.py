"""One-operator models over attributes, shapes, element types and opsets, for comparison with another engine.

ONNX's own cases use each attribute once, on small shapes; here kernels meet odd sizes, edges and combinations.
"""

import itertools

import numpy as np

from builder import GraphBuilder

F, D, I32, I64, U8, B = "float32", "float64", "int32", "int64", "uint8", "bool"


def ints(*values):
    return np.array(values, np.int64)


def one(op, opset, inputs, constants=(), outputs=1, **attributes):
    """Builds op(inputs..., constants...): inputs are (type, dims); a None constant is an absent optional input."""

    def build():
        g = GraphBuilder(op, opset, 7)
        names = [g.input(f"x{i}", type_name, list(dims)) for i, (type_name, dims) in enumerate(inputs)]
        results = g.op(op, *names, *constants, outputs=outputs, **attributes)
        for i, value in enumerate([results] if outputs == 1 else results):
            g.output(value, f"y{i}")
        return g

    return build


def weights(*dims, seed=3):
    return (np.random.default_rng(seed).standard_normal(dims) / np.sqrt(max(1, np.prod(dims[1:])))).astype(np.float32)


def convolutions():
    rows = [
        # n, c_in, c_out, spatial, kernel, attributes
        ("1x1", 1, 3, 5, (7, 9), (1, 1), {}),
        ("1x1 wide", 2, 33, 65, (5, 5), (1, 1), {}),
        ("1x1 stride 2", 1, 16, 24, (9, 8), (1, 1), dict(strides=[2, 2])),
        ("3x3", 1, 3, 16, (13, 11), (3, 3), dict(pads=[1, 1, 1, 1])),
        ("3x3 no pads", 1, 8, 8, (6, 6), (3, 3), {}),
        ("3x3 stride 2", 2, 17, 9, (15, 14), (3, 3), dict(pads=[1, 1, 1, 1], strides=[2, 2])),
        ("3x3 uneven pads", 1, 4, 8, (8, 9), (3, 3), dict(pads=[0, 1, 2, 3])),
        ("3x3 dilated", 1, 8, 12, (14, 14), (3, 3), dict(dilations=[2, 3], pads=[2, 3, 2, 3])),
        ("5x3", 1, 6, 10, (12, 7), (5, 3), dict(pads=[2, 1, 2, 1], strides=[1, 2])),
        ("7x7 stem", 1, 3, 32, (30, 30), (7, 7), dict(pads=[3, 3, 3, 3], strides=[2, 2])),
        ("1x7", 1, 12, 12, (9, 17), (1, 7), dict(pads=[0, 3, 0, 3])),
        ("groups 2", 1, 8, 12, (9, 9), (3, 3), dict(group=2, pads=[1, 1, 1, 1])),
        ("groups 3, odd", 2, 9, 15, (7, 5), (3, 3), dict(group=3)),
        ("groups, 1x1", 1, 12, 24, (6, 7), (1, 1), dict(group=4)),
        ("depthwise 3x3", 1, 19, 19, (10, 9), (3, 3), dict(group=19, pads=[1, 1, 1, 1])),
        ("depthwise 3x3 stride 2", 1, 32, 32, (11, 12), (3, 3), dict(group=32, pads=[1, 1, 1, 1], strides=[2, 2])),
        ("depthwise 5x5", 2, 24, 24, (9, 9), (5, 5), dict(group=24, pads=[2, 2, 2, 2])),
        ("depthwise 7x7", 1, 8, 8, (9, 9), (7, 7), dict(group=8, pads=[3, 3, 3, 3])),
        ("depthwise dilated", 1, 8, 8, (12, 12), (3, 3), dict(group=8, pads=[2, 2, 2, 2], dilations=[2, 2])),
        ("depthwise multiplier", 1, 6, 18, (8, 8), (3, 3), dict(group=6, pads=[1, 1, 1, 1])),
        ("same upper", 1, 5, 7, (10, 11), (3, 3), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
        ("same lower", 1, 5, 7, (10, 11), (4, 2), dict(auto_pad="SAME_LOWER", strides=[3, 2])),
        ("valid", 1, 5, 7, (10, 11), (4, 2), dict(auto_pad="VALID")),
        ("1-D", 2, 6, 10, (23,), (5,), dict(pads=[2, 2], strides=[2])),
        ("1-D depthwise", 1, 12, 12, (31,), (3,), dict(group=12, dilations=[4])),
        ("1-D groups", 1, 8, 16, (9,), (3,), dict(group=2, pads=[0, 2])),
        ("3-D", 1, 4, 6, (5, 6, 7), (3, 3, 3), dict(pads=[1] * 6)),
        ("3-D stride", 1, 3, 5, (8, 6, 5), (2, 3, 1), dict(strides=[2, 1, 2])),
        ("kernel as wide as the input", 2, 16, 10, (4, 4), (4, 4), {}),
    ]
    for label, n, c_in, c_out, spatial, kernel, attributes in rows:
        weight = weights(c_out, c_in // attributes.get("group", 1), *kernel)
        for bias, fed in ((True, False), (False, False), (True, True)):
            inputs = [(F, (n, c_in, *spatial))]
            constants = [weight] + ([weights(c_out, seed=4)] if bias else [])
            if fed:
                inputs += [(F, weight.shape), (F, (c_out,))]
                constants = []
            name = f"Conv {label}{', fed weights' if fed else ', no bias' if not bias else ''}"
            yield name, one("Conv", 11, inputs, constants, kernel_shape=list(kernel), **attributes)
    yield "Conv without kernel_shape", one("Conv", 7, [(F, (1, 3, 8, 8))], [weights(4, 3, 3, 3)])


def transposed_convolutions():
    rows = [
        ("2x2 stride 2", 3, 5, (4, 5), (2, 2), dict(strides=[2, 2])),
        ("3x3", 4, 6, (5, 7), (3, 3), dict(pads=[1, 1, 1, 1])),
        ("4x4 stride 2", 8, 3, (6, 6), (4, 4), dict(strides=[2, 2], pads=[1, 1, 1, 1])),
        ("output_padding", 2, 4, (5, 5), (3, 3), dict(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])),
        ("output_shape", 2, 4, (5, 5), (3, 3), dict(strides=[2, 2], output_shape=[10, 9])),
        ("groups", 6, 4, (5, 4), (3, 3), dict(group=2, strides=[2, 1])),
        ("depthwise", 6, 1, (5, 4), (3, 3), dict(group=6, strides=[2, 2])),
        ("dilated", 3, 4, (6, 5), (3, 3), dict(dilations=[2, 2])),
        ("uneven pads", 3, 4, (6, 5), (3, 3), dict(pads=[0, 1, 2, 0], strides=[2, 3])),
        ("same upper", 3, 4, (6, 5), (3, 3), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
        ("1-D", 4, 6, (9,), (4,), dict(strides=[3])),
        ("3-D", 2, 3, (3, 4, 3), (2, 2, 2), dict(strides=[2, 1, 2])),
    ]
    for label, c_in, c_out_per_group, spatial, kernel, attributes in rows:
        weight = weights(c_in, c_out_per_group, *kernel)
        bias = weights(c_out_per_group * attributes.get("group", 1), seed=4)
        yield f"ConvTranspose {label}", one("ConvTranspose", 11, [(F, (2, c_in, *spatial))], [weight, bias], kernel_shape=list(kernel), **attributes)


def pools():
    rows = [
        ("2x2", (9, 8), dict(kernel_shape=[2, 2], strides=[2, 2])),
        ("3x3 padded", (9, 8), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
        ("uneven pads", (9, 8), dict(kernel_shape=[3, 2], strides=[1, 2], pads=[0, 1, 2, 0])),
        ("ceil", (10, 7), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
        ("ceil padded", (6, 7), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)),
        ("same upper", (10, 7), dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")),
        ("same lower", (10, 7), dict(kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER")),
        ("1-D", (11,), dict(kernel_shape=[3], strides=[2])),
        ("3-D", (5, 6, 4), dict(kernel_shape=[2, 3, 2], strides=[1, 2, 2])),
        ("global by kernel", (6, 5), dict(kernel_shape=[6, 5])),
    ]
    for label, spatial, attributes in rows:
        for channels in (1, 6, 16):
            x = [(F, (2, channels, *spatial))]
            yield f"MaxPool {label}, {channels} channels", one("MaxPool", 12, x, **attributes)
            yield f"AveragePool {label}, {channels} channels", one("AveragePool", 11, x, **attributes)
        yield f"AveragePool {label}, pads counted", one("AveragePool", 11, [(F, (1, 3, *spatial))], count_include_pad=1, **attributes)
        if attributes.get("auto_pad") is None:
            yield f"MaxPool {label} with indices", one("MaxPool", 12, [(F, (1, 3, *spatial))], outputs=2, **attributes)
    yield "MaxPool dilated", one("MaxPool", 12, [(F, (1, 5, 12, 11))], kernel_shape=[3, 3], dilations=[2, 3])
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        for dims in ((2, 7, 5, 6), (1, 3, 9), (1, 2, 3, 4, 5)):
            yield f"{op} {len(dims) - 2}-D", one(op, 1, [(F, dims)])


def matrix_products():
    shapes = [
        ((5, 7), (7, 9)), ((1, 64), (64, 33)), ((33, 65), (65, 17)), ((4, 1), (1, 8)), ((2, 3, 5, 7), (7, 6)),
        ((2, 3, 5, 7), (2, 3, 7, 4)), ((2, 1, 5, 7), (3, 7, 4)), ((7,), (7, 5)), ((5, 7), (7,)), ((7,), (7,)),
        ((3, 5, 7), (7,)), ((7,), (2, 7, 5)), ((1, 300), (300, 1)), ((70, 130), (130, 70)), ((3, 0), (0, 4)), ((0, 4), (4, 3)),
    ]
    for a, b in shapes:
        yield f"MatMul {a} {b}", one("MatMul", 13, [(F, a), (F, b)])
        if 0 not in b:
            yield f"MatMul {a} {b}, constant B", one("MatMul", 13, [(F, a)], [np.random.default_rng(5).standard_normal(b).astype(np.float32)])
    for type_name in (D, I32, I64):
        yield f"MatMul {type_name}", one("MatMul", 13, [(type_name, (2, 5, 7)), (type_name, (7, 3))])
    for trans_a, trans_b, c in itertools.product((0, 1), (0, 1), (None, (), (6,), (1, 6), (5, 1), (5, 6))):
        a, b = ((7, 5) if trans_a else (5, 7)), ((6, 7) if trans_b else (7, 6))
        inputs = [(F, a), (F, b)] + ([] if c is None else [(F, c)])
        yield f"Gemm {trans_a}{trans_b} C {c}", one("Gemm", 13, inputs, transA=trans_a, transB=trans_b, alpha=0.5, beta=1.5)
    for opset in (7, 9, 11):
        yield f"Gemm opset {opset}", one("Gemm", opset, [(F, (9, 21))], [weights(13, 21), weights(13)], transB=1)


def elementwise():
    shapes = [((3, 4, 5), (3, 4, 5)), ((3, 4, 5), (5,)), ((3, 4, 5), (4, 1)), ((3, 1, 5), (1, 4, 1)), ((3, 4, 5), ()), ((), ()), ((1,), (2, 3)),
              ((2, 1, 3, 1, 2), (4, 1, 5, 1)), ((0, 3), (1, 3)), ((17,), (1,)), ((2, 8, 5, 5), (8, 1, 1)), ((1, 1, 7), (6, 5, 1))]
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "PRelu", "Mod"):
        for a, b in shapes:
            attributes = dict(fmod=1) if op == "Mod" else {}
            if op == "PRelu" and np.broadcast_shapes(a, b) != a:
                continue
            if op == "Pow":
                # Powers of negative numbers that are not whole are NaN: whole ones keep the comparison meaningful.
                yield f"Pow {a} whole", one("Pow", 13, [(F, a)], [np.full(b, 3, np.float32)])
                continue
            yield f"{op} {a} {b}", one(op, 13 if op != "PRelu" else 9, [(F, a), (F, b)], **attributes)
        if op not in ("PRelu", "Mod", "Pow"):
            for type_name in (D, I32, I64):
                if op == "Div" and type_name != D:
                    yield f"Div {type_name}", one("Div", 14, [(type_name, (3, 4))], [np.array([3, -2, 1, 7], type_name)])
                else:
                    yield f"{op} {type_name}", one(op, 14, [(type_name, (3, 4)), (type_name, (4,))])
    for op, attributes in (("Abs", {}), ("Neg", {}), ("Exp", {}), ("Tanh", {}), ("Sigmoid", {}), ("Erf", {}), ("Relu", {}), ("HardSwish", {}),
                           ("HardSigmoid", dict(alpha=0.3, beta=0.4)), ("LeakyRelu", dict(alpha=0.1)), ("Elu", dict(alpha=1.5)), ("Floor", {}), ("Ceil", {}),
                           ("Round", {}), ("Reciprocal", {}), ("Softplus", {}), ("Softsign", {}), ("Selu", {}), ("Sign", {}), ("Sin", {}), ("Cos", {}), ("Atan", {}),
                           ("Identity", {}), ("Not", None)):
        for dims in ((3, 37), (1,), (), (2, 5, 7, 3)):
            if attributes is None:
                yield f"{op} {dims}", one(op, 14, [(B, dims)])
            else:
                yield f"{op} {dims}", one(op, 14, [(F, dims)], **attributes)
    for op in ("Sqrt", "Log"):
        def positive(op=op):
            g = GraphBuilder(op, 13, 1)
            x = g.input("x0", F, [3, 37])
            g.output(g.op(op, g.op("Abs", x)), "y0")
            return g
        yield f"{op} of positive numbers", positive
    for op in ("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"):
        for type_name in (F, I32, I64):
            yield f"{op} {type_name}", one(op, 16, [(type_name, (3, 4)), (type_name, (4,))])
    for op in ("And", "Or", "Xor"):
        yield op, one(op, 7, [(B, (3, 4)), (B, (3, 1))])
    # onnxruntime-web has no Where of bool; tests/core/ops/comparison_test.cpp has.
    for type_name in (F, I64, U8):
        yield f"Where {type_name}", one("Where", 16, [(B, (3, 1)), (type_name, (4,)), (type_name, (2, 3, 4))])
    casts = {F: 1, D: 11, I32: 6, I64: 7, U8: 2, B: 9}
    for source, target in itertools.permutations(casts, 2):
        if source in (F, D) and target == U8:
            continue  # negative to unsigned is undefined
        yield f"Cast {source} to {target}", one("Cast", 13, [(source, (4, 9))], to=casts[target])
    yield "Clip opset 6", one("Clip", 6, [(F, (3, 7))], min=-0.3, max=0.4)
    yield "Clip no bounds", one("Clip", 12, [(F, (3, 7))])
    yield "Clip lower", one("Clip", 12, [(F, (3, 7))], [np.array(0.1, np.float32)])
    yield "Clip upper", one("Clip", 12, [(F, (3, 7))], [None, np.array(0.1, np.float32)])
    yield "Clip int64", one("Clip", 12, [(I64, (3, 7))], [np.array(0, np.int64), np.array(0, np.int64)])
    yield "Sum of three", one("Sum", 13, [(F, (3, 4)), (F, (4,)), (F, (3, 1))])
    yield "Mean of three", one("Mean", 13, [(F, (3, 4)), (F, (4,)), (F, (3, 1))])


def reductions():
    ops = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp")
    axes_rows = (None, [0], [-1], [1], [0, 2], [1, 2], [2, 3], [0, 1, 2, 3], [-2, 1])
    for op in ops:
        for axes, keep in itertools.product(axes_rows, (0, 1)):
            given = {} if axes is None else dict(axes=axes)
            if op == "ReduceSum":
                yield f"{op}-13 {axes} keep {keep}", one(op, 13, [(F, (3, 5, 4, 6))], [] if axes is None else [ints(*axes)], keepdims=keep)
                yield f"{op}-11 {axes} keep {keep}", one(op, 11, [(F, (3, 5, 4, 6))], keepdims=keep, **given)
            else:
                yield f"{op}-13 {axes} keep {keep}", one(op, 13, [(F, (3, 5, 4, 6))], keepdims=keep, **given)
                yield f"{op}-18 {axes} keep {keep}", one(op, 18, [(F, (3, 5, 4, 6))], [] if axes is None else [ints(*axes)], keepdims=keep)
        yield f"{op} long rows", one(op, 13, [(F, (2, 1000))], *([[ints(1)]] if op == "ReduceSum" else []), **({} if op == "ReduceSum" else dict(axes=[1])))
        yield f"{op} no axes, no-op", one(op, 18, [(F, (3, 5))], noop_with_empty_axes=1)
    for op, type_name in itertools.product(("ReduceSum", "ReduceMax", "ReduceMean"), (I32, I64, D)):
        if (op, type_name) == ("ReduceMean", I64):
            continue
        yield f"{op} {type_name}", one(op, 13, [(type_name, (3, 5))], *([[ints(1)]] if op == "ReduceSum" else []), **({} if op == "ReduceSum" else dict(axes=[1])))
    for op, axis, keep, last in itertools.product(("ArgMax", "ArgMin"), (0, 1, -1), (0, 1), (0, 1)):
        yield f"{op} axis {axis} keep {keep} last {last}", one(op, 13, [(F, (4, 5, 6))], axis=axis, keepdims=keep, select_last_index=last)
    yield "ArgMax of equal numbers", one("ArgMax", 13, [(I32, (4, 9))], axis=1, select_last_index=1)
    for axis, largest, k in itertools.product((0, -1), (0, 1), (1, 3)):
        yield f"TopK axis {axis} largest {largest} k {k}", one("TopK", 11, [(F, (5, 7))], [ints(k)], outputs=2, axis=axis, largest=largest)
    for exclusive, reverse, axis in itertools.product((0, 1), (0, 1), (0, -1)):
        yield f"CumSum {exclusive}{reverse} axis {axis}", one("CumSum", 14, [(F, (4, 9))], [np.array(axis, np.int64)], exclusive=exclusive, reverse=reverse)


def normalisations():
    for opset, op, axis in itertools.product((11, 13), ("Softmax", "LogSoftmax"), (0, 1, 2, -1)):
        for dims in ((3, 5, 7), (2, 33, 3)):
            yield f"{op}-{opset} axis {axis} {dims}", one(op, opset, [(F, dims)], axis=axis)
    yield "Softmax long rows", one("Softmax", 13, [(F, (3, 1003))])
    scale, bias, mean, variance = (weights(6, seed=s) for s in (1, 2, 3, 4))
    for opset in (7, 9, 14, 15):
        for dims in ((2, 6, 5, 4), (3, 6), (2, 6, 7), (1, 6, 2, 3, 4)):
            yield f"BatchNormalization-{opset} {dims}", one("BatchNormalization", opset, [(F, dims)], [scale, bias, mean, np.abs(variance) + 0.2], epsilon=1e-3)
    for dims in ((2, 6, 5, 4), (2, 6, 31)):
        yield f"InstanceNormalization {dims}", one("InstanceNormalization", 6, [(F, dims)], [scale, bias], epsilon=1e-4)
    for axis in (-1, 1, 0, -2):
        dims = (3, 4, 5)
        tail = dims[axis:] if axis < 0 else dims[axis:]
        yield f"LayerNormalization axis {axis}", one("LayerNormalization", 17, [(F, dims)], [weights(*tail) + 1, weights(*tail, seed=8)], axis=axis)
    yield "LayerNormalization without bias", one("LayerNormalization", 17, [(F, (2, 7, 129))], [weights(129) + 1])
    yield "LayerNormalization, all outputs", one("LayerNormalization", 17, [(F, (2, 7, 33))], [weights(33) + 1, weights(33)], outputs=3)


def movement():
    for perm in ((0, 2, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (1, 0, 2, 3), (0, 1, 3, 2), (0, 2, 1, 3), (2, 3, 0, 1)):
        for type_name in (F, I64, U8):
            yield f"Transpose {perm} {type_name}", one("Transpose", 13, [(type_name, (3, 4, 5, 6))], perm=list(perm))
    yield "Transpose by default", one("Transpose", 13, [(F, (3, 4, 5))])
    yield "Transpose 17x33", one("Transpose", 13, [(F, (17, 33))], perm=[1, 0])
    yield "Transpose 5-D", one("Transpose", 13, [(F, (2, 3, 4, 3, 2))], perm=[0, 3, 1, 4, 2])
    slices = [
        ("middle", [1, 1], [3, 4], [0, 1], [1, 1]), ("negative", [-3], [-1], [-1], [1]), ("backwards", [-1], [-100], [1], [-1]), ("step 2", [0, 1], [100, 100], [1, 2], [2, 3]),
        ("backwards by 2", [100], [0], [2], [-2]), ("empty", [3], [1], [0], [1]), ("beyond", [-100], [100], [0], [1]),
    ]
    for label, starts, ends, axes, steps in slices:
        for type_name in (F, I64, B):
            yield f"Slice {label} {type_name}", one("Slice", 13, [(type_name, (5, 6, 7))], [ints(*starts), ints(*ends), ints(*axes), ints(*steps)])
    yield "Slice-1", one("Slice", 9, [(F, (5, 6, 7))], starts=[1, -3], ends=[4, 100], axes=[0, 2])
    for axis in (0, 1, -1):
        dims = [[3, 4, 5] for _ in range(3)]
        for i, d in enumerate(dims):
            d[axis] = i + 1
        yield f"Concat axis {axis}", one("Concat", 13, [(F, tuple(d)) for d in dims], axis=axis)
        yield f"Split axis {axis}", one("Split", 13, [(F, (6, 6, 6))], [ints(1, 3, 2)], outputs=3, axis=axis)
    yield "Split-11", one("Split", 11, [(F, (6, 7))], outputs=2, axis=1, split=[3, 4])
    yield "Split evenly", one("Split", 13, [(F, (6, 8))], outputs=4, axis=-1)
    yield "Split-18 unevenly", one("Split", 18, [(F, (7, 3))], outputs=3, axis=0, num_outputs=3)
    yield "Concat with an empty part", one("Concat", 13, [(F, (2, 3)), (F, (0, 3)), (F, (1, 3))], axis=0)
    for axis in (0, 1, -1):
        for indices in (np.array([2, 0, -1]), np.array([[0, 1], [-2, 3]]), np.array(1)):
            yield f"Gather axis {axis} indices {indices.shape}", one("Gather", 13, [(F, (5, 6, 7))], [indices.astype(np.int64)], axis=axis)
            yield f"Gather axis {axis} indices {indices.shape} int32", one("Gather", 13, [(I64, (5, 6, 7))], [indices.astype(np.int32)], axis=axis)
    yield "GatherElements", one("GatherElements", 13, [(F, (3, 4))], [np.array([[2, -1, 0, 1], [0, 0, 2, 2]], np.int64)], axis=0)
    yield "GatherND", one("GatherND", 13, [(F, (3, 4, 5))], [ints(0, 1, 2, -1).reshape(2, 2)])
    yield "GatherND batch", one("GatherND", 13, [(F, (2, 4, 5))], [ints(1, -1).reshape(2, 1)], batch_dims=1)
    yield "ScatterND", one("ScatterND", 16, [(F, (4, 5))], [ints(1, 3).reshape(2, 1), weights(2, 5)])
    yield "ScatterND add", one("ScatterND", 16, [(F, (4, 5))], [ints(1, 1).reshape(2, 1), weights(2, 5)], reduction="add")
    yield "ScatterElements", one("ScatterElements", 16, [(F, (3, 5))], [np.array([[1, -1]], np.int64), weights(1, 2)], axis=1)
    yield "Expand", one("Expand", 13, [(F, (3, 1, 5))], [ints(2, 1, 4, 1)])
    yield "Tile", one("Tile", 13, [(F, (2, 3))], [ints(3, 2)])
    yield "Tile int64", one("Tile", 13, [(I64, (2, 3, 1))], [ints(1, 2, 5)])
    yield "Reshape 0 and -1", one("Reshape", 14, [(F, (3, 4, 5))], [ints(0, -1)])
    yield "Reshape allowzero", one("Reshape", 14, [(F, (0, 4))], [ints(4, 0)], allowzero=1)
    for axis in (0, 1, 2, -1, 3):
        yield f"Flatten axis {axis}", one("Flatten", 13, [(F, (3, 4, 5))], axis=axis)
    yield "Squeeze-13", one("Squeeze", 13, [(F, (1, 3, 1, 4))], [ints(0, -2)])
    yield "Squeeze all", one("Squeeze", 13, [(F, (1, 3, 1, 4))])
    yield "Squeeze-11", one("Squeeze", 11, [(F, (1, 3, 1, 4))], axes=[2])
    yield "Unsqueeze-13", one("Unsqueeze", 13, [(F, (3, 4))], [ints(0, -1)])
    yield "Unsqueeze-11", one("Unsqueeze", 11, [(F, (3, 4))], axes=[1, 3])
    pads = ints(1, 0, 2, 1, 0, 2, 0, 1)
    for mode in ("constant", "reflect", "edge"):
        for type_name in (F, I64) if mode == "constant" else (F,):
            yield f"Pad {mode} {type_name}", one("Pad", 13, [(type_name, (3, 4, 5, 6))], [pads] + ([np.array(3, type_name)] if mode == "constant" else []), mode=mode)
    yield "Pad negative", one("Pad", 13, [(F, (5, 6))], [ints(-1, 2, 1, -2)])
    yield "Pad axes", one("Pad", 18, [(F, (3, 4, 5))], [ints(1, 2), None, ints(-1)])
    yield "Pad wrap", one("Pad", 19, [(F, (3, 4))], [ints(1, 2, 2, 3)], mode="wrap")
    yield "Pad-2", one("Pad", 10, [(F, (3, 4))], pads=[1, 0, 0, 2], value=1.5)
    for op, mode in (("DepthToSpace", "DCR"), ("DepthToSpace", "CRD"), ("SpaceToDepth", None)):
        attributes = {} if mode is None else dict(mode=mode)
        yield f"{op} {mode}", one(op, 13, [(F, (2, 12, 4, 6))], blocksize=2, **attributes)
    yield "Shape slice", one("Shape", 15, [(F, (3, 4, 5))], start=1, end=-1)
    yield "Size", one("Size", 13, [(F, (3, 4, 5))])
    yield "NonZero", one("NonZero", 13, [(B, (3, 4, 2))])
    yield "OneHot", one("OneHot", 11, [(I64, (3, 2))], [np.array(4, np.int64), np.array([-1, 2], np.float32)], axis=1)
    yield "Trilu", one("Trilu", 14, [(F, (2, 4, 5))], [np.array(1, np.int64)], upper=0)


def resizes():
    x = [(F, (2, 3, 5, 7))]
    no_roi = np.array([], np.float32)
    for mode, transform in itertools.product(("nearest", "linear", "cubic"), ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")):
        roundings = ("round_prefer_floor", "floor", "ceil", "round_prefer_ceil") if mode == "nearest" else (None,)
        for rounding in roundings:
            attributes = dict(mode=mode, coordinate_transformation_mode=transform, **({} if rounding is None else dict(nearest_mode=rounding)))
            # With align_corners onnxruntime rounds the output size before it computes positions; the standard's own
            # cases (test_resize_downsample_scales_*_align_corners), which Kinglet passes, do not.
            for scales in ((1, 1, 2, 2), (1, 1, 1.7, 0.6))[: 1 if transform == "align_corners" else 2]:
                yield f"Resize {mode} {transform} {rounding} scales {scales}", one("Resize", 13, x, [None, np.array(scales, np.float32)], **attributes)
            for sizes in ((2, 3, 9, 4), (2, 3, 9, 5)):
                yield f"Resize {mode} {transform} {rounding} sizes {sizes}", one("Resize", 13, x, [None, None, ints(*sizes)], **attributes)
    for mode in ("nearest", "linear"):
        yield f"Resize-10 {mode}", one("Resize", 10, x, [np.array([1, 1, 2, 3], np.float32)], mode=mode)
        yield f"Resize-11 {mode}", one("Resize", 11, x, [no_roi, np.array([1, 1, 2, 3], np.float32)], mode=mode)
        yield f"Upsample-9 {mode}", one("Upsample", 9, x, [np.array([1, 1, 2, 3], np.float32)], mode=mode)
        yield f"Upsample-7 {mode}", one("Upsample", 7, x, mode=mode, scales=[1.0, 1.0, 2.0, 3.0])
        yield f"Resize-18 axes {mode}", one("Resize", 18, x, [None, np.array([2, 3], np.float32)], mode=mode, axes=[2, 3])
        yield f"Resize channels-last {mode}", one("Resize", 13, [(F, (1, 5, 6, 3))], [None, np.array([1, 2, 2, 1], np.float32)], mode=mode, coordinate_transformation_mode="asymmetric")
    yield "Resize antialias", one("Resize", 18, [(F, (1, 2, 12, 12))], [None, np.array([1, 1, 0.4, 0.6], np.float32)], mode="linear", antialias=1)


def recurrences():
    def recurrent(op, gates, direction, opset, outputs, extras, **attributes):
        directions = 2 if direction == "bidirectional" else 1
        size, hidden, sequence, batch = 5, 7, 6, 3
        constants = [weights(directions, gates * hidden, size), weights(directions, gates * hidden, hidden, seed=4)]
        if extras:
            constants.append(weights(directions, 2 * gates * hidden, seed=5))
            constants.append(np.array([6, 3, 5], np.int32))
            constants.append(weights(directions, batch, hidden, seed=6))
            if op == "LSTM":
                constants.append(weights(directions, batch, hidden, seed=7))
                constants.append(weights(directions, 3 * hidden, seed=8))
        return one(op, opset, [(F, (sequence, batch, size))], constants, outputs=outputs, hidden_size=hidden, direction=direction, **attributes)

    for direction, extras in itertools.product(("forward", "reverse", "bidirectional"), (False, True)):
        label = f"{direction}{', all inputs' if extras else ''}"
        yield f"LSTM {label}", recurrent("LSTM", 4, direction, 14, 3, extras)
        for before in (0, 1):
            yield f"GRU {label}, reset {before}", recurrent("GRU", 3, direction, 14, 2, extras, linear_before_reset=before)
        yield f"RNN {label}", recurrent("RNN", 1, direction, 14, 2, extras)
    yield "LSTM clipped", recurrent("LSTM", 4, "forward", 7, 3, True, clip=0.2)
    yield "LSTM activations", recurrent("LSTM", 4, "forward", 7, 3, False, activations=["HardSigmoid", "Relu", "Tanh"])


FAMILIES = (convolutions, transposed_convolutions, pools, matrix_products, elementwise, reductions, normalisations, movement, resizes, recurrences)


def operator_models():
    """[(name, build)] of every model."""
    return [row for family in FAMILIES for row in family()]
