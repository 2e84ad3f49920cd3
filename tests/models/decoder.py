"""Decoders that make one token after another, with a cache of keys and values."""

import numpy as np

from builder import GraphBuilder

MICROSOFT = "com.microsoft"


def ints(*values):
    return np.array(values, np.int64)


def linear(g, x, n_in, n_out, gain=1.0):
    return g.op("Add", g.op("MatMul", x, g.normal((n_in, n_out), gain / np.sqrt(n_in))), g.normal(n_out, 0.1))


def gpt(layers=4, hidden=512, heads=8, vocabulary=4096, positions=1024):
    """GPT-2's nodes as PyTorch exports a step with a cache; the sizes are those of a small model.

    input_ids, position_ids int64 [batch, tokens], attention_mask int64 [batch, past + tokens], and for each layer
    past_key_i, past_value_i float32 [batch, heads, past, size] -> logits [batch, tokens, vocabulary], present_*_i.
    """
    g = GraphBuilder("gpt", 17, 11)
    size = hidden // heads
    ids = g.input("input_ids", "int64", ["batch", "tokens"])
    places = g.input("position_ids", "int64", ["batch", "tokens"])
    mask = g.input("attention_mask", "int64", ["batch", "all"])
    words = g.normal((vocabulary, hidden), 0.5)
    x = g.op("Add", g.op("Gather", words, ids), g.op("Gather", g.normal((positions, hidden), 0.3), places))
    wide = g.op("Cast", g.op("Unsqueeze", mask, g.constant(ints(1, 2))), to=1)
    hidden_keys = g.op("Mul", g.op("Sub", g.constant(np.float32(1)), wide), g.constant(np.float32(-1e9)))

    def norm(value):
        return g.op("LayerNormalization", value, g.uniform(hidden, 0.7, 1.3), g.normal(hidden, 0.1), axis=-1)

    def by_head(value):
        return g.op("Transpose", g.op("Reshape", value, g.constant(ints(0, 0, heads, size))), perm=[0, 2, 1, 3])

    presents = []
    for layer in range(layers):
        qkv = linear(g, norm(x), hidden, 3 * hidden, 1.3)
        query, key, value = (by_head(part) for part in g.op("Split", qkv, ints(hidden, hidden, hidden), outputs=3, axis=2))
        cache = [g.input(f"past_{what}_{layer}", "float32", ["batch", heads, "past", size]) for what in ("key", "value")]
        key, value = (g.op("Concat", old, new, axis=2) for old, new in zip(cache, (key, value)))
        presents += [(key, f"present_key_{layer}"), (value, f"present_value_{layer}")]
        scores = g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2]))
        scaled = g.op("Div", scores, g.constant(np.float32(np.sqrt(size))))
        weights = g.op("Softmax", g.op("Add", scaled, hidden_keys), axis=-1)
        context = g.op("Transpose", g.op("MatMul", weights, value), perm=[0, 2, 1, 3])
        merged = g.op("Reshape", context, g.constant(ints(0, 0, hidden)))
        x = g.op("Add", x, linear(g, merged, hidden, hidden))
        inner = linear(g, norm(x), hidden, 4 * hidden)
        cubic = g.op("Mul", g.op("Pow", inner, g.constant(np.float32(3))), g.constant(np.float32(0.044715)))
        angle = g.op("Mul", g.op("Add", inner, cubic), g.constant(np.float32(np.sqrt(2 / np.pi))))
        half = g.op("Mul", inner, g.constant(np.float32(0.5)))
        gelu = g.op("Mul", half, g.op("Add", g.op("Tanh", angle), g.constant(np.float32(1))))
        x = g.op("Add", x, linear(g, gelu, 4 * hidden, hidden))
    logits = g.op("MatMul", norm(x), np.ascontiguousarray(words.T))
    g.output(logits, "logits", "float32", ["batch", "tokens", vocabulary])
    for value, name in presents:
        g.output(value, name, "float32", ["batch", heads, "all", size])
    return g


def decoder_4bit(hidden=1024, heads=16, kv_heads=4, inner=2816, block=32):
    """One layer of a Llama-like decoder with 4-bit weights, as onnxruntime's builder for generative models writes it.

    x float32 [batch, tokens, hidden], past_key, past_value [batch, kv_heads, past, size], lengths int32 [batch] (all
    tokens of a row, without one), total int32 [] -> y as x, present_key, present_value.
    """
    g = GraphBuilder("decoder-4bit", 17, 12)
    size = hidden // heads
    x = g.input("x", "float32", ["batch", "tokens", hidden])
    past = [g.input(name, "float32", ["batch", kv_heads, "past", size]) for name in ("past_key", "past_value")]
    lengths = g.input("lengths", "int32", ["batch"])
    total = g.input("total", "int32", [])

    def low_bit(value, n_in, n_out):
        codes = g.rng.integers(0, 256, (n_out, n_in // block, block // 2)).astype(np.uint8)
        scales = g.uniform((n_out, n_in // block), 0.1, 0.3) / np.float32(np.sqrt(n_in))
        return g.op("MatMulNBits", value, codes, scales, domain=MICROSOFT, K=n_in, N=n_out, bits=4, block_size=block)

    def norm(value, skip):
        """Root-mean-square normalisation of the sum, and the sum."""
        y, _, _, added = g.op("SkipSimplifiedLayerNormalization", value, skip, g.uniform(hidden, 0.7, 1.3), outputs=4,
                              domain=MICROSOFT, epsilon=1e-5)
        g.nodes[-1].output[1:3] = ["", ""]
        return y, added

    angles = np.arange(512)[:, None] / 10000 ** (np.arange(size // 2) / (size // 2))
    tables = [np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)]
    before = g.op("SimplifiedLayerNormalization", x, g.uniform(hidden, 0.7, 1.3), axis=-1, epsilon=1e-5, stash_type=1)
    query, key, value = (low_bit(before, hidden, n) for n in (hidden, kv_heads * size, kv_heads * size))
    context, *presents = g.op("GroupQueryAttention", query, key, value, *past, lengths, total, *tables, outputs=3,
                              domain=MICROSOFT, num_heads=heads, kv_num_heads=kv_heads, do_rotary=1)
    after, added = norm(low_bit(context, hidden, hidden), x)
    gate = low_bit(after, hidden, inner)
    gated = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), low_bit(after, hidden, inner))
    g.output(g.op("Add", low_bit(gated, inner, hidden), added), "y", "float32", ["batch", "tokens", hidden])
    for present, name in zip(presents, ("present_key", "present_value")):
        g.output(present, name, "float32", ["batch", kv_heads, "all", size])
    return g
