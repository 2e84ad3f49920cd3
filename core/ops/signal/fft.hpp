#pragma once
// The discrete Fourier transform of any length, in float64: mixed radix in Stockham's order (no bit reversal), and
// Bluestein's convolution where a large prime divides the length.

#include <memory>

#include "ops/op.hpp"

namespace kinglet::ops {

struct Complex {
  double re, im;
};

/// y[k] = sum over j of x[j] * exp(-2 pi i j k / n).
class Fft {
 public:
  /// Tables and buffers live in the operator's scratch. n >= 1. Throws kOutOfMemory.
  Fft(RunContext& c, size_t n);

  /// n values to be filled before run().
  Complex* input() { return input_; }
  /// Transforms input(), which is lost. The result lives until the next run().
  Complex* run();
  /// The inverse: exp(+2 pi i j k / n) / n.
  Complex* run_inverse();

  size_t size() const { return n_; }

 private:
  void plan_convolution(RunContext& c);
  Complex* run_stages();
  Complex* run_convolution();

  size_t n_;
  size_t factor_count_ = 0;
  uint8_t factors_[64];
  Complex* roots_ = nullptr;  // exp(-2 pi i k / n)
  Complex *input_ = nullptr, *other_ = nullptr;

  // Bluestein: jk = (j^2 + k^2 - (k - j)^2) / 2 makes the sum a convolution, which two transforms of a power of two
  // compute.
  std::unique_ptr<Fft> inner_;
  Complex *chirp_ = nullptr;     // exp(-pi i k^2 / n)
  Complex *spectrum_ = nullptr;  // of the conjugate chirp, wrapped around
};

/// Lines of a float tensor as complex numbers and back. An element has one part (real) or two.
class ComplexLines {
 public:
  /// For lines of up to `length` elements of this type.
  ComplexLines(RunContext& c, DType type, size_t length);
  /// `count` elements from offset `first` on, `stride` apart; offsets count parts.
  void load(const Tensor& x, size_t first, size_t count, size_t stride, size_t parts, Complex* to);
  /// As load(); `from` is lost.
  void store(Complex* from, size_t count, size_t parts, Tensor& y, size_t first, size_t stride);

 private:
  DType type_;
  std::byte* buffer_;
};

/// Input i as the one integer that it is meant to be, or nothing when it is absent or not known now.
std::optional<int64_t> known_scalar(const InferContext& c, size_t i);

/// The only element of a numeric tensor as float64, fractions kept.
double scalar_of(const Tensor& t);

}  // namespace kinglet::ops
