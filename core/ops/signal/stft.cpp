// STFT: the spectra of windowed frames of a signal [batch, length, 1 (real) or 2 (complex)].

#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/signal/fft.hpp"

namespace kinglet::ops {
namespace {

struct Stft {
  bool onesided;
};

Stft parse(const NodeView& n) { return {n.attr_int("onesided", 1) != 0}; }

/// The length of a frame as input 3, the window (input 2) or else the signal says it.
Dim frame_length(const InferContext& c) {
  const Dim whole = c.shape(0).has_rank() ? c.shape(0)[1] : Dim();
  Dim length = c.has(2) || c.has(3) ? Dim() : whole;
  if (const auto given = known_scalar(c, 3)) {
    c.require(*given >= 1, "a frame of {}", *given);
    length = *given;
  }
  if (!c.has(2) || !c.shape(2).has_rank()) return length;
  c.require(c.shape(2).rank() == 1, "the window must be a vector, got {}", c.shape(2));
  return unify(length, c.shape(2)[0]);
}

void infer(const Stft& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  if (c.has(2)) require_same_types(c, 0, 2);
  const SymShape& in = c.shape(0);
  c.require(!in.has_rank() || in.rank() == 3, "needs [batch, length, 1 or 2], got {}", in);
  c.in(1);
  const std::optional<int64_t> step = known_scalar(c, 1);
  c.require(!step || *step >= 1, "a step of {}", step.value_or(0));
  SymShape out = SymShape::of_rank(4);
  out[3] = 2;
  const Dim frame = frame_length(c);
  if (frame.known()) out[2] = op.onesided ? frame.value() / 2 + 1 : frame.value();
  if (in.has_rank()) {
    const Dim parts = in[2], length = in[1];
    c.require(!parts.known() || parts.value() == 1 || parts.value() == 2, "needs [batch, length, 1 or 2], got {}", in);
    out[0] = in[0];
    if (step && frame.known() && length.known()) {
      c.require(frame.value() >= 1 && frame.value() <= length.value(), "a frame of {} in a signal of {}", frame.value(),
                length.value());
      out[1] = (length.value() - frame.value()) / *step + 1;
    }
  }
  c.out(0, c.dtype(0), std::move(out));
}

void run(const Stft&, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (y.count() == 0) return;
  const auto batches = static_cast<size_t>(x.dim(0)), length = static_cast<size_t>(x.dim(1)),
             parts = static_cast<size_t>(x.dim(2)), frames = static_cast<size_t>(y.dim(1)),
             bins = static_cast<size_t>(y.dim(2));
  const auto step = static_cast<size_t>(to_int64s(c.in(1)).at(0));
  size_t size = c.has(2) ? c.in(2).count() : length;
  if (c.has(3)) size = static_cast<size_t>(to_int64s(c.in(3)).at(0));

  double* window = nullptr;
  if (c.has(2)) {
    require_same_type(x, c.in(2));
    window = c.scratch<double>(size);
    convert(x.dtype(), c.in(2).raw(), DType::kFloat64, window, size);
  }
  Fft fft(c, size);
  ComplexLines lines(c, x.dtype(), size);
  for (size_t b = 0; b < batches; ++b) {
    for (size_t f = 0; f < frames; ++f) {
      Complex* frame = fft.input();
      lines.load(x, (b * length + f * step) * parts, size, parts, parts, frame);
      for (size_t i = 0; window != nullptr && i < size; ++i) {
        frame[i] = {frame[i].re * window[i], frame[i].im * window[i]};
      }
      lines.store(fft.run(), bins, 2, y, (b * frames + f) * bins * 2, 2);
    }
  }
}

}  // namespace

KINGLET_OP(STFT, op<Stft, parse, infer, run>(since(17)));

}  // namespace kinglet::ops
