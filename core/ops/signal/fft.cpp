#include "ops/signal/fft.hpp"

#include <cmath>
#include <numbers>
#include <utility>

#include "ops/convert.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

/// Primes up to here are butterflies of their own; larger ones are cheaper by convolution.
constexpr size_t kMaxRadix = 47;

Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
Complex conjugate(Complex a) { return {a.re, -a.im}; }
Complex times_minus_i(Complex a) { return {a.im, -a.re}; }

/// exp(-2 pi i k / n)
Complex root(size_t k, size_t n) {
  const double angle = 2 * std::numbers::pi * (static_cast<double>(k) / static_cast<double>(n));
  return {std::cos(angle), -std::sin(angle)};
}

/// The part of a length that no small prime divides; each that does goes to `take`.
template <class F>
size_t split(size_t n, F take) {
  for (const size_t p : {size_t{4}, size_t{2}}) {
    for (; n % p == 0; n /= p) take(p);
  }
  for (size_t p = 3; p <= kMaxRadix; p += 2) {
    for (; n % p == 0; n /= p) take(p);
  }
  return n;
}

/// A stage of n = p * l * m: `in` holds, for each residue r of n / l, the transform of length l of the elements r,
/// r + n / l, ...; its k-th value lies at k * n / l + r. `out` gets the same for l * p.
struct Stage {
  size_t n, p, l, m;
  const Complex* roots;

  void run(const Complex* in, Complex* out) const {
    Complex a[kMaxRadix];
    for (size_t k = 0; k < l; ++k, in += p * m, out += m) {
      for (size_t r = 0; r < m; ++r) {
        for (size_t q = 0; q < p; ++q) a[q] = k == 0 ? in[q * m + r] : in[q * m + r] * roots[q * k * m];
        butterfly(a, out + r);
      }
    }
  }

  /// The transform of length p, its values l * m apart.
  void butterfly(const Complex* a, Complex* out) const {
    const size_t step = l * m;
    if (p == 2) {
      out[0] = a[0] + a[1];
      out[step] = a[0] - a[1];
      return;
    }
    if (p == 4) {
      const Complex even = a[0] + a[2], even_rest = a[0] - a[2];
      const Complex odd = a[1] + a[3], odd_rest = times_minus_i(a[1] - a[3]);
      out[0] = even + odd;
      out[step] = even_rest + odd_rest;
      out[2 * step] = even - odd;
      out[3 * step] = even_rest - odd_rest;
      return;
    }
    for (size_t s = 0; s < p; ++s) {
      Complex sum = a[0];
      for (size_t q = 1, turn = s; q < p; ++q, turn += s) {
        if (turn >= p) turn -= p;
        sum = sum + a[q] * roots[turn * step];
      }
      out[s * step] = sum;
    }
  }
};

}  // namespace

Fft::Fft(RunContext& c, size_t n) : n_(n) {
  const size_t rest = split(n, [this](size_t p) { factors_[factor_count_++] = static_cast<uint8_t>(p); });
  input_ = c.scratch<Complex>(n);
  if (rest != 1) {
    plan_convolution(c);
    return;
  }
  other_ = c.scratch<Complex>(n);
  roots_ = c.scratch<Complex>(n);
  for (size_t k = 0; k < n; ++k) roots_[k] = root(k, n);
}

void Fft::plan_convolution(RunContext& c) {
  size_t length = 1;
  while (length < 2 * n_ - 1) length *= 2;
  inner_ = std::make_unique<Fft>(c, length);
  chirp_ = c.scratch<Complex>(n_);
  spectrum_ = c.scratch<Complex>(length);
  Complex* wrapped = inner_->input();
  std::fill_n(wrapped, length, Complex{0, 0});
  for (size_t k = 0, square = 0; k < n_; ++k) {
    chirp_[k] = root(square, 2 * n_);
    wrapped[k] = wrapped[k == 0 ? 0 : length - k] = conjugate(chirp_[k]);
    square = (square + 2 * k + 1) % (2 * n_);
  }
  std::copy_n(inner_->run(), length, spectrum_);
}

Complex* Fft::run_stages() {
  Stage stage{n_, 1, 1, n_, roots_};
  Complex *from = input_, *to = other_;
  for (size_t i = 0; i < factor_count_; ++i) {
    stage.p = factors_[i];
    stage.m /= stage.p;
    stage.run(from, to);
    stage.l *= stage.p;
    std::swap(from, to);
  }
  return from;
}

Complex* Fft::run_convolution() {
  Complex* work = inner_->input();
  for (size_t k = 0; k < n_; ++k) work[k] = input_[k] * chirp_[k];
  std::fill_n(work + n_, inner_->size() - n_, Complex{0, 0});
  const Complex* product = inner_->run();
  for (size_t k = 0; k < inner_->size(); ++k) work[k] = product[k] * spectrum_[k];
  const Complex* sums = inner_->run_inverse();
  for (size_t k = 0; k < n_; ++k) input_[k] = sums[k] * chirp_[k];
  return input_;
}

Complex* Fft::run() { return inner_ ? run_convolution() : run_stages(); }

Complex* Fft::run_inverse() {
  // The inverse is the forward transform with real and imaginary parts exchanged, before and after.
  for (size_t k = 0; k < n_; ++k) std::swap(input_[k].re, input_[k].im);
  Complex* out = run();
  const double scale = 1 / static_cast<double>(n_);
  for (size_t k = 0; k < n_; ++k) out[k] = {out[k].im * scale, out[k].re * scale};
  return out;
}

ComplexLines::ComplexLines(RunContext& c, DType type, size_t length)
    : type_(type), buffer_(c.scratch<std::byte>(length * 2 * dtype_size(type))) {}

void ComplexLines::load(const Tensor& x, size_t first, size_t count, size_t stride, size_t parts, Complex* to) {
  const CopyAxis axes[] = {
      {static_cast<int64_t>(count), static_cast<int64_t>(parts), static_cast<int64_t>(stride)},
      {static_cast<int64_t>(parts), 1, 1},
  };
  copy_strided(type_, axes, buffer_, element(x, first));
  auto* values = &to->re;
  convert(type_, buffer_, DType::kFloat64, values, count * parts);
  for (size_t i = parts == 1 ? count : 0; i-- > 0;) to[i] = {values[i], 0};
}

void ComplexLines::store(Complex* from, size_t count, size_t parts, Tensor& y, size_t first, size_t stride) {
  auto* values = &from->re;
  for (size_t i = 0; parts == 1 && i < count; ++i) values[i] = from[i].re;
  convert(DType::kFloat64, values, type_, buffer_, count * parts);
  const CopyAxis axes[] = {
      {static_cast<int64_t>(count), static_cast<int64_t>(stride), static_cast<int64_t>(parts)},
      {static_cast<int64_t>(parts), 1, 1},
  };
  copy_strided(type_, axes, element(y, first), buffer_);
}

std::optional<int64_t> known_scalar(const InferContext& c, size_t i) {
  const auto values = known_ints(c, i);
  if (!values) return std::nullopt;
  c.require(values->size() == 1, "input {} must be one number, got {}", i, values->size());
  return values->front();
}

double scalar_of(const Tensor& t) {
  RunContext::require(t.count() == 1, "must have one element, got {}", t.count());
  double value;
  convert(t.dtype(), t.raw(), DType::kFloat64, &value, 1);
  return value;
}

}  // namespace kinglet::ops
