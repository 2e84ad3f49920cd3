// HannWindow, HammingWindow and BlackmanWindow: a sum of cosines over one period, of `size` samples.

#include <cmath>
#include <numbers>

#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/signal/fft.hpp"

namespace kinglet::ops {
namespace {

/// a0 - a1 cos(t) + a2 cos(2 t)
struct Coefficients {
  double a0, a1, a2;
};
constexpr Coefficients kHann{0.5, 0.5, 0}, kHamming{25.0 / 46, 21.0 / 46, 0}, kBlackman{0.42, 0.5, 0.08};

struct Window {
  Coefficients a;
  bool periodic;
  DType type;
};

template <const Coefficients& a>
Window parse(const NodeView& n) {
  const auto type = dtype_from_onnx(n.attr_int("output_datatype", 1));
  if (!type) throw_error(ErrorCode::kModel, "element type {} is not known", n.attr_int("output_datatype"));
  check_type(*type, kNumbers);
  return {a, n.attr_int("periodic", 1) != 0, *type};
}

void infer(const Window& op, InferContext& c) {
  c.in(0);
  const std::optional<int64_t> size = known_scalar(c, 0);
  c.require(!size || *size >= 0, "a size of {}", size.value_or(0));
  c.out(0, op.type, SymShape({size ? Dim(*size) : Dim()}));
}

void run(const Window& op, RunContext& c) {
  Tensor& y = c.out(0);
  const size_t size = y.count();
  // The last sample of a symmetric window is as the first; a period of 0 would be that one sample alone.
  const auto period = static_cast<double>(op.periodic || size < 2 ? size : size - 1);
  double block[kBlock];
  for (size_t start = 0; start < size; start += kBlock) {
    const size_t n = std::min(kBlock, size - start);
    for (size_t i = 0; i < n; ++i) {
      const double t = 2 * std::numbers::pi * (static_cast<double>(start + i) / period);
      block[i] = op.a.a0 - op.a.a1 * std::cos(t) + op.a.a2 * std::cos(2 * t);
    }
    convert(DType::kFloat64, block, op.type, y.raw() + start * dtype_size(op.type), n);
  }
}

template <const Coefficients& a>
constexpr OpDef window() {
  return op<Window, parse<a>, infer, run>(since(17));
}

}  // namespace

KINGLET_OP(HannWindow, window<kHann>());
KINGLET_OP(HammingWindow, window<kHamming>());
KINGLET_OP(BlackmanWindow, window<kBlackman>());

}  // namespace kinglet::ops
