"""One-operator models of com.microsoft's operators, over attributes, optional inputs and shapes."""

import itertools

import numpy as np

from builder import GraphBuilder
from quantized import MICROSOFT, codes, contrib, rng, scalar, scales, zero

F = "float32"


def floats(*dims, seed=9, deviation=1.0):
    return (rng(seed).standard_normal(dims) * deviation).astype(np.float32)


def recurrences():
    def lstm(label, type_name="int8", direction="forward", by_column=False, extras=False, fed=False, sequence=6, batch=1, size=5, hidden=7, **attributes):
        directions = 2 if direction == "bidirectional" else 1
        gates = 4 * hidden
        weights = [codes((directions, n, gates), type_name, seed) for n, seed in ((size, 1), (hidden, 2))]
        dims = (directions, gates) if by_column else (directions,)
        zeros = np.full(dims, 0 if type_name == "int8" else 131, type_name)
        if fed:
            weights = [(type_name, w.shape) for w in weights]
        bias = lengths = h = c = peepholes = None
        if extras:
            bias = floats(directions, 2 * gates, deviation=0.3)
            lengths = np.array([sequence, sequence - 3, sequence - 1][:batch], np.int32)
            h, c = floats(directions, batch, hidden, seed=3), floats(directions, batch, hidden, seed=4)
            peepholes = floats(directions, 3 * hidden, seed=5, deviation=0.2)
        inputs = [(F, (sequence, batch, size)), *weights, bias, lengths, h, c, peepholes, scales(dims, 5), zeros, scales(dims, 6), zeros]
        return f"DynamicQuantizeLSTM {label}", contrib("DynamicQuantizeLSTM", inputs, F, outputs=3, hidden_size=hidden, direction=direction, **attributes)

    for direction, type_name, by_column in itertools.product(("forward", "reverse", "bidirectional"), ("int8", "uint8"), (False, True)):
        yield lstm(f"{direction} {type_name}{', scales of columns' if by_column else ''}", type_name, direction, by_column)
    for direction in ("forward", "reverse", "bidirectional"):
        yield lstm(f"{direction}, all inputs", direction=direction, extras=True)
    yield lstm("batch of sequences", extras=True, batch=3)
    yield lstm("batch of whole sequences, both ways", direction="bidirectional", batch=5)
    yield lstm("fed weights", fed=True, type_name="uint8", batch=2)
    yield lstm("whole vectors", size=32, hidden=24, sequence=20, direction="bidirectional")
    yield lstm("clipped", clip=0.3, extras=True)
    yield lstm("activations", activations=["HardSigmoid", "Relu", "Tanh"])
    yield lstm("input_forget", input_forget=1, batch=3)


def quantized_transformers():
    batch, rows, depth, heads, size = 2, 4, 10, 3, 8
    hidden = heads * size

    def attention(label, type_name="int8", by_column=False, mask=None, past=False, fed=False, outputs=1, zero_points=True, **attributes):
        shape = 3 * hidden if by_column else ()
        weights = (type_name, (depth, 3 * hidden)) if fed else codes((depth, 3 * hidden), type_name)
        zeros = [scalar(130, "uint8"), codes(shape, type_name, 8) if by_column else zero(type_name)] if zero_points else [None, None]
        cache = (F, (2, batch, heads, 5, size)) if past else None
        inputs = [("uint8", (batch, rows, depth)), weights, floats(3 * hidden), scalar(0.02), scales(shape), mask, *zeros, cache]
        while inputs[-1] is None:
            inputs.pop()
        return f"QAttention {label}", contrib("QAttention", inputs, F, outputs=outputs, num_heads=heads, **attributes)

    masks = {"of keys": np.array([[1, 1, 0, 0], [0, 1, 1, 1]], np.int32), "lengths": np.array([2, 4], np.int32), "ends and begins": np.array([3, 4, 1, 0], np.int32),
             "of queries": np.tri(4, dtype=np.int32)[None].repeat(2, 0)}
    for type_name, by_column, fed in itertools.product(("int8", "uint8"), (False, True), (False, True)):
        yield attention(f"{type_name}{', by column' if by_column else ''}{', fed weights' if fed else ''}", type_name, by_column, fed=fed)
    for causal in (0, 1):
        yield attention(f"past {causal}", past=True, outputs=2, unidirectional=causal)
        yield attention(f"present {causal}", outputs=2, unidirectional=causal)
    for label, mask in masks.items():
        yield attention(f"mask {label}", mask=mask)
    yield attention("without zero points", zero_points=False)

    ids, mask = np.array([[1, 4, 0], [3, 3, 2]], np.int32), np.array([[1, 1, 0], [1, 1, 1]], np.int32)

    def embedded(type_name, segments):
        def build():
            g = GraphBuilder("QEmbedLayerNormalization", 17, 7)
            tables = [codes(dims, type_name, seed) for seed, dims in enumerate(((9, 16), (4, 16), (2, 16), 16, 16))]
            own_scales, zeros = [scalar(0.01 + 0.004 * i) for i in range(5)], [zero(type_name, i) for i in range(5)]
            if not segments:
                tables[2] = own_scales[2] = zeros[2] = None
            inputs = [ids, ids % 2 if segments else None, *tables, mask, *own_scales, *zeros]
            sums, counts = g.op("QEmbedLayerNormalization", *inputs, outputs=2, domain=MICROSOFT, epsilon=1e-5)
            g.output(g.op("Add", sums, g.input("x0", F, (2, 3, 16))), "y0", F)
            g.output(counts, "y1", "int32")
            return g

        return f"QEmbedLayerNormalization {type_name}{'' if segments else ' without segments'}", build

    for type_name, segments in itertools.product(("int8", "uint8"), (True, False)):
        yield embedded(type_name, segments)


def decoders():
    batch, heads, size, room = 2, 3, 8, 9
    hidden = heads * size
    token, cache, crossed = (F, (batch, 1, hidden)), (F, (batch, heads, room, size)), (F, (batch, heads, 5, size))

    def decoder(label, q, k, v, outputs=3, mask=None, bias=None, past=None, projection=None, **attributes):
        length = None if past is None else np.array([past], np.int32)
        caches = [None, None] if past is None else [cache, cache]
        inputs = [q, k, v, mask, bias, *caches, length, None, None, projection]
        while inputs[-1] is None:
            inputs.pop()
        shares = {} if past is None else dict(past_present_share_buffer=1)
        return f"DecoderMaskedMultiHeadAttention {label}", contrib("DecoderMaskedMultiHeadAttention", inputs, F, outputs=outputs, num_heads=heads, **shares, **attributes)

    for past in (4, 8):  # onnxruntime-web fails with an empty cache
        yield decoder(f"after {past}", token, token, token, past=past)
    yield decoder("projection's bias", token, token, token, past=4, projection=floats(3 * hidden))
    yield decoder("mask", token, token, token, past=4, mask=np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 1]], np.int32))
    yield decoder("attention bias", token, token, token, past=4, bias=(F, (1, heads, 1, 5)))
    yield decoder("scale", token, token, token, past=4, scale=0.7)
    yield decoder("products", token, token, token, outputs=4, past=4, output_qk=1)
    yield decoder("crossed", token, crossed, crossed, outputs=1)
    yield decoder("crossed, projection's bias", token, crossed, crossed, outputs=1, projection=floats(3 * hidden))
    yield decoder("crossed, mask", token, crossed, crossed, outputs=1, mask=np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 1]], np.int32))


def experts():
    def moe(label, activation="relu", k=2, hidden=8, inner=12, experts=4, tokens=(5,), bias=True, fed=False, **attributes):
        outer = 2 * inner if activation == "swiglu" else inner
        weights = [floats(experts, outer, hidden, deviation=0.3), floats(experts, hidden, inner, seed=5, deviation=0.3)]
        biases = [floats(experts, outer), floats(experts, hidden, seed=6)] if bias else [None, None]
        if fed:
            weights = [(F, w.shape) for w in weights]
        inputs = [(F, (*tokens, hidden)), (F, (int(np.prod(tokens)), experts)), weights[0], biases[0], weights[1], biases[1]]
        while inputs[-1] is None:
            inputs.pop()
        return f"MoE {label}", contrib("MoE", inputs, F, k=k, activation_type=activation, **attributes)

    for activation in ("relu", "gelu", "silu", "identity"):
        yield moe(activation, activation)
    for k in (1, 3, 4):
        for normalize in (0, 1):
            yield moe(f"{k} experts{', normalized' if normalize else ''}", k=k, normalize_routing_weights=normalize)
    yield moe("without biases", bias=False)
    yield moe("fed weights", fed=True)
    yield moe("a batch of sequences", "silu", tokens=(2, 3))
    yield moe("many tokens", "gelu", tokens=(100,), hidden=40, inner=72)
    yield moe("swiglu", "swiglu", swiglu_fusion=1)
    yield moe("swiglu with parameters", "swiglu", swiglu_fusion=1, activation_alpha=1.702, activation_beta=1.0, swiglu_limit=0.4)

    def quantized(label, bits, block, zero_points=False, activation="relu", k=2, hidden=64, inner=96, experts=3, tokens=(5,), router=False, bias=True, **attributes):
        outer = 2 * inner if activation == "swiglu" else inner
        pack = 8 // bits
        layers = []
        for rows, depth, seed in ((outer, hidden, 1), (hidden, inner, 2)):
            blocks = 1 if block is None else -(-depth // block)
            zero_dims = (experts, rows, -(-blocks // pack)) if blocks > 1 else (experts, -(-rows // pack))
            layers.append((codes((experts, rows, depth // pack), "uint8", seed), np.abs(floats(experts, rows, *(() if block is None else (blocks,)), seed=seed, deviation=0.01 if bits == 8 else 0.05)),
                           floats(experts, rows, seed=seed) if bias else None, codes(zero_dims, "uint8", seed + 5) if zero_points else None))
        (w1, s1, b1, z1), (w2, s2, b2, z2) = layers
        count = int(np.prod(tokens))
        inputs = [(F, (*tokens, hidden)), (F, (count, experts)), w1, s1, b1, w2, s2, b2, None, None, None, z1, z2, None, np.abs(floats(count, experts)) if router else None]
        while inputs[-1] is None:
            inputs.pop()
        sizes = {} if block is None else dict(block_size=block)
        return f"QMoE {label}", contrib("QMoE", inputs, F, k=k, activation_type=activation, expert_weight_bits=bits, **sizes, **attributes)

    for bits, block, zero_points in itertools.product((2, 4, 8), (None, 16, 32), (False, True)):
        yield quantized(f"{bits} bits, {'rows' if block is None else f'blocks of {block}'}{', zero points' if zero_points else ''}", bits, block, zero_points)
    for activation in ("gelu", "silu", "identity"):
        yield quantized(activation, 4, None, activation=activation)
    yield quantized("swiglu", 4, 32, activation="swiglu", swiglu_fusion=1, activation_alpha=1.702, activation_beta=1.0, swiglu_limit=7.0)
    yield quantized("normalized", 4, None, normalize_routing_weights=1)
    yield quantized("without biases", 8, None, bias=False, tokens=(2, 4))
    for normalize in (0, 1):
        yield quantized(f"router weights {normalize}", 4, None, router=True, normalize_routing_weights=normalize)


def rotations():
    cos, sin = floats(16, 8), floats(16, 8, seed=6)
    positions = rng(3).integers(0, 16, (3, 2, 5))
    for interleaved, (layout, sections) in itertools.product((0, 1), ((0, [2, 3, 3]), (0, [8, 0, 0]), (1, [4, 2, 2]), (1, [2, 3, 3]))):
        common = dict(interleaved=interleaved, mrope_layout=layout, mrope_section=sections)
        label = f"{interleaved} {layout} {sections}"
        yield f"MRotaryEmbedding {label}", contrib("MRotaryEmbedding", [(F, (2, 5, 48)), positions, cos, sin], F, num_heads=3, **common)
        yield f"MRotaryEmbedding by head {label}", contrib("MRotaryEmbedding", [(F, (2, 3, 5, 16)), positions, cos, sin], F, scale=0.5, **common)
    for dims in ((2, 3, 17), (5, 4), (1,)):
        yield f"GatedAdd {dims}", contrib("GatedAdd", [(F, dims), (F, dims), (F, (*dims[:-1], 1))], F)
    yield "MRotaryEmbedding of a part", contrib("MRotaryEmbedding", [(F, (2, 5, 72)), positions, cos, sin], F, num_heads=3, rotary_embedding_dim=16, mrope_section=[2, 2, 4])


def low_bits():
    for kind, block, (n, k), rows in itertools.product((0, 1), (16, 64, 256), ((9, 70), (32, 256), (5, 33)), (1, 3, 20)):
        weights, maxima = codes(-(-n * k // 2), "uint8"), np.abs(floats(-(-n * k // block)))
        yield f"MatMulBnb4 {('FP4', 'NF4')[kind]}, blocks of {block}, {rows}x{k}x{n}", contrib(
            "MatMulBnb4", [(F, (rows, k)), weights, maxima], F, K=k, N=n, block_size=block, quant_type=kind)
    yield "MatMulBnb4 batches", contrib("MatMulBnb4", [(F, (2, 3, 32)), codes(128, "uint8"), np.abs(floats(16))], F, K=32, N=8, block_size=16, quant_type=1)


def of_types(op, inputs, types, **attributes):
    """One model whose outputs have these types."""

    def build():
        g = GraphBuilder(op, 17, 7)
        names = [g.input(f"x{i}", *x) if isinstance(x, tuple) else x for i, x in enumerate(inputs)]
        results = g.op(op, *names, outputs=len(types), domain=MICROSOFT, **attributes)
        for i, (value, type_name) in enumerate(zip([results] if len(types) == 1 else results, types)):
            g.output(value, f"y{i}", type_name)
        return g

    return build


def ints(*numbers):
    return np.array(numbers, np.int64)


def movement():
    x = (F, (2, 3, 4))
    for upper, k in itertools.product((0, 1), (None, -1, 2)):
        yield f"Trilu {upper} {k}", contrib("Trilu", [x] + ([] if k is None else [np.array(k, np.int64)]), F, upper=upper)
    for axis in (0, 2, 3, -1, -3):
        yield f"ExpandDims {axis}", contrib("ExpandDims", [x, np.array(axis, np.int32)], F)
    for mode in ("constant", "reflect", "edge"):
        yield f"Pad {mode}", contrib("Pad", [x, ints(0, 1, 2, 0, 1, 0)], F, mode=mode)
    yield "Pad with a value, less", contrib("Pad", [x, ints(0, -1, 2, 0, 1, -1), np.array([0.5], np.float32)], F)
    yield "Pad of a row", contrib("Pad", [x, ints(0, 1, 2, 0, 1, 0).reshape(1, 6)], F)
    for bounds in ((0, 5), (1, 8, 3), (7, 1, -2)):
        for type_name in (F, "float64", "int64", "int32"):
            yield f"Range {bounds} {type_name}", of_types("Range", [np.array(v, type_name) for v in bounds], [type_name])
    yield "GatherND", contrib("GatherND", [x, ints(0, 1, 1, 2).reshape(2, 2)], F)
    yield "GatherND of elements", contrib("GatherND", [x, ints(0, 1, 3, 1, 2, 0).reshape(2, 1, 3)], F)
    yield "Unique", of_types("Unique", [np.array([2, 1, 1, 3, 4, 3, 2], np.float32)], [F, "int64", "int64"])
    for dim, size, step in ((-1, 3, 1), (1, 2, 2), (0, 2, 1), (2, 4, 3)):
        yield f"UnfoldTensor {dim} {size} {step}", contrib("UnfoldTensor", [(F, (2, 5, 7))], F, dim=dim, size=size, step=step)
        yield f"UnfoldTensor {dim} {size} {step} int64", contrib("UnfoldTensor", [("int64", (2, 5, 7))], "int64", dim=dim, size=size, step=step)


def numbers():
    yield "Inverse", contrib("Inverse", [(F, (2, 3, 5, 5))], F)
    yield "Inverse of a matrix", contrib("Inverse", [("float64", (7, 7))], "float64")
    for metric, type_name in itertools.product(("euclidean", "sqeuclidean"), (F, "float64")):
        yield f"CDist {metric} {type_name}", contrib("CDist", [(type_name, (7, 5)), (type_name, (4, 5))], type_name, metric=metric)
    yield "CDist metric left out", contrib("CDist", [(F, (33, 20)), (F, (9, 20))], F)
    for dims in ((6, 9), (9, 6), (1, 5, 7), (1, 1)):
        yield f"DynamicTimeWarping {dims}", of_types("DynamicTimeWarping", [(F, dims)], ["int32"])
    for seed, positive in itertools.product((0, 42), (0, 1)):
        yield f"MurmurHash3 {seed} {positive}", murmur(np.array([0, 1, -7, 2**31 - 1], np.int32), seed, positive)
        yield f"MurmurHash3 of int64 {seed} {positive}", murmur(np.array([0, 1, -7, 2**40], np.int64), seed, positive)
        yield f"MurmurHash3 of floats {seed} {positive}", murmur(np.array([0, 1.5, -7], np.float32), seed, positive)
        yield f"MurmurHash3 of words {seed} {positive}", murmur(np.array(["", "a", "word", "longer", "bytes: \u00e4", "abcdefg"], object), seed, positive)


def murmur(keys, seed, positive):
    def build():
        g = GraphBuilder("MurmurHash3", 17, 7)
        hashes = g.op("MurmurHash3", g.op("Identity", keys), domain=MICROSOFT, seed=seed, positive=positive)
        g.output(g.op("Cast", hashes, to=7) if positive else hashes, "y0", "int64" if positive else "int32")
        return g

    return build


def pictures():
    grid = (F, (2, 3, 5, 2))
    for mode, padding, corners in itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (0, 1)):
        yield f"GridSample {mode} {padding} {corners}", contrib("GridSample", [(F, (2, 3, 6, 7)), grid], F, mode=mode, padding_mode=padding, align_corners=corners)
    boxes = np.array([[0, 0, 1, 1], [0.2, 0.3, 0.7, 0.9], [-0.2, 0.1, 0.5, 1.3], [0.9, 0.8, 0.1, 0.2]], np.float32)
    for mode, size in itertools.product(("bilinear", "nearest"), ((4, 5), (1, 3), (9, 1))):
        yield f"CropAndResize {mode} {size}", contrib("CropAndResize", [(F, (2, 3, 8, 7)), boxes, np.array([0, 1, 1, 0], np.int32), np.array(size, np.int32)], F, mode=mode, extrapolation_value=0.5)
    for spatial, attributes in (((9,), dict(kernel_shape=[3], strides=[2], pads=[1, 1])), ((8, 7), dict(kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])),
                                ((8, 7), dict(kernel_shape=[2, 2])), ((5, 4, 6), dict(kernel_shape=[2, 3, 2], strides=[1, 2, 2]))):
        mask = (rng(3).random((1, 1, *spatial)) < 0.8).astype(np.int32)
        yield f"MaxpoolWithMask {attributes}", contrib("MaxpoolWithMask", [(F, (2, 3, *spatial)), mask], F, **attributes)
    weights = floats(4, 3, 3, 2, deviation=0.3)
    for label, bias in (("", []), (" bias", [floats(3)])):
        yield f"ConvTransposeWithDynamicPads{label}", contrib("ConvTransposeWithDynamicPads", [(F, (2, 4, 5, 6)), weights, ints(1, 0, 1, 1), *bias], F, strides=[2, 2], output_padding=[1, 0])
    yield "ConvTransposeWithDynamicPads groups", contrib("ConvTransposeWithDynamicPads", [(F, (1, 4, 5)), floats(4, 2, 3), ints(1, 1), floats(4)], F, group=2, dilations=[2])


def texts():
    tokens = ints(1, 2, 3, 1, 2, 4, 1, 2, 0, 1, 0, 1).reshape(2, 6)
    for size in (1, 2, 3, 7, 9):
        yield f"NGramRepeatBlock {size}", contrib("NGramRepeatBlock", [tokens, (F, (2, 6))], F, ngram_size=size)
    source = ints(5, 6, 7, 8, 9, 6, 7, 3)

    def detector(label, current, start, predicted, least=1, most=3):
        inputs = [source, ints(*current), np.array([start], np.int64)] + ([] if predicted is None else [ints(*predicted)])
        return f"BifurcationDetector {label}", of_types("BifurcationDetector", inputs, ["int64", "int64"], min_ngram_size=least, max_ngram_size=most)

    yield detector("of all", [5], 1, [6, 7, 8, 9, 6, 7, 3, 0])
    yield detector("of none", [5], 6, [1, 1, 1])
    yield detector("of some", [5], 3, [8, 9, 0, 7, 3, 1])
    yield detector("twice in the source", [5], 4, [9, 6, 7, 0, 0])
    yield detector("long runs", [5, 6, 7], 3, [8, 1, 1, 1, 1, 1], 2, 9)
    yield detector("nothing predicted", [5, 6, 7], 0, None)
    yield detector("no run so long", [7], 0, None, 4, 5)
    words = np.array([[1, 2, 3, 0, 0, 0], [4, 4, 4, 4, 4, 4], [3, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 0]], np.int32)
    for window in (1, 2, 5):
        yield f"WordConvEmbedding {window}", contrib("WordConvEmbedding", [words, floats(4, 1, window, 5), floats(4), floats(10, 5)], F)
    yield "WordConvEmbedding with sizes", contrib("WordConvEmbedding", [words, floats(40, 1, 3, 16), floats(40), floats(10, 16)], F, embedding_size=40, conv_window_size=3, char_embedding_size=16)


def legacy():
    """Operators that ONNX had for a while, and onnxruntime has still."""

    def old(op, opset, *inputs, **attributes):
        def build():
            g = GraphBuilder(op, opset, 7)
            names = [g.input(f"x{i}", *x) if isinstance(x, tuple) else x for i, x in enumerate(inputs)]
            # The checker does not know the operator: a node of another domain keeps it away.
            g.output(g.op("QuickGelu", g.op(op, *names, **attributes), domain=MICROSOFT), "y0", F)
            return g

        return f"{op}-{opset} {attributes}", build

    x, image = (F, (2, 3, 4)), (F, (2, 3, 6, 7))
    for opset in (1, 7, 8):
        yield old("Affine", opset, x, alpha=2.0, beta=-0.5)
        yield old("Scale", opset, x, scale=1.5)
        yield old("ScaledTanh", opset, x, alpha=2.0, beta=0.5)
        yield old("ParametricSoftplus", opset, x, alpha=2.0, beta=0.5)
        yield old("ImageScaler", opset, image, scale=2.0, bias=[0.1, -0.2, 0.3])
        yield old("Crop", opset, image, border=[1, 2, 3, 1])
        yield old("Crop", opset, image, border=[1, 2, 3, 1], scale=[2, 3])
        yield old("DynamicSlice", opset, x, ints(1, 0), ints(2, 2), ints(0, 2))
        yield old("DynamicSlice", opset, x, ints(0, 1, -2), ints(9, -1, 4))
        for channels, variance in itertools.product((0, 1), repeat=2):
            yield old("MeanVarianceNormalization", opset, image, across_channels=channels, normalize_variance=variance)
        yield old("ThresholdedRelu", opset, x, alpha=0.3)
    for opset in (1, 8, 17):
        yield old("LayerNormalization", opset, x, floats(4), floats(4, seed=3), epsilon=1e-4)
        yield old("SimplifiedLayerNormalization", opset, x, floats(4), epsilon=1e-4)
    yield old("ThresholdedRelu", 9, x, alpha=0.3)


FAMILIES = (movement, numbers, pictures, texts, recurrences, quantized_transformers, decoders, experts, rotations, low_bits, legacy)


def contributed_models():
    """[(name, build)] or [(name, build, codes that results may differ by)] of every model."""
    return [row for family in FAMILIES for row in family()]
