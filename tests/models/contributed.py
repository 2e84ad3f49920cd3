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


def low_bits():
    for kind, block, (n, k), rows in itertools.product((0, 1), (16, 64, 256), ((9, 70), (32, 256), (5, 33)), (1, 3, 20)):
        weights, maxima = codes(-(-n * k // 2), "uint8"), np.abs(floats(-(-n * k // block)))
        yield f"MatMulBnb4 {('FP4', 'NF4')[kind]}, blocks of {block}, {rows}x{k}x{n}", contrib(
            "MatMulBnb4", [(F, (rows, k)), weights, maxima], F, K=k, N=n, block_size=block, quant_type=kind)
    yield "MatMulBnb4 batches", contrib("MatMulBnb4", [(F, (2, 3, 32)), codes(128, "uint8"), np.abs(floats(16))], F, K=32, N=8, block_size=16, quant_type=1)


FAMILIES = (recurrences, quantized_transformers, decoders, experts, low_bits)


def contributed_models():
    """[(name, build)] or [(name, build, codes that results may differ by)] of every model."""
    return [row for family in FAMILIES for row in family()]
