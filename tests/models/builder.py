"""A small ONNX graph writer: names are made up, weights are seeded, the graph is checked when it is saved."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ELEMENT_TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}


class GraphBuilder:
    """Collects nodes in order. Values are their names (str); numpy arrays given as inputs become initializers."""

    def __init__(self, name, opset, seed):
        self.name = name
        self.opset = opset
        self.rng = np.random.default_rng(seed)
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.counter = 0

    def fresh(self, stem):
        self.counter += 1
        return f"{stem}_{self.counter}"

    def input(self, name, type_name, dims):
        self.inputs.append(helper.make_tensor_value_info(name, ELEMENT_TYPES[type_name], dims))
        return name

    def output(self, value, name, type_name, dims):
        """Declares a graph output and renames the value to it, so that no Identity node is needed."""
        for node in self.nodes:
            node.input[:] = [name if v == value else v for v in node.input]
            node.output[:] = [name if v == value else v for v in node.output]
        self.outputs.append(helper.make_tensor_value_info(name, ELEMENT_TYPES[type_name], dims))

    def weight(self, array, stem="weight"):
        name = self.fresh(stem)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def constant(self, array):
        """A Constant node, which is how PyTorch's exporter writes small constants."""
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(array)))

    def op(self, op_type, *inputs, outputs=1, **attributes):
        names = ["" if i is None else self.weight(i) if isinstance(i, np.ndarray) else i for i in inputs]
        results = [self.fresh(op_type) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op_type, names, results, name=self.fresh(f"node_{op_type}"), **attributes))
        return results[0] if outputs == 1 else results

    def normal(self, shape, deviation):
        return (self.rng.standard_normal(shape) * deviation).astype(np.float32)

    def uniform(self, shape, low, high):
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], producer_name="kinglet-tests")
        # The oldest IR version that knows the opset, so that older engines read the file too.
        model.ir_version = helper.find_min_ir_version_for(model.opset_import)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
