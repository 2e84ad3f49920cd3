#include <cmath>
#include <complex>
#include <numbers>

#include "ops/support/rows.hpp"

// DFT, STFT, MelWeightMatrix, HannWindow, HammingWindow, BlackmanWindow.

namespace kinglet::test {
namespace {

using Line = std::vector<std::complex<double>>;

/// The transform as it is defined.
Line transform(const Line& x, bool inverse) {
  const size_t n = x.size();
  Line out(n);
  for (size_t k = 0; k < n; ++k) {
    for (size_t j = 0; j < n; ++j) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(j * k % n) / static_cast<double>(n);
      out[k] += x[j] * std::polar(1.0, inverse ? angle : -angle);
    }
    if (inverse) out[k] /= static_cast<double>(n);
  }
  return out;
}

Line signal(size_t n) {
  Line out(n);
  for (size_t i = 0; i < n; ++i) {
    out[i] = {std::sin(static_cast<double>(i * i + 1)), std::cos(3.0 * static_cast<double>(i))};
  }
  return out;
}

Tensor complex_tensor(DType type, const Shape& shape, const Line& values) {
  std::vector<double> parts;
  for (const auto value : values) {
    parts.push_back(value.real());
    if (shape.back() == 2) parts.push_back(value.imag());
  }
  return make(type, shape, parts);
}

OpCall dft(Tensor x, Tensor length = {}, Tensor axis = {}, std::vector<Attribute> attributes = {}) {
  return {.op = "DFT",
          .attributes = std::move(attributes),
          .inputs = {std::move(x), std::move(length), std::move(axis)}};
}

OpCall stft(Tensor x, Tensor step, Tensor window, Tensor length, int onesided = 1) {
  return {.op = "STFT",
          .attributes = {attr("onesided", onesided)},
          .inputs = {std::move(x), std::move(step), std::move(window), std::move(length)}};
}

OpCall window(const char* name, int64_t size, int periodic, int type = 1) {
  return {.op = name,
          .attributes = {attr("periodic", periodic), attr("output_datatype", type)},
          .inputs = {i64({}, {size})}};
}

OpCall mel(int64_t bands, int64_t length, float low, float high, int type = 1) {
  return {.op = "MelWeightMatrix",
          .attributes = {attr("output_datatype", type)},
          .inputs = {i64({}, {bands}), i64({}, {length}), i64({}, {8000}), f32({}, {low}), f32({}, {high})}};
}

}  // namespace

TEST_CASE("DFT of any length") {
  // Powers, products and squares of primes; primes that have a butterfly of their own (up to 47) and larger ones.
  for (const size_t n : {1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 25, 30, 47, 49, 53, 59, 64, 97, 106, 128, 257, 400, 509}) {
    const Line x = signal(n);
    for (const bool inverse : {false, true}) {
      CAPTURE(n, inverse);
      const Shape shape{1, static_cast<int64_t>(n), 2};
      const Line want = transform(x, inverse);
      for (const auto& [type, tolerance] : {std::pair(DType::kFloat64, 1e-11), std::pair(DType::kFloat32, 1e-5)}) {
        const OpCall call = dft(complex_tensor(type, shape, x), {}, {}, {attr("inverse", inverse ? 1 : 0)});
        CHECK(difference(run_op(call)[0], complex_tensor(type, shape, want), tolerance) == "");
      }
    }
  }
}

TEST_CASE("DFT of real signals") {
  for (const size_t n : {2, 3, 8, 9, 53, 60}) {
    CAPTURE(n);
    Line x = signal(n);
    for (auto& value : x) value = value.real();
    const auto length = static_cast<int64_t>(n), half = length / 2 + 1;
    Line spectrum = transform(x, false);
    spectrum.resize(static_cast<size_t>(half));
    const Tensor time = complex_tensor(DType::kFloat64, {length, 1}, x);
    const Tensor bins = complex_tensor(DType::kFloat64, {half, 2}, spectrum);
    CHECK(difference(run_op(dft(time, {}, {}, {attr("onesided", 1)}))[0], bins, 1e-12) == "");
    const std::vector<Attribute> back = {attr("onesided", 1), attr("inverse", 1)};
    CHECK(difference(run_op(dft(bins, i64({}, {length}), {}, back))[0], time, 1e-12) == "");
    if (n % 2 == 0) CHECK(difference(run_op(dft(bins, {}, {}, back))[0], time, 1e-12) == "");
  }
}

TEST_CASE("DFT lengths and axes") {
  const Tensor x = f32({1, 2, 2, 1}, {1, 2, 3, 4});
  const Tensor columns = f32({1, 2, 2, 2}, {4, 0, 6, 0, -2, 0, -2, 0});
  OpCall attribute = dft(x, {}, {}, {attr("axis", 1)});
  attribute.opset = 17;
  OpCall first = dft(x);
  first.opset = 17;
  check_rows({
      {"the last axis", dft(x), {f32({1, 2, 2, 2}, {3, 0, -1, 0, 7, 0, -1, 0})}, 1e-6},
      {"another axis", dft(x, {}, i64({}, {1})), {columns}, 1e-6},
      {"a negative axis", dft(x, {}, i64({}, {-3})), {columns}, 1e-6},
      {"the axis as attribute", attribute, {columns}, 1e-6},
      {"the default before opset 20", first, {columns}, 1e-6},
      {"shorter", dft(x, i64({}, {1})), {f32({1, 2, 1, 2}, {1, 0, 3, 0})}, 1e-6},
      {"longer: zeros follow",
       dft(f32({2, 1}, {1, 2}), i32({}, {4})),
       {f32({4, 2}, {3, 0, 1, -2, -1, 0, 1, 2})},
       1e-6},
      {"only the real part of a value that mirrors itself counts",
       dft(f32({2, 2}, {2, 5, 0, 5}), {}, {}, {attr("onesided", 1), attr("inverse", 1)}),
       {f32({2, 1}, {1, 1})},
       1e-6},
      {"float16", dft(make(DType::kFloat16, {2, 1}, {1, 2})), {make(DType::kFloat16, {2, 2}, {3, 0, -1, 0})}},
      {"no lines", dft(f32({0, 4, 1}, {})), {f32({0, 4, 2}, {})}},
  });
  check_failures({
      {"three parts", dft(f32({1, 3}, {1, 2, 3}))},
      {"a vector", dft(f32({2}, {1, 2}))},
      {"the axis of the parts", dft(x, {}, i64({}, {-1}))},
      {"axis", dft(x, {}, i64({}, {4}))},
      {"length 0", dft(x, i64({}, {0}))},
      {"a negative length", dft(x, i64({}, {-4}))},
      {"a huge length", dft(x, i64({}, {INT64_MAX}))},
      {"two lengths", dft(x, i64({2}, {2, 2}))},
      {"an empty signal", dft(f32({0, 1}, {}), {}, {}, {attr("onesided", 1)})},
      {"no default length", dft(f32({1, 2}, {1, 2}), {}, {}, {attr("onesided", 1), attr("inverse", 1)})},
      {"integers", dft(i64({2, 1}, {1, 2})), ErrorCode::kModel},
  });
}

TEST_CASE("STFT") {
  const Tensor x = f32({1, 5, 1}, {1, 2, 3, 4, 5});
  const Tensor frames = f32({1, 2, 2, 2}, {3, 0, -1, 0, 7, 0, -1, 0});
  check_rows({
      {"frame length", stft(x, i64({}, {2}), {}, i64({}, {2})), {frames}, 1e-6},
      {"the length of the window", stft(x, i32({}, {2}), f32({2}, {1, 1}), {}), {frames}, 1e-6},
      {"windowed",
       stft(x, i64({}, {3}), f32({2}, {2, 1}), i64({}, {2})),
       {f32({1, 2, 2, 2}, {4, 0, 0, 0, 13, 0, 3, 0})},
       1e-6},
      {"the whole signal", stft(f32({1, 2, 1}, {1, 2}), i64({}, {1}), {}, {}), {f32({1, 1, 2, 2}, {3, 0, -1, 0})}, 1e-6},
      {"complex, both sides",
       stft(f32({1, 3, 2}, {0, 1, 0, 1, 0, 1}), i64({}, {1}), {}, i64({}, {3}), 0),
       {f32({1, 1, 3, 2}, {0, 3, 0, 0, 0, 0})},
       1e-6},
  });
  check_failures({
      {"step 0", stft(x, i64({}, {0}), {}, i64({}, {2}))},
      {"no frame fits", stft(x, i64({}, {1}), {}, i64({}, {6}))},
      {"frame of 0", stft(x, i64({}, {1}), {}, i64({}, {0}))},
      {"another window", stft(x, i64({}, {1}), f32({3}, {1, 1, 1}), i64({}, {2}))},
      {"a window of another type", stft(x, i64({}, {1}), f64({2}, {1, 1}), {}), ErrorCode::kModel},
      {"rank", stft(f32({5}, {1, 2, 3, 4, 5}), i64({}, {1}), {}, i64({}, {2}))},
  });
}

TEST_CASE("Windows") {
  check_rows({
      {"Hann", window("HannWindow", 4, 1), {f32({4}, {0, 0.5f, 1, 0.5f})}, 1e-6},
      {"Hann, symmetric", window("HannWindow", 3, 0), {f32({3}, {0, 1, 0})}, 1e-6},
      {"Hamming", window("HammingWindow", 2, 1), {f32({2}, {4.0f / 46, 1})}, 1e-6},
      {"Blackman", window("BlackmanWindow", 2, 1), {f32({2}, {0, 1})}, 1e-6},
      {"in float64", window("HannWindow", 4, 1, 11), {f64({4}, {0, 0.5, 1, 0.5})}, 1e-15},
      {"as integers: cut", window("HammingWindow", 2, 1, 6), {i32({2}, {0, 1})}},
      {"empty", window("HannWindow", 0, 1), {f32({0}, {})}},
      {"one symmetric sample is a number", window("HannWindow", 1, 0), {f32({1}, {0})}, 1e-6},
  });
  check_failures({
      {"a negative size", window("HannWindow", -1, 1)},
      {"a huge size", window("HannWindow", INT64_MAX, 1)},
      {"two sizes", {.op = "HannWindow", .inputs = {i64({2}, {1, 2})}}},
      {"strings", window("HannWindow", 2, 1, 8), ErrorCode::kModel},
      {"an unknown type", window("HannWindow", 2, 1, 99), ErrorCode::kModel},
  });
}

TEST_CASE("MelWeightMatrix") {
  check_rows({
      {"two bands", mel(2, 8, 0, 4000), {f32({5, 2}, {1, 0, 0, 1, 0, 0, 0, 0, 0, 0})}},
      {"no band", mel(0, 8, 0, 4000), {f32({5, 0}, {})}},
  });
  // The bands rise to 1 and fall to 0 again.
  const std::vector<double> weights = to_doubles(run_op(mel(4, 64, 300, 3500))[0]);
  for (size_t band = 0; band < 4; ++band) {
    double greatest = 0;
    for (size_t bin = 0; bin < 33; ++bin) greatest = std::max(greatest, weights[bin * 4 + band]);
    CHECK(greatest == 1);
  }
  check_failures({
      {"past half the rate", mel(2, 8, 0, 4001)},
      {"edges the wrong way", mel(2, 8, 2000, 1000)},
      {"a negative edge", mel(2, 8, -1, 1000)},
      {"NaN", mel(2, 8, 0, kNaN)},
      {"negative bands", mel(-1, 8, 0, 1000)},
      {"a huge length", mel(1, INT64_MAX, 0, 1000)},
      {"strings", mel(1, 8, 0, 1000, 8), ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
