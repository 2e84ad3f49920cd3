#pragma once
// A graph made ready to run: operators prepared, plans cached by input shapes, subgraphs as programs of their own.

#include <list>
#include <memory>

#include <kinglet/session.hpp>

#include "base/workers.hpp"
#include "runtime/plan.hpp"
#include "runtime/twin_nodes.hpp"
#include "runtime/workspace.hpp"

namespace kinglet {

class Program {
 public:
  /// Takes a resolved graph and prepares its operators: constants that only they read are packed where they
  /// lie, or packed elsewhere and freed. `memory` and `twins` are those of the graph or of one that it is a subgraph of.
  /// Operators run on `workers` where that is not null; it outlives the program.
  Program(std::shared_ptr<Graph> graph, ConstantMemory& memory, TwinNodes& twins, Workers* workers = nullptr);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const Graph& graph() const { return *graph_; }

  /// Runs on formal inputs and captures (in the graph's order). The outputs live until the next run.
  std::vector<Tensor> run(std::span<const Tensor> inputs, std::span<const Tensor> captures,
                          const RunOptions& options);

  size_t weight_bytes() const;
  size_t activation_bytes() const;

 private:
  friend class StepServices;
  /// Shapes seen before need no planning; the least recently used plan goes when there are more.
  static constexpr size_t kMaxPlans = 8;

  void prepare(ConstantMemory& memory, TwinNodes& twins);
  Plan& plan_for(std::span<const Tensor> inputs, std::span<const Tensor> captures);
  void run_step(Plan& plan, Step& step, const RunOptions& options);
  /// run_step, with a row in options.profile.
  void time_step(Plan& plan, Step& step, const RunOptions& options);

  std::shared_ptr<Graph> graph_;
  Workers* workers_;
  std::vector<std::vector<std::unique_ptr<Program>>> bodies_;  // by node; those of the last nodes without any are left out
  std::list<std::unique_ptr<Plan>> plans_;  // most recently used first
  Arena arena_;
  Scratch scratch_;
  size_t packed_bytes_ = 0;
};

}  // namespace kinglet
