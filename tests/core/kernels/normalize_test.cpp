#include "kernels/normalize.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

/// Softmax or its logarithm of x[i * step], i in [0, n), by the formula.
std::vector<double> exact_softmax(const float* x, size_t n, size_t step, bool log) {
  double most = -std::numeric_limits<double>::infinity(), total = 0;
  for (size_t i = 0; i < n; ++i) most = std::max<double>(most, x[i * step]);
  std::vector<double> y(n);
  for (size_t i = 0; i < n; ++i) total += std::exp(x[i * step] - most);
  for (size_t i = 0; i < n; ++i) {
    const double shifted = x[i * step] - most;
    y[i] = log ? shifted - std::log(total) : std::exp(shifted) / total;
  }
  return y;
}

void check_softmax(size_t outer, size_t n, size_t inner, float scale) {
  CAPTURE(outer, n, inner, scale);
  Random random(static_cast<uint32_t>(n * 7 + inner));
  auto x = random.values(outer * n * inner);
  for (float& v : x) v *= scale;
  for (const bool log : {false, true}) {
    std::vector<float> y(x.size());
    (log ? log_softmax_strided : softmax_strided)(x.data(), y.data(), outer, n, inner);
    for (size_t o = 0; o < outer; ++o) {
      for (size_t i = 0; i < inner; ++i) {
        const auto want = exact_softmax(x.data() + o * n * inner + i, n, inner, log);
        for (size_t k = 0; k < n; ++k) {
          const double actual = y[(o * n + k) * inner + i];
          CAPTURE(log, o, i, k);
          REQUIRE(std::abs(actual - want[k]) <=
                  1e-6 * (log ? std::max(1.0, std::abs(want[k])) : std::abs(want[k])) + 1e-38);
        }
      }
    }
    auto in_place = x;
    (log ? log_softmax_strided : softmax_strided)(in_place.data(), in_place.data(), outer, n, inner);
    REQUIRE(in_place == y);
  }
}

TEST_CASE("softmax: every small size, along the last and an inner dimension") {
  for (size_t n = 1; n <= 17; ++n) {
    check_softmax(3, n, 1, 5.0f);
    for (size_t inner : {2, 3, 4, 9}) check_softmax(2, n, inner, 5.0f);
  }
}

TEST_CASE("softmax: long rows, large values") {
  check_softmax(1, 40000, 1, 1.0f);
  check_softmax(1, 3001, 5, 1.0f);
  check_softmax(2, 33, 1, 1000.0f);
  check_softmax(2, 33, 3, 1000.0f);
}

TEST_CASE("softmax: masked values are exactly 0, a row of only -inf and a NaN give NaN") {
  const float inf = std::numeric_limits<float>::infinity();
  for (size_t inner : {1, 5}) {
    const size_t n = 6;
    std::vector<float> x(n * inner, 1.0f), y(n * inner);
    for (size_t i = 0; i < inner; ++i) x[2 * inner + i] = -inf;
    softmax_strided(x.data(), y.data(), 1, n, inner);
    REQUIRE(y[2 * inner] == 0.0f);
    REQUIRE(y[0] == Catch::Approx(0.2f));
    x.assign(n * inner, -inf);
    softmax_strided(x.data(), y.data(), 1, n, inner);
    for (float v : y) REQUIRE(std::isnan(v));
    x.assign(n * inner, 1.0f);
    x[3 * inner] = std::numeric_limits<float>::quiet_NaN();
    softmax_strided(x.data(), y.data(), 1, n, inner);
    REQUIRE(std::isnan(y[0]));
  }
}

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments(const float* x, size_t n, size_t step = 1) {
  Moments m;
  for (size_t i = 0; i < n; ++i) m.mean += x[i * step] / static_cast<double>(n);
  for (size_t i = 0; i < n; ++i) m.variance += std::pow(x[i * step] - m.mean, 2) / static_cast<double>(n);
  return m;
}

TEST_CASE("layer_norm and rms_norm: sizes, with and without scale and bias") {
  const float epsilon = 1e-5f;
  for (size_t columns : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 384, 1023, 5000}) {
    for (const bool affine : {false, true}) {
      CAPTURE(columns, affine);
      Random random(static_cast<uint32_t>(columns));
      const size_t rows = 3;
      auto x = random.values(rows * columns);
      // A mean far from 0 shows a variance that is not taken in two passes.
      for (float& v : x) v += 50.0f;
      const auto scale = random.values(columns), bias = random.values(columns);
      std::vector<float> y(x.size()), z(x.size()), mean(rows), inv_std(rows);
      layer_norm(x.data(), y.data(), rows, columns, affine ? scale.data() : nullptr,
                 affine ? bias.data() : nullptr, epsilon, mean.data(), inv_std.data());
      rms_norm(x.data(), z.data(), rows, columns, affine ? scale.data() : nullptr, epsilon);
      for (size_t r = 0; r < rows; ++r) {
        const Moments m = moments(x.data() + r * columns, columns);
        const double inv = 1 / std::sqrt(m.variance + epsilon);
        const double rms = std::sqrt(m.variance + m.mean * m.mean + epsilon);
        // The mean itself is rounded to float: 50 * 2^-24, times the scale that follows.
        const double slack = 4e-6 * inv + 1e-5;
        REQUIRE(std::abs(mean[r] - m.mean) <= 4e-6);
        REQUIRE(std::abs(inv_std[r] - inv) <= 1e-4 * inv);
        for (size_t c = 0; c < columns; ++c) {
          const double v = x[r * columns + c];
          REQUIRE(std::abs(y[r * columns + c] - ((v - m.mean) * inv * (affine ? scale[c] : 1.0) +
                                                 (affine ? bias[c] : 0.0))) <= slack);
          REQUIRE(std::abs(z[r * columns + c] - v / rms * (affine ? scale[c] : 1.0)) <= 1e-6);
        }
      }
    }
  }
}

TEST_CASE("channel_mean_variance and channel_scale_shift: channels 1 to 17") {
  for (size_t channels = 1; channels <= 17; ++channels) {
    for (size_t pixels : {1, 2, 129, 1000}) {
      CAPTURE(channels, pixels);
      Random random(static_cast<uint32_t>(channels));
      const auto x = random.values(pixels * channels), scale = random.values(channels),
                 shift = random.values(channels);
      std::vector<float> mean(channels), variance(channels), y(x.size());
      channel_mean_variance(x.data(), pixels, channels, mean.data(), variance.data());
      const Activation relu{Activation::Kind::kRelu};
      channel_scale_shift(x.data(), y.data(), pixels, channels, scale.data(), shift.data(), relu);
      for (size_t c = 0; c < channels; ++c) {
        const Moments m = moments(x.data() + c, pixels, channels);
        REQUIRE(std::abs(mean[c] - m.mean) <= 1e-6);
        REQUIRE(std::abs(variance[c] - m.variance) <= 1e-6);
        for (size_t p = 0; p < pixels; ++p) {
          const double v = static_cast<double>(x[p * channels + c]) * scale[c] + shift[c];
          REQUIRE(std::abs(y[p * channels + c] - std::max(v, 0.0)) <= 1e-6);
        }
      }
    }
  }
}

TEST_CASE("sums, extremes and inner products") {
  for (size_t n : {1, 2, 3, 4, 5, 8, 9, 17, 511, 512, 513, 100000}) {
    CAPTURE(n);
    Random random(static_cast<uint32_t>(n));
    const auto a = random.values(n), b = random.values(n);
    double total = 0, product = 0, magnitude = 1;
    for (size_t i = 0; i < n; ++i) {
      total += a[i];
      product += static_cast<double>(a[i]) * b[i];
      magnitude += std::abs(a[i]);
    }
    REQUIRE(std::abs(sum(a.data(), n) - total) <= 1e-7 * magnitude);
    REQUIRE(std::abs(dot(a.data(), b.data(), n) - product) <= 1e-7 * magnitude);
    REQUIRE(max(a.data(), n) == *std::max_element(a.begin(), a.end()));
    REQUIRE(min(a.data(), n) == *std::min_element(a.begin(), a.end()));
    auto with_nan = a;
    with_nan[n / 2] = std::numeric_limits<float>::quiet_NaN();
    REQUIRE(std::isnan(max(with_nan.data(), n)));
    REQUIRE(std::isnan(min(with_nan.data(), n)));
    std::vector<float> y(n);
    scale_shift(a.data(), y.data(), n, 2.0f, -1.0f);
    for (size_t i = 0; i < n; ++i) REQUIRE(y[i] == a[i] * 2.0f - 1.0f);
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
