#pragma once
// A plan: what to run, and where each value lies, for one set of input shapes.

#include <memory>
#include <vector>

#include "graph/graph.hpp"
#include "ops/op.hpp"

namespace kinglet {

/// Type and shape of each formal input and each capture of a program: what a plan is made for.
struct PlanKey {
  std::vector<DType> dtypes;
  std::vector<Shape> shapes;
  friend bool operator==(const PlanKey&, const PlanKey&) = default;
};

struct Step {
  enum class Kind : uint8_t {
    kStatic,   ///< outputs lie in the arena
    kView,     ///< output 0 shares the memory of input 0
    kDynamic,  ///< outputs are sized when the step runs
  };
  const Node* node = nullptr;
  Kind kind = Kind::kStatic;
  std::vector<const Tensor*> inputs;  ///< null where absent
  std::vector<Tensor*> outputs;       ///< null where nobody reads it
  Shape view_shape;                   ///< kView: the shape of output 0
  std::vector<ValueId> dead_after;    ///< values sized at run time that no later step reads
};

struct Plan {
  PlanKey key;
  std::vector<Tensor> slots;  ///< by ValueId; static ones are bound to the arena
  std::vector<Step> steps;
  struct Placement {
    ValueId value;
    size_t offset;
  };
  std::vector<Placement> placements;  ///< the values that lie in the arena
  size_t arena_bytes = 0;
  const std::byte* bound_to = nullptr;  ///< the arena that the slots point into now
};

/// Plans `graph` for the inputs of `key` (formal inputs, then captures). Constant inputs of the graph are bound at once.
/// Nodes whose inputs are known now (shape arithmetic) are run here and leave no step.
std::unique_ptr<Plan> make_plan(const Graph& graph, PlanKey key);

/// Points the plan's static slots into the arena.
void bind_plan(Plan& plan, std::byte* arena);

}  // namespace kinglet
