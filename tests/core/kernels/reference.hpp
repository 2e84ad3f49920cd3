#pragma once
// What kernel tests compare with: plain loops in double, and images with gaps that must be neither read nor
// written.

#include <catch2/catch_all.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "kernels/activation.hpp"
#include "kernels/conv.hpp"

namespace kinglet::kernels::test {

/// Values in [-1, 1), the same on every platform.
class Random {
 public:
  explicit Random(uint32_t seed = 1) : state_(seed) {}

  float value() { return static_cast<float>(next() >> 8) / static_cast<float>(1 << 23) - 1.0f; }
  size_t below(size_t n) { return next() % n; }

  std::vector<float> values(size_t n) {
    std::vector<float> v(n);
    for (float& x : v) x = value();
    return v;
  }

 private:
  uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    return state_ ^= state_ << 5;
  }
  uint32_t state_;
};

/// Rows of `columns` values, `stride` apart; the gaps between them are NaN.
struct Rows {
  size_t rows, columns, stride;
  std::vector<float> data;

  Rows(size_t rows, size_t columns, size_t gap = 0)
      : rows(rows),
        columns(columns),
        stride(columns + gap),
        data(rows == 0 ? 0 : (rows - 1) * stride + columns, std::numeric_limits<float>::quiet_NaN()) {}

  static Rows random(Random& random, size_t rows, size_t columns, size_t gap = 0) {
    Rows r(rows, columns, gap);
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < columns; ++j) r.at(i, j) = random.value();
    }
    return r;
  }

  float& at(size_t i, size_t j) { return data[i * stride + j]; }
  float at(size_t i, size_t j) const { return data[i * stride + j]; }
  ptrdiff_t step() const { return static_cast<ptrdiff_t>(stride); }

  bool gaps_untouched() const {
    for (size_t i = 0; i < data.size(); ++i) {
      if (i % stride >= columns && !std::isnan(data[i])) return false;
    }
    return true;
  }
};

inline double activate(Activation a, double x) {
  using Kind = Activation::Kind;
  const auto clamp01 = [](double v) { return std::min(std::max(v, 0.0), 1.0); };
  if (std::isnan(x)) return x;
  switch (a.kind) {
    case Kind::kNone: return x;
    case Kind::kRelu: return std::max(x, 0.0);
    case Kind::kClip: return std::min<double>(std::max<double>(x, a.alpha), a.beta);
    case Kind::kLeakyRelu: return x < 0 ? a.alpha * x : x;
    case Kind::kElu: return x < 0 ? a.alpha * std::expm1(x) : x;
    case Kind::kHardSigmoid: return clamp01(a.alpha * x + a.beta);
    case Kind::kHardSwish: return a.alpha * x * clamp01(x / 6 + 0.5) + a.beta;
    case Kind::kSigmoid: return 1 / (1 + std::exp(-x));
    case Kind::kSilu: return x / (1 + std::exp(-x));
    case Kind::kTanh: return std::tanh(x);
    case Kind::kGelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Kind::kGeluTanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  return x;
}

inline const std::vector<Activation>& activations() {
  using Kind = Activation::Kind;
  static const std::vector<Activation> all = {{Kind::kNone},
                                              {Kind::kRelu},
                                              {Kind::kClip, -0.25f, 0.5f},
                                              {Kind::kLeakyRelu, 0.1f},
                                              {Kind::kElu, 1.5f},
                                              {Kind::kHardSwish, 1.25f, 0.5f},
                                              {Kind::kHardSigmoid, 0.2f, 0.5f},
                                              {Kind::kSigmoid},
                                              {Kind::kSilu},
                                              {Kind::kTanh},
                                              {Kind::kGelu},
                                              {Kind::kGeluTanh}};
  return all;
}

/// Whether every value of `actual` is within `tolerance` (absolute) of what `expected(row, column)` says, and
/// nothing between the rows was written.
template <class F>
bool matches(const Rows& actual, F expected, double tolerance = 1e-5) {
  for (size_t i = 0; i < actual.rows; ++i) {
    for (size_t j = 0; j < actual.columns; ++j) {
      const double want = expected(i, j);
      if (!(std::abs(actual.at(i, j) - want) <= tolerance)) {
        UNSCOPED_INFO("row " << i << " column " << j << ": " << actual.at(i, j) << ", expected " << want);
        return false;
      }
    }
  }
  if (!actual.gaps_untouched()) UNSCOPED_INFO("a gap between rows was written");
  return actual.gaps_untouched();
}

/// 16-byte aligned memory of exactly this many bytes.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : memory_(::operator new(bytes, std::align_val_t{16})) {}
  ~Scratch() { ::operator delete(memory_, std::align_val_t{16}); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* get() const { return memory_; }

 private:
  void* memory_;
};

/// A spatial position of up to three dimensions as seen from an index in row-major order.
struct Position {
  ptrdiff_t at[kMaxSpatialRank] = {0, 0, 0};

  Position(size_t index, const SpatialSizes& sizes, size_t rank) {
    for (size_t d = rank; d-- > 0;) {
      at[d] = static_cast<ptrdiff_t>(index % sizes[d]);
      index /= sizes[d];
    }
  }
};

inline size_t product(const SpatialSizes& sizes, size_t rank) {
  size_t n = 1;
  for (size_t d = 0; d < rank; ++d) n *= sizes[d];
  return n;
}

/// Sets `out` of a shape that convolves forward, for this padding at the end.
inline void set_out(ConvShape& s, ptrdiff_t pad_end = 0) {
  for (size_t d = 0; d < s.rank; ++d) {
    const ptrdiff_t reach = static_cast<ptrdiff_t>((s.kernel[d] - 1) * s.dilation[d]) + 1;
    const ptrdiff_t room = static_cast<ptrdiff_t>(s.in[d]) + s.pad_begin[d] + pad_end - reach;
    s.out[d] = room < 0 ? 0 : static_cast<size_t>(room) / s.stride[d] + 1;
  }
}

/// The sum of products of one output value of Conv (not bias, residual, activation).
inline double conv_at(const ConvShape& s, const Rows& x, const std::vector<float>& w, size_t pixel,
                      size_t m) {
  const size_t out_pixels = product(s.out, s.rank), in_pixels = product(s.in, s.rank),
               taps = product(s.kernel, s.rank);
  const size_t channels = s.in_channels / s.groups, group = m / (s.out_channels / s.groups);
  const Position o(pixel % out_pixels, s.out, s.rank);
  double sum = 0;
  for (size_t t = 0; t < taps; ++t) {
    const Position k(t, s.kernel, s.rank);
    size_t in_index = 0;
    bool inside = true;
    for (size_t d = 0; d < s.rank; ++d) {
      const ptrdiff_t i = o.at[d] * static_cast<ptrdiff_t>(s.stride[d]) - s.pad_begin[d] +
                          k.at[d] * static_cast<ptrdiff_t>(s.dilation[d]);
      inside = inside && i >= 0 && i < static_cast<ptrdiff_t>(s.in[d]);
      in_index = in_index * s.in[d] + static_cast<size_t>(i);
    }
    if (!inside) continue;
    for (size_t c = 0; c < channels; ++c) {
      sum += static_cast<double>(x.at(pixel / out_pixels * in_pixels + in_index, group * channels + c)) *
             w[(m * channels + c) * taps + t];
    }
  }
  return sum;
}

}  // namespace kinglet::kernels::test
