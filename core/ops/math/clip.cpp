// Clip: limits as attributes (opset < 11) or as optional scalar inputs. A NaN stays; low > high gives high.

#include <limits>

#include "kernels/activation.hpp"
#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct Clip {
  bool by_inputs;
  float low, high;
};

Clip parse(const NodeView& n) {
  constexpr float kMax = std::numeric_limits<float>::max();
  if (n.opset() >= 11) return {.by_inputs = true, .low = -kMax, .high = kMax};
  return {.by_inputs = false, .low = n.attr_float("min", -kMax), .high = n.attr_float("max", kMax)};
}

void infer(const Clip&, InferContext& c) {
  common_type(c, 0, c.inputs(), kNumbers);
  infer_unary(c, kNumbers);
  for (size_t i = 1; i < c.inputs(); ++i) {
    if (!c.has(i) || !c.shape(i).is_concrete()) continue;
    c.require(c.shape(i).concrete().count() == 1, "a limit must be a scalar, got {}", c.shape(i));
  }
}

template <class T>
struct Limits {
  T low, high;
};

/// The limits in the wide type T.
template <class T>
Limits<T> limits(const Clip& op, const RunContext& c) {
  using Range = std::numeric_limits<T>;
  Limits<T> out = {Range::has_infinity ? -Range::infinity() : Range::lowest(),
                   Range::has_infinity ? Range::infinity() : Range::max()};
  if constexpr (std::is_floating_point_v<T>) {
    if (!op.by_inputs) return {static_cast<T>(op.low), static_cast<T>(op.high)};
  }
  T* const targets[] = {&out.low, &out.high};
  for (size_t i = 1; i < 3; ++i) {
    T buffer;
    if (c.has(i)) *targets[i - 1] = *static_cast<const T*>(widen(c.in(i).dtype(), c.in(i).raw(), &buffer, 1));
  }
  return out;
}

template <class T>
void run_as(const Clip& op, RunContext& c) {
  const UnaryLoop loop = [](const void* params, const void* x, void* y, size_t n) {
    const auto& [low, high] = *static_cast<const Limits<T>*>(params);
    if constexpr (std::is_same_v<T, float>) {
      kernels::apply({kernels::Activation::Kind::kClip, low, high}, static_cast<const float*>(x),
                     static_cast<float*>(y), n);
    } else {
      for (size_t i = 0; i < n; ++i) {
        const T v = static_cast<const T*>(x)[i];
        const T raised = v < low ? low : v;
        static_cast<T*>(y)[i] = raised > high ? high : raised;
      }
    }
  };
  const Limits<T> params = limits<T>(op, c);
  apply_unary(loop, &params, c.in(0), c.out(0));
}

void run(const Clip& op, RunContext& c) {
  switch (wide_type(c.in(0).dtype())) {
    case DType::kFloat32: return run_as<float>(op, c);
    case DType::kFloat64: return run_as<double>(op, c);
    case DType::kInt64: return run_as<int64_t>(op, c);
    default: return run_as<uint64_t>(op, c);
  }
}

}  // namespace

KINGLET_OP(Clip, op<Clip, parse, infer, run>(since(1)).with_traits(kInPlace | kPermutable));

}  // namespace kinglet::ops
