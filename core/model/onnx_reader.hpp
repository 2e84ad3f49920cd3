#pragma once
// ONNX protobuf bytes -> Model.

#include <kinglet/session.hpp>

#include "graph/graph.hpp"

namespace kinglet {

/// Reads an ONNX ModelProto (onnx.proto, IR version 3 and later).
/// - Weights refer into `model` and may be moved there by a few bytes, to be aligned: the same bytes cannot be
///   read twice. Names are copied.
/// - An initializer that is a graph input too is a constant, not an input.
/// - A subgraph's use of an outer value becomes an extra input of its node (Graph::captures); an outer constant
///   is a constant of the subgraph that shares its elements.
/// - Calls of model-local functions are replaced by the functions' bodies.
/// - Sparse tensors become dense.
/// - Nodes come sorted topologically and named; Node::def and Node::op are not set yet.
/// Types and shapes of inner values are what the file claims, unchecked.
/// Throws kModel, saying what is wrong and where, for anything that is not a well-formed model.
Model read_onnx(const ModelBytes& model, const std::map<std::string, ModelBytes>& external_data);

}  // namespace kinglet
