"""One-operator models of attention, its normalisations and 4-bit products over shapes and attributes.

The operators of com.microsoft are in the forms that exporters and onnxruntime's own optimizer write.
"""

import itertools

import numpy as np

from builder import GraphBuilder
from quantized import MICROSOFT, one

F = "float32"


def values(*dims, seed=5, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(dims) * scale).astype(np.float32)


def codes(*dims, seed=5):
    return np.random.default_rng(seed).integers(0, 256, dims).astype(np.uint8)


def i32(*numbers):
    return np.array(numbers, np.int32)


def contrib(op, inputs, outputs=1, **attributes):
    return one(op, 17, inputs, F, MICROSOFT, outputs, **attributes)


def simplified(gamma):
    """The operator stands in the ONNX domain, whose checker does not know it: a second node keeps the checker away."""

    def build():
        g = GraphBuilder("SimplifiedLayerNormalization", 17, 7)
        y = g.op("SimplifiedLayerNormalization", g.input("x0", F, (2, 5, 24)), gamma, axis=-1, epsilon=1e-4, stash_type=1)
        g.output(g.op("FastGelu", y, domain=MICROSOFT), "y0", F)
        return g

    return build


def embedded(inputs):
    """Its second output is int32."""

    def build():
        g = GraphBuilder("EmbedLayerNormalization", 17, 7)
        sums, counts = g.op("EmbedLayerNormalization", *inputs, outputs=2, domain=MICROSOFT, epsilon=1e-5)
        g.output(g.op("Add", sums, g.input("x0", F, (2, 3, 16))), "y0", F)
        g.output(counts, "y1", "int32")
        return g

    return build


def normalisations():
    x, skip, gamma, beta, bias = (F, (2, 5, 24)), (F, (2, 5, 24)), values(24), values(24, seed=6), values(24, seed=7)
    yield "SkipLayerNormalization", contrib("SkipLayerNormalization", [x, skip, gamma, beta, bias], epsilon=1e-5)
    yield "SkipLayerNormalization without beta", contrib("SkipLayerNormalization", [x, skip, gamma])
    yield "SkipLayerNormalization, skip of one batch", contrib("SkipLayerNormalization", [x, (F, (1, 5, 24)), gamma, beta])
    yield "SkipSimplifiedLayerNormalization", contrib("SkipSimplifiedLayerNormalization", [x, skip, gamma, bias], epsilon=1e-4)
    yield "SkipSimplifiedLayerNormalization of tokens", contrib("SkipSimplifiedLayerNormalization", [(F, (5, 24)), (F, (5, 24)), gamma])
    yield "SimplifiedLayerNormalization", simplified(gamma)
    ids, mask = np.array([[1, 4, 0], [3, 3, 2]], np.int32), np.array([[1, 1, 0], [1, 1, 1]], np.int32)
    tables = [values(9, 16), values(4, 16, seed=6), values(2, 16, seed=7), values(16), values(16, seed=8)]
    for label, segments, table in (("with", ids % 2, tables[2]), ("without", None, None)):
        inputs = [ids, segments, tables[0], tables[1], table, *tables[3:], mask]
        yield f"EmbedLayerNormalization {label} segments", embedded(inputs)


def activations():
    x = (F, (3, 4, 17))
    for op in ("Gelu", "QuickGelu", "FastGelu"):
        yield op, contrib(op, [x])
    yield "QuickGelu alpha", contrib("QuickGelu", [x], alpha=0.6)
    for op in ("BiasGelu", "FastGelu"):
        yield f"{op} of a bias", contrib(op, [x, values(17)])


def products():
    for trans_a, trans_b in itertools.product((0, 1), repeat=2):
        a, b = (5, 3) if trans_a else (3, 5), (4, 5) if trans_b else (5, 4)
        for fed in (False, True):
            label = f"{trans_a}{trans_b}{' fed' if fed else ''}"
            right = (F, (2, *b)) if fed else values(2, *b)
            attributes = dict(transA=trans_a, transB=trans_b, alpha=0.5)
            yield f"FusedMatMul {label}", contrib("FusedMatMul", [(F, a), right], **attributes)
            yield f"FusedMatMul batches {label}", contrib("FusedMatMul", [(F, (3, 1, *a)), right], **attributes)
        for batch_a, batch_b in ((1, 0), (0, 1), (1, 1)):
            left = [2, 4, 3] if trans_a else [2, 3, 4]
            right = [2, 5, 4] if trans_b else [2, 4, 5]
            if batch_a:
                left.insert(len(left) - 2, left.pop(0))
            if batch_b:
                right.insert(len(right) - 2, right.pop(0))
            yield f"FusedMatMul batch dims {trans_a}{trans_b}{batch_a}{batch_b}", contrib(
                "FusedMatMul", [(F, left), (F, right)], transA=trans_a, transB=trans_b, transBatchA=batch_a, transBatchB=batch_b)
    for activation in ("Relu", "Tanh", "Sigmoid", "LeakyRelu", "HardSigmoid"):
        parameters = {"LeakyRelu": [0.3], "HardSigmoid": [0.3, 0.4]}.get(activation, [])
        named = dict(zip(("activation_alpha", "activation_beta"), parameters))
        yield f"FusedGemm {activation}", contrib("FusedGemm", [(F, (3, 5)), values(4, 5), values(4)], transB=1, activation=activation, **named)
        listed = dict(activation_params=parameters) if parameters else {}
        yield f"FusedConv {activation}", contrib("FusedConv", [(F, (1, 3, 7, 6)), values(4, 3, 3, 3), values(4)], pads=[1] * 4, activation=activation, **listed)
    yield "FusedConv with a sum", contrib("FusedConv", [(F, (1, 3, 7, 6)), values(4, 3, 3, 3), values(4), (F, (1, 4, 7, 6))], pads=[1] * 4, activation="Relu")
    for type_name in ("uint8", "int8"):
        yield f"NhwcMaxPool {type_name}", one("NhwcMaxPool", 17, [(type_name, (2, 7, 6, 5))], type_name, MICROSOFT,
                                              kernel_shape=[3, 2], strides=[2, 1], pads=[1, 1, 1, 0])


def low_bits():
    for bits, block, (n, k), rows in itertools.product((4, 8), (16, 32, 128), ((9, 70), (32, 256)), (1, 3, 20)):
        blocks = -(-k // block)
        weights, scales = codes(n, blocks, block * bits // 8), values(n, blocks, scale=0.1)
        zeros = codes(n, -(-blocks * bits // 8), seed=8)
        for label, zero in (("", None), (", zero points", zeros)):
            yield f"MatMulNBits {bits} bits, blocks of {block}, {rows}x{k}x{n}{label}", contrib(
                "MatMulNBits", [(F, (rows, k)), weights, scales, zero], K=k, N=n, bits=bits, block_size=block)
    weights, scales = codes(9, 2, 16), values(9, 2)
    yield "MatMulNBits bias", contrib("MatMulNBits", [(F, (2, 3, 64)), weights, scales, None, None, values(9)], K=64, N=9, bits=4, block_size=32)
    for label, extra in (("", []), (", zero points", [codes(10, 1, seed=8)])):
        indices = np.array([[1, 9, 3], [0, -1, 5]], np.int64)
        yield f"GatherBlockQuantized{label}", contrib("GatherBlockQuantized", [codes(10, 32), indices, values(10, 2), *extra],
                                                      bits=4, block_size=32, gather_axis=0, quantize_axis=1)


def rotary():
    cos, sin = values(16, 4), values(16, 4, seed=6)
    ids = np.array([[1, 2, 5], [7, 15, 0]], np.int64)
    for interleaved in (0, 1):
        for label, positions in (("offset", np.array([2], np.int64)), ("positions", ids)):
            yield f"RotaryEmbedding {label} {interleaved}", contrib("RotaryEmbedding", [(F, (2, 3, 24)), positions, cos, sin], interleaved=interleaved)
        yield f"RotaryEmbedding by head {interleaved}", contrib("RotaryEmbedding", [(F, (2, 4, 3, 8)), ids, cos, sin], interleaved=interleaved)
    yield "RotaryEmbedding of a part", contrib("RotaryEmbedding", [(F, (2, 3, 40)), ids, cos, sin], num_heads=2, rotary_embedding_dim=8)


def multi_head():
    def mha(*inputs, outputs=1, **attributes):
        return contrib("MultiHeadAttention", list(inputs), outputs, num_heads=heads, **attributes)

    batch, rows, keys, heads, size = 2, 4, 6, 3, 8
    hidden = heads * size
    q, k, v, same = (F, (batch, rows, hidden)), (F, (batch, keys, hidden)), (F, (batch, keys, hidden)), (F, (batch, rows, hidden))
    padding, past = np.array([[1, 1, 1, 1, 0, 0], [1, 0, 1, 1, 1, 1]], np.int32), (F, (batch, heads, 5, size))
    yield "MultiHeadAttention", mha(q, k, v)
    yield "MultiHeadAttention bias", mha(q, k, v, values(3 * hidden))
    yield "MultiHeadAttention values of another size", mha(q, k, (F, (batch, keys, heads * 5)), scale=0.4)
    yield "MultiHeadAttention causal", mha(q, same, same, unidirectional=1)
    yield "MultiHeadAttention keys by head", mha(q, (F, (batch, heads, keys, size)), (F, (batch, heads, keys, size)))
    yield "MultiHeadAttention padding", mha(q, k, v, None, padding)
    for b, h in itertools.product((1, batch), (1, heads)):
        yield f"MultiHeadAttention attention bias {b} {h}", mha(q, k, v, None, None, (F, (b, h, rows, keys)))
        yield f"MultiHeadAttention padding, attention bias {b} {h}", mha(q, k, v, None, padding, (F, (b, h, rows, keys)))
    for causal in (0, 1):
        yield f"MultiHeadAttention cache {causal}", mha(q, same, same, values(3 * hidden), None, None, past, past, outputs=3, unidirectional=causal)
        token = (F, (batch, 1, hidden))
        yield f"MultiHeadAttention one token {causal}", mha(token, token, token, None, None, None, past, past, outputs=3, unidirectional=causal)
    long = (F, (1, 150, 4 * 16))
    for causal in (0, 1):
        yield f"MultiHeadAttention long {causal}", contrib("MultiHeadAttention", [long, long, long], num_heads=4, unidirectional=causal)

    x, weights, bias = (F, (batch, rows, 10)), values(10, 3 * hidden, scale=0.3), values(3 * hidden)
    past = (F, (2, batch, heads, 5, size))

    def attention(*inputs, outputs=1, **attributes):
        return contrib("Attention", list(inputs), outputs, num_heads=heads, **attributes)

    masks = {"of keys": np.array([[1, 1, 0, 0], [0, 1, 1, 1]], np.int32), "lengths": i32(2, 4), "ends and begins": i32(3, 4, 1, 0),
             "of queries": np.tri(4, dtype=np.int32)[None].repeat(2, 0)}
    for causal in (0, 1):
        yield f"Attention {causal}", attention(x, weights, bias, unidirectional=causal)
        yield f"Attention present {causal}", attention(x, weights, bias, outputs=2, unidirectional=causal)
        yield f"Attention past {causal}", attention(x, weights, bias, None, past, outputs=2, unidirectional=causal)
    for label, mask in masks.items():
        yield f"Attention mask {label}", attention(x, weights, bias, mask)
    yield "Attention fed weights", attention(x, (F, (10, 3 * hidden)), bias, scale=0.4)
    yield "Attention sizes", attention(x, values(10, 2 * hidden + 12), values(2 * hidden + 12), qkv_hidden_sizes=[hidden, hidden, 12])
    yield "Attention bias", attention(x, weights, bias, masks["of keys"], None, (F, (1, heads, rows, rows)))


def grouped():
    heads, kv_heads, size = 4, 2, 16
    cos, sin = values(64, size // 2), values(64, size // 2, seed=6)

    def gqa(rows, past, lengths, packed=False, rotates=False, bias=None, outputs=3, **attributes):
        batch = len(lengths)
        q = (F, (batch, rows, (heads + 2 * kv_heads if packed else heads) * size))
        kv = None if packed else (F, (batch, rows, kv_heads * size))
        cache = None if past is None else (F, (batch, kv_heads, past, size))
        inputs = [q, kv, kv, cache, cache, i32(*lengths), np.array(max(lengths) + 1, np.int32)]
        inputs += [cos, sin] if rotates else [None, None]
        inputs += [None, bias]
        while inputs[-1] is None:
            inputs.pop()
        return contrib("GroupQueryAttention", inputs, outputs, num_heads=heads, kv_num_heads=kv_heads, do_rotary=int(rotates), **attributes)

    for packed, rotates in itertools.product((False, True), repeat=2):
        label = f"{'packed' if packed else 'separate'}{', rotary' if rotates else ''}"
        common = dict(packed=packed, rotates=rotates)
        yield f"GroupQueryAttention prompt {label}", gqa(5, None, [4, 4], **common)
        yield f"GroupQueryAttention empty cache {label}", gqa(5, 0, [4, 4], **common)
        yield f"GroupQueryAttention token {label}", gqa(1, 6, [6, 6], **common)
        yield f"GroupQueryAttention some tokens {label}", gqa(3, 6, [8], **common)
        yield f"GroupQueryAttention tokens of two lengths {label}", gqa(1, 8, [6, 3], **common)
        yield f"GroupQueryAttention interleaved {label}", gqa(5, None, [4, 4], rotary_interleaved=1, **common)
    for window in (1, 3, 5):
        yield f"GroupQueryAttention window {window} of a prompt", gqa(5, None, [4, 4], local_window_size=window)
        yield f"GroupQueryAttention window {window} of a token", gqa(1, 6, [6], local_window_size=window)
    yield "GroupQueryAttention softcap", gqa(5, None, [4, 4], softcap=0.7)
    yield "GroupQueryAttention scale", gqa(5, None, [4, 4], scale=0.3)
    yield "GroupQueryAttention smooth softmax", gqa(5, None, [4, 4], smooth_softmax=1)
    yield "GroupQueryAttention attention bias", gqa(5, None, [4, 4], bias=(F, (2, heads, 5, 5)))
    yield "GroupQueryAttention long", gqa(150, None, [149], rotates=False)


FAMILIES = (normalisations, activations, products, low_bits, rotary, multi_head, grouped)


def attention_models():
    """[(name, build)] of every model."""
    return [row for family in FAMILIES for row in family()]
