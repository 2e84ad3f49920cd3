#include "ops/recurrent/recurrent.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/gemm.hpp"
#include "kernels/math.hpp"
#include "kernels/transpose.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/packing.hpp"

namespace kinglet::ops {
namespace {

struct ActivationRow {
  std::string_view name;
  GateActivation::Kind kind;
  float alpha, beta;
};
constexpr ActivationRow kActivations[] = {
    {"sigmoid", GateActivation::Kind::kSigmoid, 0, 0},
    {"tanh", GateActivation::Kind::kTanh, 0, 0},
    {"relu", GateActivation::Kind::kRelu, 0, 0},
    {"affine", GateActivation::Kind::kAffine, 1, 0},
    {"leakyrelu", GateActivation::Kind::kLeakyRelu, 0.01f, 0},
    {"thresholdedrelu", GateActivation::Kind::kThresholdedRelu, 1, 0},
    {"scaledtanh", GateActivation::Kind::kScaledTanh, 1, 1},
    {"hardsigmoid", GateActivation::Kind::kHardSigmoid, 0.2f, 0.5f},
    {"elu", GateActivation::Kind::kElu, 1, 0},
    {"softsign", GateActivation::Kind::kSoftsign, 0, 0},
    {"softplus", GateActivation::Kind::kSoftplus, 0, 0},
};

/// Names compare without case, as ONNX says.
GateActivation activation_of(std::string_view name) {
  std::string lower(name);
  for (char& ch : lower) ch = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch - 'A' + 'a') : ch;
  for (const ActivationRow& row : kActivations) {
    if (row.name == lower) return {row.kind, row.alpha, row.beta};
  }
  throw_error(ErrorCode::kModel, "attribute 'activations' has '{}'", name);
}

bool takes_alpha(GateActivation::Kind k) {
  return k != GateActivation::Kind::kSigmoid && k != GateActivation::Kind::kTanh && k != GateActivation::Kind::kRelu &&
         k != GateActivation::Kind::kSoftsign && k != GateActivation::Kind::kSoftplus;
}
bool takes_beta(GateActivation::Kind k) {
  return k == GateActivation::Kind::kAffine || k == GateActivation::Kind::kScaledTanh || k == GateActivation::Kind::kHardSigmoid;
}

float scalar(const GateActivation& a, float x) {
  switch (a.kind) {
    case GateActivation::Kind::kAffine: return a.alpha * x + a.beta;
    case GateActivation::Kind::kRelu: return std::max(0.0f, x);
    case GateActivation::Kind::kLeakyRelu: return x < 0 ? a.alpha * x : x;
    case GateActivation::Kind::kThresholdedRelu: return x > a.alpha ? x : 0;
    case GateActivation::Kind::kScaledTanh: return a.alpha * std::tanh(a.beta * x);
    case GateActivation::Kind::kHardSigmoid: return std::clamp(a.alpha * x + a.beta, 0.0f, 1.0f);
    case GateActivation::Kind::kElu: return x < 0 ? a.alpha * std::expm1(x) : x;
    case GateActivation::Kind::kSoftsign: return x / (1 + std::fabs(x));
    case GateActivation::Kind::kSoftplus: return x > 20 ? x : std::log1p(std::exp(x));
    case GateActivation::Kind::kSigmoid: return 1 / (1 + std::exp(-x));
    case GateActivation::Kind::kTanh: return std::tanh(x);
  }
  return x;
}

/// [rows, columns] weights as the transposed operand B of gemm.
void pack_transposed(float* packed, const float* weights, size_t rows, size_t columns) {
  kernels::pack_b(packed, columns, rows, weights, 1, static_cast<ptrdiff_t>(columns));
}

/// Packed weights of all directions from [directions, rows, columns].
size_t packed_size(const Recurrent& r, size_t rows, size_t columns) { return r.directions * kernels::packed_b_size(columns, rows); }
void pack_directions(size_t directions, float* packed, const float* weights, size_t rows, size_t columns) {
  for (size_t d = 0; d < directions; ++d) {
    pack_transposed(packed + d * kernels::packed_b_size(columns, rows), weights + d * rows * columns, rows, columns);
  }
}

void check_weights(const Recurrent& r, const Shape& shape, size_t hidden, std::string_view name) {
  if (r.hidden != 0 && r.hidden != hidden) {
    throw_error(ErrorCode::kShape, "R is for {} hidden units, attribute 'hidden_size' is {}", hidden, r.hidden);
  }
  if (shape.rank() != 3 || shape[0] != static_cast<int64_t>(r.directions) || shape[1] != static_cast<int64_t>(r.gates * hidden)) {
    throw_error(ErrorCode::kShape, "expected {} [{},{},...], got {}", name, r.directions, r.gates * hidden, shape);
  }
}

}  // namespace

void GateActivation::apply(float* x, size_t n) const {
  if (kind == Kind::kSigmoid) return kernels::sigmoid(x, x, n);
  if (kind == Kind::kTanh) return kernels::tanh(x, x, n);
  for (size_t i = 0; i < n; ++i) x[i] = scalar(*this, x[i]);
}

Recurrent parse_recurrent(const NodeView& n, size_t gates, std::span<const std::string_view> defaults) {
  Recurrent r;
  r.gates = gates;
  const int64_t hidden = n.attr_int("hidden_size", 0);
  if (hidden < 0) throw_error(ErrorCode::kModel, "attribute 'hidden_size' is {}", hidden);
  r.hidden = static_cast<size_t>(hidden);
  const std::string direction = n.attr_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    throw_error(ErrorCode::kModel, "attribute 'direction' is '{}'", direction);
  }
  r.directions = direction == "bidirectional" ? 2 : 1;
  r.first_reversed = direction == "reverse";
  r.batch_first = n.attr_int("layout", 0) != 0;
  r.clip = n.attr_float("clip", 0);
  std::vector<std::string> names = n.attr_strings("activations", {});
  if (names.empty()) {
    for (size_t d = 0; d < r.directions; ++d) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  if (names.size() != r.directions * defaults.size()) {
    throw_error(ErrorCode::kModel, "attribute 'activations' has {} names, expected {}", names.size(), r.directions * defaults.size());
  }
  const std::vector<float> alphas = n.attr_floats("activation_alpha", {}), betas = n.attr_floats("activation_beta", {});
  size_t next_alpha = 0, next_beta = 0;
  for (const std::string& name : names) {
    GateActivation a = activation_of(name);
    // Parameters are listed only for the activations that take them, in order.
    if (takes_alpha(a.kind) && next_alpha < alphas.size()) a.alpha = alphas[next_alpha++];
    if (takes_beta(a.kind) && next_beta < betas.size()) a.beta = betas[next_beta++];
    r.activations.push_back(a);
  }
  return r;
}

void infer_recurrent(const Recurrent& r, InferContext& c) {
  if (!r.inputs_first) common_type(c, 0, std::min<size_t>(4, c.inputs()), kFloats);
  const SymShape& x = c.shape(0);
  Dim hidden = r.hidden != 0 ? Dim(static_cast<int64_t>(r.hidden)) : Dim();
  if (!hidden.known() && c.shape(2).has_rank() && c.shape(2).rank() == 3) hidden = c.shape(2)[r.inputs_first ? 1 : 2];
  c.require(!x.has_rank() || x.rank() == 3, "expected X of rank 3, got {}", x);
  const Dim seq = x.has_rank() ? x[r.batch_first ? 1 : 0] : Dim(), batch = x.has_rank() ? x[r.batch_first ? 0 : 1] : Dim();
  const Dim directions(static_cast<int64_t>(r.directions));
  c.out(0, c.dtype(0), r.batch_first ? SymShape({batch, seq, directions, hidden}) : SymShape({seq, directions, batch, hidden}));
  for (size_t i = 1; i < c.outputs(); ++i) {
    c.out(i, c.dtype(0), r.batch_first ? SymShape({batch, directions, hidden}) : SymShape({directions, batch, hidden}));
  }
}

void prepare_recurrent(Recurrent& r, PrepareContext& c) {
  const Tensor *w = c.constant(1), *rw = c.constant(2);
  if (w == nullptr || rw == nullptr || w->rank() != 3 || rw->rank() != 3) return;
  if (!is_float(w->dtype()) || w->dtype() == DType::kFloat64 || rw->dtype() != w->dtype()) return;
  const auto hidden = static_cast<size_t>(rw->dim(2)), input = static_cast<size_t>(w->dim(2));
  check_weights(r, w->shape(), hidden, "W");
  check_weights(r, rw->shape(), hidden, "R");
  const size_t rows = r.gates * hidden;
  const auto pack = [&](size_t weights, size_t columns) {
    const size_t count = rows * columns, packed_count = kernels::packed_b_size(columns, rows);
    Packing packing(c, weights, r.directions * packed_count);
    for (size_t d = 0; d < r.directions; ++d) pack_columns(packing, d * packed_count, d * count, columns, rows);
    return packing.finish();
  };
  r.packed_w = pack(1, input);
  r.packed_r = pack(2, hidden);
  r.hidden = hidden;
  r.packed_input = input;
}

void run_recurrent(const Recurrent& r, RunContext& c, StepFn step, const GateProducts* products) {
  const Tensor& x_in = c.in(0);
  const auto seq = static_cast<size_t>(x_in.dim(r.batch_first ? 1 : 0)), batch = static_cast<size_t>(x_in.dim(r.batch_first ? 0 : 1));
  const auto input = static_cast<size_t>(x_in.dim(2));
  size_t hidden = r.hidden;
  if (products != nullptr) {
    hidden = products->hidden();
  } else if (!r.packed_r) {
    c.require(c.in(2).rank() == 3, "expected R of rank 3, got {}", c.in(2).shape());
    hidden = static_cast<size_t>(c.in(2).dim(2));
    check_weights(r, c.in(1).shape(), hidden, "W");
    check_weights(r, c.in(2).shape(), hidden, "R");
    c.require(c.in(1).dim(2) == x_in.dim(2), "X {} does not fit W {}", x_in.shape(), c.in(1).shape());
  } else {
    c.require(r.packed_input == input, "X {} does not fit W of {} inputs", x_in.shape(), r.packed_input);
  }
  const size_t rows = r.gates * hidden, state = batch * hidden;

  const auto size_of_input = [&](size_t i, size_t count, std::string_view name) {
    if (c.has(i)) c.require(c.in(i).count() == count, "expected {} of {} elements, got {}", name, count, c.in(i).shape());
  };
  size_of_input(3, r.directions * 2 * rows, "B");
  size_of_input(4, batch, "sequence_lens");
  size_of_input(5, r.directions * state, "initial_h");
  size_of_input(6, r.directions * state, "initial_c");
  size_of_input(7, r.directions * 3 * hidden, "P");

  const float* x = as_f32(c, x_in);
  if (r.batch_first) {
    float* turned = c.scratch<float>(x_in.count());
    const size_t dims[] = {batch, seq, input}, perm[] = {1, 0, 2};
    kernels::transpose(x, turned, sizeof(float), dims, perm);
    x = turned;
  }
  const auto packed = [&](const std::shared_ptr<std::byte[]>& ready, size_t i, size_t columns) -> const float* {
    if (ready || products != nullptr) return reinterpret_cast<const float*>(ready.get());
    float* fresh = c.scratch<float>(packed_size(r, rows, columns));
    pack_directions(r.directions, fresh, as_f32(c, c.in(i)), rows, columns);
    return fresh;
  };
  const float *w = packed(r.packed_w, 1, input), *rw = packed(r.packed_r, 2, hidden);
  const float* bias = c.has(3) ? as_f32(c, c.in(3)) : nullptr;
  const float* peephole = c.has(7) ? as_f32(c, c.in(7)) : nullptr;
  std::vector<int64_t> lengths(batch, static_cast<int64_t>(seq));
  if (c.has(4)) lengths = to_int64s(c.in(4));

  // States of a direction are [batch, hidden]; in batch-first layout they lie [batch, directions, hidden] outside.
  const auto initial = [&](size_t i, size_t d, float* to) {
    std::fill_n(to, state, 0.0f);
    if (!c.has(i)) return;
    const float* from = as_f32(c, c.in(i));
    for (size_t b = 0; b < batch; ++b) {
      const size_t row = r.batch_first ? b * r.directions + d : d * batch + b;
      std::copy_n(from + row * hidden, hidden, to + b * hidden);
    }
  };
  float* all_gates = c.scratch<float>(seq * batch * rows);
  float* step_scratch = c.scratch<float>(batch * rows);
  float *h = c.scratch<float>(state), *h_next = c.scratch<float>(state), *cell = c.scratch<float>(state), *cell_next = c.scratch<float>(state);
  float* outputs[3] = {};
  for (size_t i = 0; i < 3; ++i) {
    if (c.wants(i)) outputs[i] = c.out(i).dtype() == DType::kFloat32 ? c.out(i).data<float>() : c.scratch<float>(c.out(i).count());
  }

  for (size_t d = 0; d < r.directions; ++d) {
    const auto part = [&](const float* all, size_t columns) {
      return all != nullptr ? all + d * kernels::packed_b_size(columns, rows) : nullptr;
    };
    Direction dir{d, seq, batch, input, hidden, part(w, input), part(rw, hidden),
                  bias != nullptr ? bias + d * 2 * rows : nullptr, bias != nullptr ? bias + d * 2 * rows + rows : nullptr,
                  peephole != nullptr ? peephole + d * 3 * hidden : nullptr,
                  std::span(r.activations).subspan(d * r.activations.size() / r.directions, r.activations.size() / r.directions), products, lengths};
    // The input's part of every time step is one product.
    if (products != nullptr) {
      products->of_inputs(dir, x, all_gates);
    } else {
      kernels::gemm(seq * batch, rows, input, x, static_cast<ptrdiff_t>(input), dir.w, all_gates, static_cast<ptrdiff_t>(rows), {.bias = dir.w_bias});
    }
    initial(5, d, h);
    initial(6, d, cell);
    const bool reversed = d == 1 || r.first_reversed;
    for (size_t s = 0; s < seq; ++s) {
      const size_t t = reversed ? seq - 1 - s : s;
      std::copy_n(cell, state, cell_next);
      dir.time = t;
      step(r, dir, all_gates + t * batch * rows, h, h_next, cell_next, step_scratch);
      for (size_t b = 0; b < batch; ++b) {
        // Past its own length a sequence keeps its state, and its Y is 0.
        const bool live = static_cast<int64_t>(t) < lengths[b];
        if (live) {
          std::copy_n(h_next + b * hidden, hidden, h + b * hidden);
          std::copy_n(cell_next + b * hidden, hidden, cell + b * hidden);
        }
        if (outputs[0] == nullptr) continue;
        const size_t row = r.batch_first ? (b * seq + t) * r.directions + d : (t * r.directions + d) * batch + b;
        if (live) {
          std::copy_n(h + b * hidden, hidden, outputs[0] + row * hidden);
        } else {
          std::fill_n(outputs[0] + row * hidden, hidden, 0.0f);
        }
      }
    }
    for (size_t i = 1; i < 3; ++i) {
      if (outputs[i] == nullptr) continue;
      for (size_t b = 0; b < batch; ++b) {
        const size_t row = r.batch_first ? b * r.directions + d : d * batch + b;
        std::copy_n((i == 1 ? h : cell) + b * hidden, hidden, outputs[i] + row * hidden);
      }
    }
  }
  for (size_t i = 0; i < 3; ++i) {
    if (outputs[i] == nullptr || c.out(i).dtype() == DType::kFloat32) continue;
    convert(DType::kFloat32, outputs[i], c.out(i).dtype(), c.out(i).raw(), c.out(i).count());
  }
}

}  // namespace kinglet::ops
