"""The same network in float16, as converters write it: float32 outside, and a Cast at each edge."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Half:
    """A GraphBuilder's model with float16 in place of float32."""

    def __init__(self, builder):
        self.builder = builder

    def model(self):
        model = self.builder.model()
        graph = model.graph
        for tensor in graph.initializer:
            narrow(tensor)
        for node in graph.node:
            for attribute in node.attribute:
                narrow(attribute.t)
                if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                    attribute.i = TensorProto.FLOAT16
        edges = {value.name: f"{value.name}_half" for value in [*graph.input, *graph.output]
                 if value.type.tensor_type.elem_type == TensorProto.FLOAT}
        for node in graph.node:
            node.input[:] = [edges.get(name, name) for name in node.input]
            node.output[:] = [edges.get(name, name) for name in node.output]
        given = [helper.make_node("Cast", [value.name], [edges[value.name]], to=TensorProto.FLOAT16) for value in graph.input if value.name in edges]
        results = [helper.make_node("Cast", [edges[value.name]], [value.name], to=TensorProto.FLOAT) for value in graph.output if value.name in edges]
        nodes = [*given, *graph.node, *results]
        del graph.node[:]
        graph.node.extend(nodes)
        return model

    def save(self, path):
        path.write_bytes(self.model().SerializeToString())


def narrow(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        limit = np.finfo(np.float16).max  # masks are filled with the least float32
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).clip(-limit, limit).astype(np.float16), tensor.name))
