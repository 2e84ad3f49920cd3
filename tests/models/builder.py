"""A small ONNX graph writer: names are made up, weights are seeded, the graph is checked when it is saved."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ELEMENT_TYPES = {
    "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "int32": TensorProto.INT32, "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8, "int8": TensorProto.INT8, "bool": TensorProto.BOOL,
}


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

    def output(self, value, name, type_name=None, dims=None):
        """Declares a graph output and renames the value to it, so that no Identity node is needed.

        Without a type, the checker's inference fills it in.
        """
        for node in self.nodes:
            node.input[:] = [name if v == value else v for v in node.input]
            node.output[:] = [name if v == value else v for v in node.output]
        if type_name is None:
            self.outputs.append(onnx.ValueInfoProto(name=name))
        else:
            self.outputs.append(helper.make_tensor_value_info(name, ELEMENT_TYPES[type_name], dims))

    def weight(self, array, stem="weight"):
        name = self.fresh(stem)
        self.initializers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
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

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        domains = sorted({node.domain for node in self.nodes} - {""})
        imports = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
        model = helper.make_model(graph, opset_imports=imports, producer_name="kinglet-tests")
        # The oldest IR version that knows the opset, so that older engines read the file too.
        model.ir_version = helper.find_min_ir_version_for(model.opset_import, ignore_unknown=True)
        if model.ir_version < 4:
            # There, initializers are default values of inputs and must be listed as such.
            graph.input.extend(helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.initializers)
            model.graph.CopyFrom(graph)
        if any(not output.HasField("type") for output in model.graph.output):
            # Shapes are left out: an engine must find them itself.
            inferred = onnx.shape_inference.infer_shapes(model)
            onnx.checker.check_model(inferred)
            for output, known in zip(model.graph.output, inferred.graph.output, strict=True):
                output.type.tensor_type.elem_type = known.type.tensor_type.elem_type
        elif not domains:
            # The checker wants the shapes of all outputs, which only the operators that it knows let it infer.
            onnx.checker.check_model(model)
        return model

    def save(self, path):
        path.write_bytes(self.model().SerializeToString())
