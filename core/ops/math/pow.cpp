// Pow with broadcasting: base and exponent may differ in type (opset >= 12), the result has the base's.
// Integer powers wrap; 0 to a negative power gives 0.

#include <algorithm>
#include <cmath>

#include "kernels/math.hpp"
#include "ops/broadcast.hpp"
#include "ops/elementwise.hpp"
#include "ops/legacy.hpp"

namespace kinglet::ops {
namespace {

struct Pow {
  LegacyBroadcast broadcast;

  static double of(double base, double exponent) { return std::pow(base, exponent); }
  static int64_t of(int64_t base, int64_t exponent) {
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    uint64_t result = 1;
    for (auto power = static_cast<uint64_t>(base); exponent != 0; exponent >>= 1, power *= power) {
      if ((exponent & 1) != 0) result *= power;
    }
    return static_cast<int64_t>(result);
  }
};

Pow parse(const NodeView& n) { return {LegacyBroadcast::of(n)}; }

void infer(const Pow& op, InferContext& c) {
  check_type(c.dtype(0), kNumbers);
  check_type(c.dtype(1), kNumbers);
  c.out(0, c.dtype(0), op.broadcast.infer(c));
}

/// x to one of the powers that normalisation and GELU are written with; false for another one.
bool run_known_power(const Tensor& x, double exponent, Tensor& y) {
  const float* from = x.data<float>();
  float* to = y.data<float>();
  const size_t n = x.count();
  if (exponent == 0.5) {
    kernels::sqrt(from, to, n);
    return true;
  }
  if (exponent != 2 && exponent != 3) return false;
  float block[kBlock];
  for (size_t start = 0; start < n; start += kBlock) {
    const size_t count = std::min(kBlock, n - start);
    kernels::binary(kernels::Binary::kMul, from + start, from + start, exponent == 2 ? to + start : block, count);
    if (exponent == 3) kernels::binary(kernels::Binary::kMul, block, from + start, to + start, count);
  }
  return true;
}

template <class T>
void run_as(const Tensor& base, const Tensor& exponent, Tensor& y) {
  const DType wide = dtype_of<T>;
  T bases[kBlock], exponents[kBlock], results[kBlock];
  const auto load = [&](const Tensor& t, size_t at, size_t n, T* to) {
    convert(t.dtype(), t.raw() + at * dtype_size(t.dtype()), wide, to, n);
  };
  for (Broadcast walk(y.shape(), {&base.shape(), &exponent.shape()}); walk.more(); walk.next()) {
    for (size_t start = 0; start < walk.run; start += kBlock) {
      const size_t n = std::min(kBlock, walk.run - start);
      load(base, walk.offset[0] + start * walk.step[0], walk.step[0] == 0 ? 1 : n, bases);
      load(exponent, walk.offset[1] + start * walk.step[1], walk.step[1] == 0 ? 1 : n, exponents);
      binary_loop<Pow, T>(bases, exponents, results, n, walk.step[0], walk.step[1]);
      convert(wide, results, y.dtype(), y.raw() + (walk.out_offset + start) * dtype_size(y.dtype()), n);
    }
  }
}

void run(const Pow& op, RunContext& c) {
  const Tensor& base = c.in(0);
  const Tensor exponent = op.broadcast.operand(c);
  Tensor& y = c.out(0);
  if (base.dtype() == DType::kFloat32 && exponent.count() == 1 && base.shape() == y.shape()) {
    double value;
    convert(exponent.dtype(), exponent.raw(), DType::kFloat64, &value, 1);
    if (run_known_power(base, value, y)) return;
  }
  if (is_float(base.dtype()) || is_float(exponent.dtype())) return run_as<double>(base, exponent, y);
  run_as<int64_t>(base, exponent, y);
}

}  // namespace

KINGLET_OP(Pow, op<Pow, parse, infer, run>(since(1)).with_traits(kInPlace | kPermutable));

}  // namespace kinglet::ops
