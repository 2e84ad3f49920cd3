#pragma once
// ONNX protobuf bytes -> Model.

#include <kinglet/session.hpp>

#include "graph/graph.hpp"

namespace kinglet {

/// Reads an ONNX ModelProto (onnx.proto, IR version 3 and later).
/// - Weights refer into `model` where they are aligned (they may be moved by a few bytes within it); names are copied.
/// - A subgraph's use of an outer value becomes an extra input of its node (Graph::captures).
/// - Calls of model-local functions are replaced by the functions' bodies.
/// - Nodes come sorted topologically; Node::def and Node::op are not set yet.
/// Throws kModel, saying what is wrong and where, for anything that is not a well-formed model.
Model read_onnx(const ModelBytes& model, const std::map<std::string, ModelBytes>& external_data);

}  // namespace kinglet
