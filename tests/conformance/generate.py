"""Writes the test cases of the installed `onnx` package as files: python generate.py FOLDER.

FOLDER/<suite>/<case>/ holds model.onnx and test_data_set_<i>/{input,output}_<j>.pb. The suite `node` is computed by
the package's case modules (one case an operator feature, seeded), the others are copied from the package, and so are
the .proto files that describe all of them.
"""

import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_model_tests

PROTO_FILES = ("onnx-ml.proto", "onnx-data.proto")
COPIED_SUITES = ("simple", "pytorch-operator", "pytorch-converted")
SEED = 1


def value_bytes(value, declared):
    """Serialises one input or output in the message that its declared type calls for."""
    name = declared.name
    if value is None or declared.type.HasField("optional_type"):
        return numpy_helper.from_optional(value, name).SerializeToString()
    if declared.type.HasField("sequence_type"):
        return numpy_helper.from_list(value, name).SerializeToString()
    if declared.type.HasField("map_type"):
        return numpy_helper.from_dict(value, name).SerializeToString()
    if isinstance(value, TensorProto):
        return value.SerializeToString()
    return numpy_helper.from_array(np.asarray(value), name).SerializeToString()


def write_case(folder, case):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    graph = case.model.graph
    for index, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{index}"
        data.mkdir()
        for kind, values, declared in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for position, value in enumerate(values):
                (data / f"{kind}_{position}.pb").write_bytes(value_bytes(value, declared[position]))


def main(out):
    warnings.simplefilter("ignore")
    np.random.seed(SEED)
    cases = load_model_tests(kind="node")
    for done, case in enumerate(cases, 1):
        write_case(out / "node" / case.name, case)
        if done % 300 == 0:
            print(f"conformance cases: {done} of {len(cases)} written", flush=True)
    package = pathlib.Path(onnx.__file__).parent
    for file in PROTO_FILES:
        shutil.copy(package / file, out / file)
    for suite in COPIED_SUITES:
        shutil.copytree(package / "backend" / "test" / "data" / suite, out / suite, ignore=shutil.ignore_patterns("__*"))
    print(f"conformance cases: {len(cases)} node cases written", flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
