"""Makes the test models: python generate.py FOLDER [name ...]. The same bytes at every run: all weights are seeded."""

import json
import pathlib
import sys

import numpy as np

from attention import attention_models
from builder import GraphBuilder
from cnn import efficientnet_b0, mobilenet_v2, resnet50, unet
from contributed import contributed_models
from decoder import decoder_4bit, gpt
from half import Half
from int8_networks import INT8_NETWORKS
from operators import operator_models
from quantized import quantized_models
from random_graphs import random_graphs
from recurrent import lstm
from single import SINGLE_MODELS
from transformer import minilm
from yolo import yolo


def tiny():
    """One addition: what is left of a load when the model is nothing."""
    g = GraphBuilder("tiny", 13, 1)
    x = g.input("x", "float32", [1, 4])
    g.output(g.op("Add", x, np.array([1, 2, 3, 4], np.float32)), "y", "float32", [1, 4])
    return g


MODELS = {
    "tiny": tiny,
    "mobilenetv2": lambda: mobilenet_v2("folded", 17),
    "mobilenetv2-bn": lambda: mobilenet_v2("node", 10),
    "resnet50": resnet50,
    "efficientnet-b0": efficientnet_b0,
    "unet": unet,
    "yolo": yolo,
    "minilm": lambda: minilm("fused"),
    "minilm-decomposed": lambda: minilm("decomposed"),
    "mobilenetv2-f16": lambda: Half(mobilenet_v2("folded", 17)),
    "resnet50-f16": lambda: Half(resnet50()),
    "minilm-f16": lambda: Half(minilm("decomposed")),
    **INT8_NETWORKS,
    "gpt": gpt,
    "decoder-4bit": decoder_4bit,
    "lstm": lstm,
    **SINGLE_MODELS,
}


def save_small(folder):
    """Writes the operators' models and the random graphs, with small.json: [{ name, file, quantum }].

    Codes of a quantized result may differ by `quantum`; it is 0 where they must not.
    """
    folder.mkdir()
    listed = []
    for number, (name, build, *quantum) in enumerate(operator_models() + quantized_models() + contributed_models() + attention_models() + random_graphs()):
        file = f"{number}.onnx"
        try:
            build().save(folder / file)
        except Exception as error:
            raise RuntimeError(f"model '{name}' cannot be made") from error
        listed.append({"name": name, "file": file, "quantum": quantum[0] if quantum else 0})
    (folder / "small.json").write_text(json.dumps(listed))
    print(f"small test models made: {len(listed)}", flush=True)


def main(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or MODELS:
        MODELS[name]().save(folder / f"{name}.onnx")
        print(f"test model made: {name}", flush=True)
    if not names:
        save_small(folder / "small")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
