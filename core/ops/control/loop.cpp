// Loop - runs a subgraph up to M times while its condition holds (ONNX Loop 1, 11, 13, 16, 19, 21).
// Body: (iteration, condition, carried...) -> (condition, carried..., scanned...).

#include "ops/control/results.hpp"

namespace kinglet::ops {
namespace {

struct Loop {
  size_t body = 0;
};

Loop parse(const NodeView& n) { return {n.attr_graph("body")}; }

size_t carried_count(size_t inputs) { return inputs > 2 ? inputs - 2 : 0; }

void infer(const Loop& op, InferContext& c) {
  const size_t carried = carried_count(c.inputs());
  c.require(c.outputs() >= carried, "{} carried values, but {} outputs", carried, c.outputs());
  for (size_t i = 0; i < 2; ++i) {
    if (!c.has(i) || c.dtype(i) == DType::kUndefined) continue;
    const DType wanted = i == 0 ? DType::kInt64 : DType::kBool;
    if (c.dtype(i) != wanted) throw_error(ErrorCode::kModel, "input {} is {}, expected {}", i, c.dtype(i), wanted);
    if (c.shape(i).is_concrete()) {
      c.require(c.shape(i).concrete().count() == 1, "expected one element in input {}, got {}", i, c.shape(i));
    }
  }
  // A carried value may change its shape from one iteration to the next, so only its type is given to the body.
  std::vector<ValueInfo> formal{{DType::kInt64, Shape{}, {}, {}}, {DType::kBool, Shape{}, {}, {}}};
  for (size_t i = 0; i < carried; ++i) formal.push_back({c.dtype(i + 2), {}, {}, {}});
  const std::vector<ValueInfo> results = c.infer_subgraph(op.body, formal);
  c.require(results.size() == c.outputs() + 1, "{} outputs, but the body has {}", c.outputs(), results.size());
  for (size_t i = 0; i < c.outputs(); ++i) {
    const ValueInfo& r = results[i + 1];
    if (i < carried) {
      c.out(i, r.dtype != DType::kUndefined ? r.dtype : c.dtype(i + 2), {});
    } else if (!r.shape.has_rank()) {
      c.out(i, r.dtype, {});
    } else {
      std::vector<Dim> dims{Dim()};
      dims.insert(dims.end(), r.shape.dims().begin(), r.shape.dims().end());
      c.out(i, r.dtype, SymShape(std::move(dims)));
    }
  }
}

void run(const Loop& op, RunContext& c) {
  const size_t carried = carried_count(c.inputs());
  int64_t limit = INT64_MAX;
  if (c.has(0)) limit = to_int64s(c.in(0)).at(0);
  bool going = !c.has(1) || c.in(1).data<bool>()[0];
  std::vector<Tensor> formal{Tensor::scalar<int64_t>(0), Tensor::scalar(true)};
  for (size_t i = 0; i < carried; ++i) formal.push_back(c.in(i + 2));
  std::vector<std::vector<Tensor>> scanned(c.outputs() - carried);
  for (int64_t iteration = 0; iteration < limit && going; ++iteration) {
    formal[0] = Tensor::scalar(iteration);
    formal[1] = Tensor::scalar(going);
    const std::vector<Tensor> results = c.run_subgraph(op.body, formal);
    if (results[0].dtype() != DType::kBool) {
      throw_error(ErrorCode::kModel, "the body's condition is {}", results[0].dtype());
    }
    c.require(results[0].count() == 1, "the body's condition is {}", results[0].shape());
    going = results[0].data<bool>()[0];
    // The body's next run overwrites its results: what outlives this one is copied.
    for (size_t i = 0; i < carried; ++i) formal[i + 2] = results[i + 1].owned();
    for (size_t i = 0; i < scanned.size(); ++i) {
      if (c.wants(carried + i)) scanned[i].push_back(results[carried + i + 1].owned());
    }
  }
  for (size_t i = 0; i < carried; ++i) {
    pass_on(c, i, formal[i + 2]);
  }
  for (size_t i = 0; i < scanned.size(); ++i) {
    const size_t output = carried + i;
    if (!c.wants(output)) continue;
    if (!scanned[i].empty()) {
      stack(c, output, scanned[i], 0, false);
      continue;
    }
    // No iteration: the first dim is 0, and of the others only what inference knew.
    const ValueInfo& expected = c.expected(output);
    Shape shape{0};
    for (size_t d = 1; d < expected.shape.rank(); ++d) shape.push_back(expected.shape[d].known() ? expected.shape[d].value() : 0);
    c.out(output, expected.dtype, shape);
  }
}

}  // namespace

KINGLET_OP(Loop, op<Loop, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
