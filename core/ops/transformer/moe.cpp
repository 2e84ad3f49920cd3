// MoE of com.microsoft - a mixture of experts: each token goes through the k feed-forward networks that a router rates
// highest, and the results are summed by weight.
// QMoE - the same of weights of 2, 4 or 8 bits, with a scale a row or a block.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/flags.hpp"
#include "kernels/activation.hpp"
#include "kernels/quantize.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/transformer/lazy_product.hpp"

namespace kinglet::ops {
namespace {

using Kind = kernels::Activation::Kind;

/// Inputs of a layer's weights.
struct Layer {
  size_t weights, scales, bias, zeros;
};
constexpr size_t kNone = SIZE_MAX;

struct Inputs {
  Layer first, second, third;
  size_t router_weights;
};
constexpr Inputs kFloat{{2, kNone, 3, kNone}, {4, kNone, 5, kNone}, {6, kNone, 7, kNone}, kNone};
constexpr Inputs kQuantized{{2, 3, 4, 11}, {5, 6, 7, 12}, {8, 9, 10, 13}, 14};
enum Input : size_t { kX, kRouter };

struct MoE {
  const Inputs* in;
  size_t k;
  Kind activation;
  bool gated;  ///< pairs of numbers become one: SwiGLU
  bool normalizes;
  float alpha, beta, limit;  ///< of SwiGLU
  size_t bits, block;        ///< of QMoE; a block of 0 is a row

  bool quantized() const { return in == &kQuantized; }
  size_t per_byte() const { return quantized() ? 8 / bits : 1; }
};

MoE parse(const NodeView& n) {
  const bool quantized = n.op_type() == "QMoE";
  const auto require = [](bool fits, const char* name, int64_t value) {
    if (!fits) throw_error(ErrorCode::kModel, "attribute '{}' is {}", name, value);
    return static_cast<size_t>(value);
  };
  MoE op{};
  op.in = quantized ? &kQuantized : &kFloat;
  const int64_t k = n.attr_int("k", 1), fusion = n.attr_int("swiglu_fusion", 0), mixer = n.attr_int("use_sparse_mixer", 0),
                bits = n.attr_int("expert_weight_bits", 4), block = n.attr_int("block_size", 0);
  op.k = require(k >= 1 && k <= INT32_MAX, "k", k);
  const std::string activation = n.attr_string("activation_type", "relu");
  op.gated = activation == "swiglu";
  if (activation == "relu") {
    op.activation = Kind::kRelu;
  } else if (activation == "gelu") {
    op.activation = Kind::kGeluTanh;
  } else if (activation == "silu") {
    op.activation = Kind::kSilu;
  } else if (activation != "identity" && !op.gated) {
    throw_error(ErrorCode::kModel, "attribute '{}' is '{}'", "activation_type", activation);
  }
  require(!op.gated || fusion == 1, "swiglu_fusion", fusion);
  require(mixer == 0, "use_sparse_mixer", mixer);
  op.normalizes = n.attr_int("normalize_routing_weights", 0) != 0;
  op.alpha = n.attr_float("activation_alpha", 1);
  op.beta = n.attr_float("activation_beta", 0);
  op.limit = n.attr_float("swiglu_limit", std::numeric_limits<float>::infinity());
  if (!(op.limit >= 0)) throw_error(ErrorCode::kModel, "attribute 'swiglu_limit' is not above 0");
  op.bits = require(!quantized || bits == 2 || bits == 4 || bits == 8, "expert_weight_bits", bits);
  const bool is_size = block >= 16 && block <= INT32_MAX && std::has_single_bit(static_cast<uint64_t>(block));
  op.block = require(block == 0 || is_size, "block_size", block);
  const Layer& third = op.in->third;
  for (const size_t i : {third.weights, third.scales, third.bias, third.zeros})
    if (n.has_input(i)) throw_error(ErrorCode::kModel, "a third layer (input {}) is not supported", static_cast<int64_t>(i));
  return op;
}

void infer(const MoE& op, InferContext& c) {
  const TypeSet floats = kFloats & ~type_set(DType::kFloat64);
  const auto check = [&](size_t i, TypeSet allowed) {
    if (c.has(i)) check_type(c.dtype(i), allowed);
  };
  for (const size_t i : {size_t{kX}, size_t{kRouter}, op.in->router_weights}) check(i, floats);
  for (const Layer* layer : {&op.in->first, &op.in->second}) {
    check(layer->weights, op.quantized() ? type_set(DType::kUint8) : floats);
    check(layer->zeros, type_set(DType::kUint8));
    check(layer->scales, floats);
    check(layer->bias, floats);
  }
  const SymShape& x = c.shape(kX);
  c.require(!x.has_rank() || x.rank() == 2 || x.rank() == 3, "expected tokens of rank 2 or 3, got {}", x);
  c.out(0, c.dtype(kX), x);
}

/// The weights [n, k] of one expert after another.
class ExpertRows : public LazyRows {
 public:
  ExpertRows(const MoE& op, RunContext& c, const Layer& layer, size_t experts, size_t n, size_t k)
      : op_(op), weights_(c.in(layer.weights)), n_(n), k_(k) {
    const auto e = static_cast<int64_t>(experts), rows = static_cast<int64_t>(n), depth = static_cast<int64_t>(k);
    const auto pack = static_cast<int64_t>(op.per_byte());
    // Shapes of older models name the dims the other way round; the memory is the same.
    const Shape wanted{e, rows, depth / pack}, old{e, depth, rows / pack};
    const Shape& shape = weights_.shape();
    const bool fits = (shape == wanted && depth % pack == 0) || (shape == old && rows % pack == 0 && depth % pack == 0);
    c.require(fits, "expected weights {}, got {}", wanted, shape);
    if (c.has(layer.bias)) {
      const Tensor& bias = c.in(layer.bias);
      c.require(bias.shape() == Shape{e, rows}, "expected a bias [{},{}], got {}", e, rows, bias.shape());
      bias_ = as_f32(c, bias);
    }
    if (!op.quantized()) return;
    const Tensor& scales = c.in(layer.scales);
    const size_t blocks = op.block == 0 ? 1 : (k + op.block - 1) / op.block;
    const auto in_row = static_cast<int64_t>(blocks);
    const Shape per_row{e, rows}, per_block{e, rows, in_row};
    c.require(scales.shape() == per_block || (blocks == 1 && scales.shape() == per_row), "expected scales {}, got {}",
              op.block == 0 ? per_row : per_block, scales.shape());
    scales_ = as_f32(c, scales);
    blocks_ = blocks;
    block_ = op.block == 0 ? k : op.block;
    if (!c.has(layer.zeros)) return;
    // Zero points lie packed along the blocks of a row, or where that has one, along the rows.
    const Tensor& zeros = c.in(layer.zeros);
    zero_rows_ = blocks > 1 ? n : 1;
    zero_columns_ = blocks > 1 ? blocks : n;
    zero_bytes_ = (zero_columns_ + op.per_byte() - 1) / op.per_byte();
    c.require(zeros.count() == uint64_t{experts} * zero_rows_ * zero_bytes_, "expected {} bytes of zero points, got {}",
              uint64_t{experts} * zero_rows_ * zero_bytes_, zeros.shape());
    zeros_ = zeros.data<uint8_t>();
  }

  void choose(size_t expert) { expert_ = expert; }
  const float* bias() const { return bias_ == nullptr ? nullptr : bias_ + expert_ * n_; }

  const float* rows(size_t first, size_t count, float* buffer) const override {
    const size_t row = expert_ * n_ + first;
    if (!op_.quantized()) {
      const std::byte* const from = weights_.raw() + row * k_ * dtype_size(weights_.dtype());
      if (weights_.dtype() == DType::kFloat32) return reinterpret_cast<const float*>(from);
      convert(weights_.dtype(), from, DType::kFloat32, buffer, count * k_);
      return buffer;
    }
    for (size_t r = 0; r < count; ++r) dequantize(row + r, first + r, buffer + r * k_);
    return buffer;
  }

 private:
  static unsigned bits_of(const uint8_t* codes, size_t i, size_t bits) {
    const size_t per_byte = 8 / bits;
    return codes[i / per_byte] >> i % per_byte * bits & ((1u << bits) - 1);
  }

  int32_t zero(size_t row, size_t block) const {
    if (zeros_ == nullptr) return int32_t{1} << (op_.bits - 1);
    const size_t line = blocks_ > 1 ? expert_ * n_ + row : expert_;
    return static_cast<int32_t>(bits_of(zeros_ + line * zero_bytes_, blocks_ > 1 ? block : row, op_.bits));
  }

  /// Row `row` of all experts, `own` of this one.
  void dequantize(size_t row, size_t own, float* y) const {
    const uint8_t* packed = weights_.data<uint8_t>() + row * (k_ / op_.per_byte());
    uint8_t codes[kBlock];
    for (size_t i = 0; i < k_;) {
      const size_t block = i / block_, n = std::min({kBlock, block_ - i % block_, k_ - i});
      kernels::unpack_codes(packed, op_.bits, codes, n / op_.per_byte());
      kernels::dequantize(codes, false, y + i, n, scales_[row * blocks_ + block], zero(own, block));
      packed += n / op_.per_byte();
      i += n;
    }
  }

  const MoE& op_;
  const Tensor& weights_;
  size_t n_, k_, expert_ = 0;
  const float *bias_ = nullptr, *scales_ = nullptr;
  const uint8_t* zeros_ = nullptr;
  size_t blocks_ = 1, block_ = 1, zero_rows_ = 1, zero_columns_ = 1, zero_bytes_ = 1;
};

/// A token that an expert takes, and the weight of what it makes of it.
struct Route {
  size_t token, expert;
  float weight;
};

/// The k experts of the highest ratings; of equal ones the last.
void choose_experts(const float* ratings, size_t experts, size_t k, size_t* chosen) {
  Flags taken(experts);
  for (size_t j = 0; j < k; ++j) {
    size_t best = experts;
    for (size_t e = 0; e < experts; ++e)
      if (!taken[e] && (best == experts || ratings[e] >= ratings[best])) best = e;
    taken[best] = 1;
    chosen[j] = best;
  }
}

std::vector<Route> routes_of(const MoE& op, RunContext& c, size_t tokens, size_t experts) {
  const float* const ratings = as_f32(c, c.in(kRouter));
  const bool given = c.has(op.in->router_weights);
  const float* const weights = given ? as_f32(c, c.in(op.in->router_weights)) : nullptr;
  if (given) {
    c.require(c.in(op.in->router_weights).shape() == c.in(kRouter).shape(), "router weights {} and ratings {} differ",
              c.in(op.in->router_weights).shape(), c.in(kRouter).shape());
  }
  // Weights below this are as good as none.
  const float least = op.quantized() ? 1e-8f : 0.0f;
  std::vector<Route> routes;
  std::vector<size_t> chosen(op.k);
  std::vector<float> row(experts), own(op.k);
  for (size_t token = 0; token < tokens; ++token) {
    const float* const rating = ratings + token * experts;
    const float highest = *std::max_element(rating, rating + experts);
    float all = 0, some = 0;
    for (size_t e = 0; e < experts; ++e) all += row[e] = std::exp(rating[e] - highest);
    if (!op.quantized())
      for (size_t e = 0; e < experts; ++e) row[e] /= all;
    choose_experts(op.quantized() ? rating : row.data(), experts, op.k, chosen.data());
    for (size_t j = 0; j < op.k; ++j) some += own[j] = given ? weights[token * experts + chosen[j]] : row[chosen[j]];
    // QMoE's own weights are of the chosen ones alone.
    const bool normalizes = op.normalizes || (op.quantized() && !given);
    const float factor = !normalizes ? 1.0f : some == 0 ? 0.0f : 1 / some;
    for (size_t j = 0; j < op.k; ++j)
      if (own[j] * factor > least) routes.push_back({token, chosen[j], own[j] * factor});
  }
  return routes;
}

/// Pairs of a gate and a value become one number each.
void gate(const MoE& op, const float* pairs, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const float x = std::min(pairs[2 * i], op.limit), value = std::clamp(pairs[2 * i + 1], -op.limit, op.limit);
    y[i] = x / (1 + std::exp(-op.alpha * x)) * (value + op.beta);
  }
}

void run(const MoE& op, RunContext& c) {
  const Tensor& x = c.in(kX);
  const Shape& router = c.in(kRouter).shape();
  const auto hidden = static_cast<size_t>(x.shape().back());
  const size_t tokens = x.shape().count(0, x.rank() - 1);
  c.require(router.rank() == 2 && router[0] == static_cast<int64_t>(tokens) && router[1] > 0,
            "ratings {} do not go with tokens {}", router, x.shape());
  const auto experts = static_cast<size_t>(router[1]);
  c.require(op.k <= experts, "{} of {} experts", op.k, experts);
  const Tensor& second = c.in(op.in->second.weights);
  c.require(second.rank() == 3 && second.dim(0) == router[1] && hidden > 0, "expected weights [{},{},...], got {}", experts,
            hidden, second.shape());
  const size_t inner = second.shape().count(1, 3) / hidden * op.per_byte();
  c.require(inner <= size_t{1} << 30, "weights {} are too large", second.shape());
  const size_t outer = op.gated ? 2 * inner : inner;

  ExpertRows first_rows(op, c, op.in->first, experts, outer, hidden), second_rows(op, c, op.in->second, experts, hidden, inner);
  const std::vector<Route> routes = routes_of(op, c, tokens, experts);
  std::vector<size_t> counts(experts);
  for (const Route& route : routes) ++counts[route.expert];
  const size_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  const float* const from = as_f32(c, x);
  float *const in = c.scratch<float>(most, hidden), *const middle = c.scratch<float>(most, outer),
              *const gated = op.gated ? c.scratch<float>(most, inner) : middle, *const out = c.scratch<float>(most, hidden);
  const ThreadScratch scratch = lazy_scratch(c, std::max(hidden, inner));
  F32Output y(c, c.out(0));
  std::fill_n(y.data(), x.count(), 0.0f);
  for (size_t expert = 0; expert < experts; ++expert) {
    if (counts[expert] == 0) continue;
    const auto each_row = [&](const auto& body) {
      size_t row = 0;
      for (const Route& route : routes)
        if (route.expert == expert) body(route, row++ * hidden);
    };
    each_row([&](const Route& route, size_t at) { std::copy_n(from + route.token * hidden, hidden, in + at); });
    const size_t rows = counts[expert];
    first_rows.choose(expert);
    multiply_lazily(scratch, rows, outer, hidden, in, first_rows, middle, first_rows.bias());
    if (op.gated) {
      gate(op, middle, gated, rows * inner);
    } else if (op.activation != Kind::kNone) {
      kernels::apply({.kind = op.activation}, middle, rows * inner);
    }
    second_rows.choose(expert);
    multiply_lazily(scratch, rows, hidden, inner, gated, second_rows, out, second_rows.bias());
    each_row([&](const Route& route, size_t at) {
      float* const to = y.data() + route.token * hidden;
      for (size_t i = 0; i < hidden; ++i) to[i] += route.weight * out[at + i];
    });
  }
  y.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", MoE, op<MoE, parse, infer, run>(since(1)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QMoE, op<MoE, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
