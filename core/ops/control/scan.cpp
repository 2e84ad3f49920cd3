// Scan - runs a subgraph over slices of its inputs (ONNX 8, 9, 11, 16, 19, 21).
// Body: (state..., one slice of each scanned input...) -> (state..., one slice of each scanned output...).
// Opset 8 has a batch axis in front of everything, runs the batch's members one after another, and may be given how
// long each is; its first input is those lengths.

#include "ops/control/results.hpp"
#include "ops/move.hpp"
#include "ops/tensor/pieces.hpp"

namespace kinglet::ops {
namespace {

struct Scan {
  size_t body;
  size_t scanned;  // inputs that are scanned
  bool batched;
  std::vector<int64_t> input_axes, output_axes;
  std::vector<int64_t> input_backwards, output_backwards;

  size_t first() const { return batched ? 1 : 0; }
  int64_t input_axis(size_t i) const { return i < input_axes.size() ? input_axes[i] : 0; }
  int64_t output_axis(size_t i) const { return i < output_axes.size() ? output_axes[i] : 0; }
};

bool is_set(const std::vector<int64_t>& flags, size_t i) { return i < flags.size() && flags[i] != 0; }

Scan parse(const NodeView& n) {
  Scan op{n.attr_graph("body"), 0, n.opset() < 9, {}, {}, {}, {}};
  const int64_t scanned = n.attr_int("num_scan_inputs");
  const size_t given = n.inputs() - std::min(n.inputs(), op.first());
  if (scanned < 1 || static_cast<uint64_t>(scanned) > given) {
    throw_error(ErrorCode::kModel, "num_scan_inputs is {} of {} inputs", scanned, given);
  }
  op.scanned = static_cast<size_t>(scanned);
  if (op.batched) {
    op.input_backwards = n.attr_ints("directions", {});
  } else {
    op.input_axes = n.attr_ints("scan_input_axes", {});
    op.output_axes = n.attr_ints("scan_output_axes", {});
    op.input_backwards = n.attr_ints("scan_input_directions", {});
    op.output_backwards = n.attr_ints("scan_output_directions", {});
  }
  return op;
}

SymShape without(const SymShape& shape, size_t axis) {
  std::vector<Dim> dims(shape.dims().begin(), shape.dims().end());
  dims.erase(dims.begin() + static_cast<ptrdiff_t>(axis));
  return SymShape(std::move(dims));
}

void infer(const Scan& op, InferContext& c) {
  const size_t states = c.inputs() - op.first() - op.scanned;
  c.require(c.outputs() >= states, "{} states, but {} outputs", states, c.outputs());
  Dim length;
  std::vector<ValueInfo> formal;
  for (size_t i = 0; i < states + op.scanned; ++i) {
    const ValueInfo& in = c.in(op.first() + i);
    ValueInfo info{in.dtype, {}, {}, {}};
    // A state may change its shape from one step to the next.
    if (i >= states && in.shape.has_rank()) {
      SymShape shape = in.shape;
      if (op.batched) {
        c.require(shape.rank() > 0, "expected a batch axis, got {}", shape);
        shape = without(shape, 0);
      }
      const size_t axis = normalize_axis(op.input_axis(i - states), shape.rank());
      if (shape[axis].known()) length = shape[axis];
      info.shape = without(shape, axis);
    }
    formal.push_back(std::move(info));
  }
  const std::vector<ValueInfo> results = c.infer_subgraph(op.body, formal);
  c.require(results.size() == c.outputs(), "{} outputs, but the body has {}", c.outputs(), results.size());
  for (size_t i = 0; i < c.outputs(); ++i) {
    const ValueInfo& r = results[i];
    if (i < states) {
      c.out(i, r.dtype != DType::kUndefined ? r.dtype : formal[i].dtype, {});
    } else if (op.batched || !r.shape.has_rank()) {
      c.out(i, r.dtype, {});
    } else {
      std::vector<Dim> dims(r.shape.dims().begin(), r.shape.dims().end());
      const size_t axis = normalize_axis(op.output_axis(i - states), dims.size() + 1);
      dims.insert(dims.begin() + static_cast<ptrdiff_t>(axis), length);
      c.out(i, r.dtype, SymShape(std::move(dims)));
    }
  }
}

/// Index `at` of a tensor's axis, without that axis.
Tensor slice(const Tensor& in, size_t axis, size_t at) {
  std::vector<int64_t> dims(in.shape().begin(), in.shape().end());
  dims[axis] = 1;
  Tensor out(in.dtype(), Shape(dims));
  cut(in, axis, at, out);
  dims.erase(dims.begin() + static_cast<ptrdiff_t>(axis));
  return out.reshaped(Shape(dims));
}

/// Runs the body over `scanned`; `states` become the last ones, the slices of output k go to `made[k]`.
void scan(const Scan& op, RunContext& c, std::vector<Tensor>& states, std::span<const Tensor> scanned, int64_t steps,
          std::vector<std::vector<Tensor>>& made) {
  for (int64_t step = 0; step < steps; ++step) {
    std::vector<Tensor> formal = states;
    for (size_t i = 0; i < scanned.size(); ++i) {
      const size_t axis = normalize_axis(op.input_axis(i), scanned[i].rank());
      const int64_t at = is_set(op.input_backwards, i) ? steps - 1 - step : step;
      formal.push_back(slice(scanned[i], axis, static_cast<size_t>(at)));
    }
    const std::vector<Tensor> results = c.run_subgraph(op.body, formal);
    for (size_t i = 0; i < states.size(); ++i) states[i] = results[i].owned();
    for (size_t i = 0; i < made.size(); ++i) made[i].push_back(results[states.size() + i].owned());
  }
}

int64_t steps_of(const Scan& op, RunContext& c, std::span<const Tensor> scanned) {
  int64_t steps = -1;
  for (size_t i = 0; i < scanned.size(); ++i) {
    const int64_t dim = scanned[i].dim(normalize_axis(op.input_axis(i), scanned[i].rank()));
    c.require(steps < 0 || steps == dim, "scanned inputs have {} and {} steps", steps, dim);
    steps = dim;
  }
  return steps;
}

void give_scanned(const Scan& op, RunContext& c, size_t states, const std::vector<std::vector<Tensor>>& made) {
  for (size_t i = 0; i < made.size(); ++i) {
    const size_t output = states + i;
    if (!c.wants(output)) continue;
    if (!made[i].empty()) {
      const size_t axis = normalize_axis(op.output_axis(i), made[i].front().rank() + 1);
      stack(c, output, made[i], axis, is_set(op.output_backwards, i));
      continue;
    }
    // No step: what inference knows of the shape, the scanned axis being 0.
    const ValueInfo& expected = c.expected(output);
    Shape shape;
    for (size_t d = 0; expected.shape.has_rank() && d < expected.shape.rank(); ++d) {
      shape.push_back(expected.shape[d].known() ? expected.shape[d].value() : 0);
    }
    if (shape.rank() == 0) shape.push_back(0);
    c.out(output, expected.dtype, shape);
  }
}

void run_plain(const Scan& op, RunContext& c) {
  const size_t count = c.inputs() - op.scanned;
  std::vector<Tensor> states, scanned;
  for (size_t i = 0; i < c.inputs(); ++i) (i < count ? states : scanned).push_back(c.in(i));
  std::vector<std::vector<Tensor>> made(c.outputs() - count);
  scan(op, c, states, scanned, steps_of(op, c, scanned), made);
  for (size_t i = 0; i < count; ++i) pass_on(c, i, states[i]);
  give_scanned(op, c, count, made);
}

void run_batched(const Scan& op, RunContext& c) {
  const size_t count = c.inputs() - 1 - op.scanned;
  const Tensor& first = c.in(1);
  c.require(first.rank() > 0 && first.dim(0) > 0, "expected a batch axis, got {}", first.shape());
  const auto batch = static_cast<size_t>(first.dim(0));
  std::vector<std::vector<Tensor>> last(count), rows(c.outputs() - count);
  for (size_t b = 0; b < batch; ++b) {
    std::vector<Tensor> states, scanned;
    for (size_t i = 1; i < c.inputs(); ++i) {
      c.require(c.in(i).rank() > 0 && c.in(i).dim(0) == first.dim(0), "expected batches of {}, got {}", batch,
                c.in(i).shape());
      (i - 1 < count ? states : scanned).push_back(slice(c.in(i), 0, b));
    }
    const int64_t full = steps_of(op, c, scanned);
    int64_t steps = full;
    if (c.has(0)) {
      c.require(c.in(0).count() == batch, "expected {} lengths, got {}", batch, c.in(0).shape());
      steps = to_int64s(c.in(0))[b];
    }
    c.require(steps > 0 && steps <= full, "a sequence of {} steps of {}", steps, full);
    std::vector<std::vector<Tensor>> made(rows.size());
    scan(op, c, states, scanned, steps, made);
    for (size_t i = 0; i < count; ++i) last[i].push_back(states[i]);
    for (size_t i = 0; i < made.size(); ++i) {
      // Steps past a member's length are zero.
      const Tensor& one = made[i].front();
      std::vector<int64_t> dims(one.shape().begin(), one.shape().end());
      dims.insert(dims.begin(), full);
      Tensor row(one.dtype(), Shape(dims));
      fill_elements(row.dtype(), row.raw(), nullptr, row.count());
      for (size_t s = 0; s < made[i].size(); ++s) {
        c.require(made[i][s].shape() == one.shape(), "scanned output {} changes from {} to {}", i, one.shape(),
                  made[i][s].shape());
        copy_elements(row.dtype(), element(row, s * one.count()), element(made[i][s], 0), one.count());
      }
      rows[i].push_back(std::move(row));
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (c.wants(i)) stack(c, i, last[i], 0, false);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (c.wants(count + i)) stack(c, count + i, rows[i], 0, false);
  }
}

void run(const Scan& op, RunContext& c) {
  if (op.batched) return run_batched(op, c);
  run_plain(op, c);
}

}  // namespace

KINGLET_OP(Scan, op<Scan, parse, infer, run>(since(8)));

}  // namespace kinglet::ops
