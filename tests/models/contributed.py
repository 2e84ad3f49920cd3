"""One-operator models of com.microsoft's operators, over attributes, optional inputs and shapes."""

import itertools

import numpy as np

from quantized import codes, contrib, rng, scales

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


FAMILIES = (recurrences,)


def contributed_models():
    """[(name, build)] or [(name, build, codes that results may differ by)] of every model."""
    return [row for family in FAMILIES for row in family()]
