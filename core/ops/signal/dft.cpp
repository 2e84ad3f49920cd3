// DFT: the discrete Fourier transform along one axis of [..., 1] (real) or [..., 2] (complex), or its inverse; of real
// signals optionally the first half of the spectrum alone. The axis is an attribute before opset 20, then an input.

#include "ops/axis.hpp"
#include "ops/elementwise.hpp"
#include "ops/signal/fft.hpp"

namespace kinglet::ops {
namespace {

struct Dft {
  bool inverse, onesided;
  std::optional<int64_t> axis;  ///< nothing: input 2
};

Dft parse(const NodeView& n) {
  Dft op{n.attr_int("inverse", 0) != 0, n.attr_int("onesided", 0) != 0, std::nullopt};
  if (n.opset() < 20) op.axis = n.attr_int("axis", 1);
  if (n.opset() >= 20 && !n.has_input(2)) op.axis = -2;
  return op;
}

size_t axis_of(int64_t axis, size_t rank) {
  const size_t at = normalize_axis(axis, rank);
  if (at + 1 == rank) throw_error(ErrorCode::kShape, "axis {} holds the parts of complex numbers", axis);
  return at;
}

void infer(const Dft& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  const SymShape& in = c.shape(0);
  const std::optional<int64_t> axis = op.axis ? op.axis : known_scalar(c, 2);
  const std::optional<int64_t> given = known_scalar(c, 1);
  c.require(!given || *given >= 1, "a length of {}", given.value_or(0));
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  c.require(in.rank() >= 2, "needs [..., n, 1 or 2], got {}", in);
  const Dim parts = in[in.rank() - 1];
  c.require(!parts.known() || parts.value() == 1 || parts.value() == 2, "needs [..., n, 1 or 2], got {}", in);
  const bool real_output = op.inverse && op.onesided;
  SymShape out = axis ? in : SymShape::of_rank(in.rank());
  out[in.rank() - 1] = real_output ? 1 : 2;
  if (axis) {
    Dim& dim = out[axis_of(*axis, in.rank())];
    if (given) {
      dim = *given;
    } else if (c.has(1)) {
      dim = Dim();
    } else if (real_output) {
      c.require(!dim.known() || dim.value() >= 2, "a spectrum of {} values has no default length",
                dim.known() ? dim.value() : 0);
      dim = dim.known() ? Dim(2 * (dim.value() - 1)) : Dim();
    }
    if (op.onesided && !op.inverse) dim = dim.known() ? Dim(dim.value() / 2 + 1) : Dim();
  }
  c.out(0, c.dtype(0), std::move(out));
}

/// A spectrum whose second half mirrors the first: the transform of a real signal. Of the values that mirror
/// themselves only the real part counts.
void mirror(Complex* x, size_t n) {
  x[0].im = 0;
  if (n % 2 == 0) x[n / 2].im = 0;
  for (size_t k = 1; 2 * k < n; ++k) x[n - k] = {x[k].re, -x[k].im};
}

void run(const Dft& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (y.count() == 0) return;
  const size_t axis = axis_of(op.axis ? *op.axis : to_int64s(c.in(2)).at(0), x.rank());
  const AxisView in(x.shape(), axis), out(y.shape(), axis);
  const auto in_parts = static_cast<size_t>(x.shape().back()), out_parts = static_cast<size_t>(y.shape().back());
  const bool forward_half = op.onesided && !op.inverse;
  size_t length = forward_half ? in.n : out.n;
  if (c.has(1)) length = static_cast<size_t>(to_int64s(c.in(1)).at(0));
  c.require(length >= 1, "a length of {}", length);
  const bool from_half = op.onesided && op.inverse;
  const size_t taken = std::min(in.n, from_half ? length / 2 + 1 : length);

  Fft fft(c, length);
  ComplexLines lines(c, x.dtype(), std::max(taken, out.n));
  for (size_t o = 0; o < in.outer; ++o) {
    for (size_t i = 0; i < in.inner / in_parts; ++i) {
      Complex* line = fft.input();
      std::fill(line + taken, line + length, Complex{0, 0});
      if (taken != 0) lines.load(x, o * in.n * in.inner + i * in_parts, taken, in.inner, in_parts, line);
      if (from_half) mirror(line, length);
      Complex* result = op.inverse ? fft.run_inverse() : fft.run();
      lines.store(result, out.n, out_parts, y, o * out.n * out.inner + i * out_parts, out.inner);
    }
  }
}

}  // namespace

KINGLET_OP(DFT, op<Dft, parse, infer, run>(since(17)));

}  // namespace kinglet::ops
