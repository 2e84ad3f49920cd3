"""A recurrent network."""

import numpy as np

from builder import GraphBuilder


def lstm(features=80, hidden=256, layers=2):
    """Layers of a bidirectional LSTM, as PyTorch exports them: x [steps, batch, features] -> y [steps, batch, 2 * hidden]."""
    g = GraphBuilder("lstm", 14, 13)
    x = g.input("x", "float32", ["steps", "batch", features])
    width = features
    for _ in range(layers):
        weights = [g.uniform((2, 4 * hidden, n), -1, 1) * np.float32(1 / np.sqrt(hidden)) for n in (width, hidden)]
        bias = g.uniform((2, 8 * hidden), -0.1, 0.1)
        y = g.op("LSTM", x, *weights, bias, direction="bidirectional", hidden_size=hidden)
        # [steps, 2, batch, hidden] -> [steps, batch, 2 * hidden]
        x = g.op("Reshape", g.op("Transpose", y, perm=[0, 2, 1, 3]), g.constant(np.array([0, 0, -1], np.int64)))
        width = 2 * hidden
    g.output(x, "y", "float32", ["steps", "batch", 2 * hidden])
    return g
