#pragma once
// The optimising passes. Each is one file here and one line in passes.cpp; the order there is the order they run in.

#include <span>

#include "graph/graph.hpp"

namespace kinglet {

struct Pass {
  const char* name;
  /// Rewrites the graph, whose shapes are inferred; true when it changed what values there are, or what is known of them.
  bool (*run)(Graph&);
  /// It does nothing to a graph that never had any of these operators, of ai.onnx or as domain.Name; none: it may do in any.
  const char* from[12] = {};
  /// The operators that it puts into graphs which may not have had them, of ai.onnx or as domain.Name; a build that
  /// lacks one leaves the pass out.
  const char* makes[8] = {};
  /// As `makes`, but it is not worth bringing them into a build: one that was not asked for them leaves the pass out.
  const char* needs[1] = {};
  /// It makes no values but constants, and knows no more of those there are: what is known of the shapes stays.
  bool keeps_shapes = false;
};

std::span<const Pass> all_passes();

/// Runs every pass once, but those named in `without`, in order, on the main graph and its subgraphs; shapes are inferred
/// again after each that changed something, unless it keeps them. Throws kInvalidArgument for a name that no pass has.
void optimize(Graph& graph, std::span<const std::string> without = {});

namespace passes {
bool axes_to_attribute(Graph& graph);
bool fold_constants(Graph& graph);
bool remove_dead_nodes(Graph& graph);
bool remove_identities(Graph& graph);
bool widen_float16(Graph& graph);
bool align_legacy_operands(Graph& graph);
bool fold_affine_into_conv(Graph& graph);
bool fuse_gated_activations(Graph& graph);
bool fuse_gelu(Graph& graph);
bool fuse_layer_normalization(Graph& graph);
bool fuse_integer_matmul(Graph& graph);
bool fuse_qdq_products(Graph& graph);
bool fuse_qdq_elementwise(Graph& graph);
bool move_codes(Graph& graph);
bool dequantize_constants(Graph& graph);
bool fuse_attention(Graph& graph);
bool choose_winograd(Graph& graph);
bool choose_strassen(Graph& graph);
bool fuse_matmul_bias(Graph& graph);
bool channels_last(Graph& graph);
bool merge_transposes(Graph& graph);
bool fuse_activation(Graph& graph);
bool fold_affine_into_activation(Graph& graph);
}  // namespace passes

/// True when `graph` has exactly one use of `id`, by a node (not as an output).
bool has_one_use(const Graph& graph, std::span<const uint32_t> use_counts, ValueId id);

}  // namespace kinglet
