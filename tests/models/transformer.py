"""BERT-shaped encoders with the node patterns of PyTorch's exporter, shape subgraphs included."""

import numpy as np

from builder import GraphBuilder

HIDDEN, HEADS, INNER, VOCABULARY, POSITIONS = 384, 12, 1536, 2000, 512
HEAD = HIDDEN // HEADS
LOWEST = float(np.finfo(np.float32).min)


def ints(*values):
    return np.array(values, np.int64)


class Encoder:
    """MiniLM-L6's sizes. style "fused": LayerNormalization nodes and a subtracted mask (opset 17);
    "decomposed": normalisation from ReduceMean, Pow, Sqrt and Div, and a mask by Expand and Where (opset 13)."""

    def __init__(self, style, layers):
        self.style = style
        self.g = GraphBuilder(f"minilm-{style}", 17 if style == "fused" else 13, 6)
        self.layers = layers

    def dim_of(self, x, axis):
        """A dimension as [1], by Shape -> Gather -> Unsqueeze."""
        g = self.g
        picked = g.op("Gather", g.op("Shape", x), g.constant(np.int64(axis)), axis=0)
        return g.op("Unsqueeze", picked, g.constant(ints(0)))

    def reshape(self, x, *sizes):
        """Sizes are ints or values of shape [1]."""
        parts = [self.g.constant(ints(s)) if isinstance(s, int) else s for s in sizes]
        return self.g.op("Reshape", x, self.g.op("Concat", *parts, axis=0))

    def layer_norm(self, x):
        g = self.g
        scale, bias = g.uniform(HIDDEN, 0.7, 1.3), g.normal(HIDDEN, 0.1)
        if self.style == "fused":
            return g.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)
        centred = g.op("Sub", x, g.op("ReduceMean", x, axes=[-1], keepdims=1))
        square = g.op("Pow", centred, g.constant(np.float32(2)))
        variance = g.op("ReduceMean", square, axes=[-1], keepdims=1)
        deviation = g.op("Sqrt", g.op("Add", variance, g.constant(np.float32(1e-12))))
        return g.op("Add", g.op("Mul", g.op("Div", centred, deviation), scale), bias)

    def linear(self, x, n_in, n_out, gain=1.0):
        y = self.g.op("MatMul", x, self.g.normal((n_in, n_out), gain / np.sqrt(n_in)))
        return self.g.op("Add", self.g.normal(n_out, 0.1), y)

    def gelu(self, x):
        g = self.g
        erf = g.op("Erf", g.op("Div", x, g.constant(np.float32(np.sqrt(2)))))
        y = g.op("Mul", x, g.op("Add", erf, g.constant(np.float32(1))))
        return g.op("Mul", y, g.constant(np.float32(0.5)))

    def mask(self, attention_mask, input_ids):
        """Additive mask: 0 where attended, the lowest float where not."""
        g = self.g
        if self.style == "fused":
            wide = g.op("Unsqueeze", g.op("Unsqueeze", attention_mask, g.constant(ints(1))), g.constant(ints(2)))
            inverted = g.op("Sub", g.constant(np.float32(1)), g.op("Cast", wide, to=1))
            return g.op("Mul", inverted, g.constant(np.float32(LOWEST)))
        batch, sequence = self.dim_of(input_ids, 0), self.dim_of(input_ids, 1)
        shape = g.op("Concat", batch, g.constant(ints(1)), sequence, sequence, axis=0)
        wide = g.op("Expand", g.op("Unsqueeze", attention_mask, g.constant(ints(1, 2))), shape)
        inverted = g.op("Sub", g.constant(np.float32(1)), g.op("Cast", wide, to=1))
        return g.op("Where", g.op("Cast", inverted, to=9), g.constant(np.float32(LOWEST)), inverted)

    def heads(self, x, perm):
        split = self.reshape(x, self.dim_of(x, 0), self.dim_of(x, 1), HEADS, HEAD)
        return self.g.op("Transpose", split, perm=perm)

    def attention(self, x, mask):
        g = self.g
        # A gain above 1 keeps the softmax away from uniform, so that a wrong key order shows.
        query = self.heads(self.linear(x, HIDDEN, HIDDEN, 1.5), [0, 2, 1, 3])
        key = self.heads(self.linear(x, HIDDEN, HIDDEN, 1.5), [0, 2, 3, 1])
        value = self.heads(self.linear(x, HIDDEN, HIDDEN), [0, 2, 1, 3])
        scores = g.op("Div", g.op("MatMul", query, key), g.constant(np.float32(np.sqrt(HEAD))))
        weights = g.op("Softmax", g.op("Add", scores, mask), axis=-1)
        context = g.op("Transpose", g.op("MatMul", weights, value), perm=[0, 2, 1, 3])
        merged = self.reshape(context, self.dim_of(context, 0), self.dim_of(context, 1), HIDDEN)
        return self.layer_norm(g.op("Add", self.linear(merged, HIDDEN, HIDDEN), x))

    def feed_forward(self, x):
        inner = self.gelu(self.linear(x, HIDDEN, INNER))
        return self.layer_norm(self.g.op("Add", self.linear(inner, INNER, HIDDEN), x))

    def embeddings(self, input_ids, token_types):
        g = self.g
        end = self.dim_of(input_ids, 1)
        ids = g.weight(np.arange(POSITIONS, dtype=np.int64)[None], "position_ids")
        positions = g.op("Slice", ids, g.constant(ints(0)), end, g.constant(ints(1)), g.constant(ints(1)))
        words = g.op("Gather", g.normal((VOCABULARY, HIDDEN), 1.0), input_ids)
        types = g.op("Gather", g.normal((2, HIDDEN), 0.5), token_types)
        places = g.op("Gather", g.normal((POSITIONS, HIDDEN), 0.5), positions)
        return self.layer_norm(g.op("Add", g.op("Add", words, types), places))

    def sentence(self, hidden, attention_mask):
        """Mean over the attended tokens, then unit length: sentence-transformers' pooling."""
        g = self.g
        wide = g.op("Expand", g.op("Unsqueeze", attention_mask, g.constant(ints(-1))), g.op("Shape", hidden))
        weights = g.op("Cast", wide, to=1)
        total = g.op("ReduceSum", g.op("Mul", hidden, weights), g.constant(ints(1)), keepdims=0)
        count = g.op("Clip", g.op("ReduceSum", weights, g.constant(ints(1)), keepdims=0), g.constant(np.float32(1e-9)))
        mean = g.op("Div", total, count)
        length = g.op("Clip", g.op("ReduceL2", mean, axes=[1], keepdims=1), g.constant(np.float32(1e-12)))
        return g.op("Div", mean, g.op("Expand", length, g.op("Shape", mean)))

    def build(self):
        g = self.g
        dims = ["batch", "sequence"]
        input_ids = g.input("input_ids", "int64", dims)
        attention_mask = g.input("attention_mask", "int64", dims)
        token_types = g.input("token_type_ids", "int64", dims)
        mask = self.mask(attention_mask, input_ids)
        x = self.embeddings(input_ids, token_types)
        for _ in range(self.layers):
            x = self.feed_forward(self.attention(x, mask))
        sentence = self.sentence(x, attention_mask)
        g.output(x, "last_hidden_state", "float32", [*dims, HIDDEN])
        g.output(sentence, "sentence_embedding", "float32", ["batch", HIDDEN])
        return g


def minilm(style, layers=6):
    """input_ids, attention_mask, token_type_ids int64 [batch, sequence] -> last_hidden_state, sentence_embedding."""
    return Encoder(style, layers).build()
