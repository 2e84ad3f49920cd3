#include "kernels/gemm_i8.hpp"

#include "kernels/depthwise_i8.hpp"
#include "kernels/quantize.hpp"
#include "kernels/simd_int.hpp"
#include "kernels/winograd_i8.hpp"
#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

using Output = Int8Epilogue::Output;

/// What can be tested here: a host has one meaning of the instruction, the portable text another.
std::vector<Int8Kernel> kernels_here() {
  if (int8_kernel() != Int8Kernel::kPairs) return {Int8Kernel::kPairs, int8_kernel()};
  if (simd::kHasDot4) return {Int8Kernel::kPairs};
  return {Int8Kernel::kPairs, Int8Kernel::kDotUnsigned};
}

/// Random codes, the extremes often among them.
std::vector<uint8_t> codes(Random& random, size_t n) {
  std::vector<uint8_t> out(n);
  for (uint8_t& x : out) {
    constexpr uint8_t kExtremes[] = {0, 127, 128, 255};
    x = random.below(3) == 0 ? kExtremes[random.below(4)] : static_cast<uint8_t>(random.below(256));
  }
  return out;
}

int64_t number(uint8_t code, bool is_signed) { return is_signed ? static_cast<int8_t>(code) : code; }

int64_t zero_point(Random& random, bool is_signed) {
  return static_cast<int64_t>(random.below(256)) - (is_signed ? 128 : 0);
}

/// A value a column, and what they mean for one exact sum.
struct Finish {
  std::vector<int32_t> b_zero, bias;
  std::vector<float> scale, addend;
  Int8Epilogue epilogue;
  size_t shift;  // the packed codes of B are less by this

  Finish(Random& random, size_t n, bool b_signed, Output output, bool full) : shift(b_signed ? 0 : kUnsignedShift) {
    for (size_t j = 0; j < n; ++j) {
      b_zero.push_back(static_cast<int32_t>(zero_point(random, b_signed)) - static_cast<int32_t>(shift));
      bias.push_back(static_cast<int32_t>(random.below(2000)) - 1000);
      scale.push_back(0.01f * (random.value() + 1.5f));
      addend.push_back(random.value());
    }
    epilogue.output = output;
    if (full || !b_signed) epilogue.b_zero = b_zero.data();
    if (full) epilogue.bias = bias.data();
    if (output != Output::kInt32) epilogue.scale = scale.data();
    if (full && output != Output::kInt32) epilogue.addend = addend.data();
    epilogue.zero = output == Output::kInt8 ? -3 : output == Output::kUint8 ? 7 : 0;
  }

  int64_t zero(size_t j) const { return epilogue.b_zero != nullptr ? b_zero[j] + static_cast<int64_t>(shift) : 0; }

  double of(int64_t sum, size_t j) const {
    if (epilogue.bias != nullptr) sum += bias[j];
    if (epilogue.output == Output::kInt32) return static_cast<double>(sum);
    const float x = static_cast<float>(sum) * scale[j] + (epilogue.addend != nullptr ? addend[j] : 0.0f);
    if (epilogue.output == Output::kFloat) return x;
    const double low = epilogue.output == Output::kInt8 ? -128 : 0;
    return std::clamp(std::nearbyint(static_cast<double>(x)) + epilogue.zero, low, low + 255);
  }
};

/// Element i of an output of any type.
double element(const std::vector<std::byte>& c, size_t i, Output output) {
  int32_t whole;
  float real;
  if (output == Output::kUint8) return static_cast<double>(c[i]);
  if (output == Output::kInt8) return static_cast<int8_t>(c[i]);
  if (output == Output::kFloat) return std::memcpy(&real, &c[i * 4], 4), real;
  return std::memcpy(&whole, &c[i * 4], 4), whole;
}

/// Whether `got` is `want`; a code or float may be off by what the order of float operations makes.
bool close(double got, double want, Output output) {
  if (output == Output::kInt32) return got == want;
  return std::abs(got - want) <= (output == Output::kFloat ? 1e-5 * std::max(1.0, std::abs(want)) : 1.0);
}

struct GemmCase {
  size_t m, n, k;
  bool a_signed = false, b_signed = true, full = true;
  Output output = Output::kInt32;
  size_t gap = 0;
};

void check(const GemmCase& t, Int8Kernel kernel) {
  CAPTURE(static_cast<int>(kernel), t.m, t.n, t.k, t.a_signed, t.b_signed, t.full, static_cast<int>(t.output));
  Random random(static_cast<uint32_t>(t.m * 131 + t.n * 17 + t.k + 1));
  const size_t lda = t.k + t.gap, ldc = t.n + t.gap;
  const auto a = codes(random, t.m * lda + 1), b = codes(random, t.k * t.n + 1);
  std::vector<int32_t> a_zero(t.m);
  for (int32_t& z : a_zero) z = static_cast<int32_t>(zero_point(random, t.a_signed));
  const size_t step = t.full ? 1 : 0;
  const Finish finish(random, t.n, t.b_signed, t.output, t.full);
  const Scratch packed(packed_b_i8_size(t.k, t.n, kernel));
  auto* const packed_b = static_cast<int8_t*>(packed.get());
  pack_b_i8(packed_b, t.k, t.n, {b.data(), t.b_signed}, static_cast<ptrdiff_t>(t.n), 1, kernel);
  constexpr std::byte kUntouched{0x5a};
  std::vector<std::byte> c(t.m * ldc * element_bytes(t.output), kUntouched);
  const Scratch scratch(gemm_i8_scratch_bytes(t.m, t.k, kernel));
  gemm_i8(t.m, t.n, t.k, {a.data(), t.a_signed}, static_cast<ptrdiff_t>(lda), a_zero.data(), step, packed_b,
          c.data(), static_cast<ptrdiff_t>(ldc), finish.epilogue, scratch.get(), kernel);
  for (size_t i = 0; i < t.m; ++i) {
    for (size_t j = 0; j < t.n; ++j) {
      int64_t sum = 0;
      for (size_t p = 0; p < t.k; ++p) {
        sum += (number(a[i * lda + p], t.a_signed) - a_zero[i * step]) * (number(b[p * t.n + j], t.b_signed) - (t.b_signed && !t.full ? 0 : finish.zero(j)));
      }
      CAPTURE(i, j);
      REQUIRE(close(element(c, i * ldc + j, t.output), finish.of(sum, j), t.output));
    }
    for (size_t byte = (i * ldc + t.n) * element_bytes(t.output); byte < (i + 1) * ldc * element_bytes(t.output); ++byte) {
      REQUIRE(c[byte] == kUntouched);
    }
  }
}

void check(const GemmCase& t) {
  for (const Int8Kernel kernel : kernels_here()) check(t, kernel);
}

TEST_CASE("gemm_i8: every small size") {
  for (size_t m = 1; m <= 9; ++m) {
    for (size_t n = 1; n <= 17; ++n) {
      for (size_t k : {0, 1, 2, 3, 7, 8, 17}) check({.m = m, .n = n, .k = k, .gap = (m + n + k) % 3});
    }
  }
}

TEST_CASE("gemm_i8: signs, zero points and outputs") {
  for (const Output output : {Output::kInt32, Output::kFloat, Output::kUint8, Output::kInt8}) {
    for (const bool a_signed : {false, true}) {
      for (const bool b_signed : {false, true}) {
        for (const bool full : {false, true}) {
          for (const size_t m : {1, 2, 3, 7}) {
            check({.m = m, .n = 21, .k = 37, .a_signed = a_signed, .b_signed = b_signed, .full = full, .output = output, .gap = 1});
          }
        }
      }
    }
  }
}

TEST_CASE("gemm_i8: several row blocks and deep sums") {
  check({.m = 205, .n = 19, .k = 64});
  check({.m = 6, .n = 9, .k = 20000, .b_signed = false});
  check({.m = 1, .n = 70, .k = 700, .output = Output::kFloat});
}

TEST_CASE("gemm_i8: products by Strassen's way, and beside where it begins") {
  for (const size_t m : {47, 48, 53, 61, 140, 205}) {
    for (const size_t n : {16, 24, 48}) check({.m = m, .n = n, .k = 384, .gap = m % 3});
  }
  for (const size_t k : {380, 386, 388, 500}) check({.m = 70, .n = 32, .k = k, .a_signed = k % 8 == 4, .full = k > 386});
  for (const Output output : {Output::kFloat, Output::kUint8, Output::kInt8}) {
    check({.m = 69, .n = 32, .k = 392, .b_signed = false, .full = false, .output = output});
    check({.m = 64, .n = 32, .k = 392, .full = false, .output = output});
  }
}

TEST_CASE("gemm_i8: activation") {
  for (const Int8Kernel kernel : kernels_here()) {
    for (const size_t m : {1, 3, 4, 9, 29, 130}) {
      for (const size_t n : {5, 16, 43}) {
        const size_t k = m == 130 ? 400 : 18;
        CAPTURE(static_cast<int>(kernel), m, n);
        Random random(static_cast<uint32_t>(m + n));
        const auto a = codes(random, m * k), b = codes(random, k * n);
        Finish finish(random, n, true, Output::kFloat, true);
        const int32_t a_zero = 3;
        const Scratch packed(packed_b_i8_size(k, n, kernel)), scratch(gemm_i8_scratch_bytes(m, k, kernel));
        auto* const packed_b = static_cast<int8_t*>(packed.get());
        pack_b_i8(packed_b, k, n, {b.data(), true}, static_cast<ptrdiff_t>(n), 1, kernel);
        std::vector<float> plain(m * n), activated(m * n);
        const auto run = [&](std::vector<float>& c) {
          gemm_i8(m, n, k, {a.data(), false}, static_cast<ptrdiff_t>(k), &a_zero, 0, packed_b, c.data(), static_cast<ptrdiff_t>(n),
                  finish.epilogue, scratch.get(), kernel);
        };
        run(plain);
        finish.epilogue.activation = {Activation::Kind::kTanh};
        run(activated);
        for (size_t i = 0; i < m * n; ++i) REQUIRE(std::abs(activated[i] - std::tanh(plain[i])) < 1e-6);
      }
    }
  }
}

/// Compares a convolution, run by `run(x, w, weight zero points, finish, output)`, with sums in double.
template <class Run>
void check(const ConvShape& s, bool x_signed, bool w_signed, bool full, Output output, Run run) {
  CAPTURE(s.rank, s.groups, s.in_channels, s.out_channels, x_signed, w_signed, full, static_cast<int>(output));
  Random random(static_cast<uint32_t>(s.in_channels * 31 + s.out_channels));
  const size_t in_pixels = product(s.in, s.rank), taps = product(s.kernel, s.rank);
  const size_t channels = s.in_channels / s.groups, stride = s.in_channels + 3;
  const auto x = codes(random, s.batch * in_pixels * stride), w = codes(random, s.out_channels * channels * taps);
  const auto x_zero = static_cast<int32_t>(zero_point(random, x_signed));
  const Finish finish(random, s.out_channels, w_signed, output, full);
  const auto w_zero = [&](size_t m) { return w_signed && !full ? 0 : finish.zero(m); };
  const size_t pixels = output_pixels(s);
  std::vector<std::byte> y(pixels * s.out_channels * element_bytes(output));
  run(Codes{x.data(), x_signed}, static_cast<ptrdiff_t>(stride), x_zero, Codes{w.data(), w_signed}, w_zero, finish, y.data());
  // The sums of products are those of a float convolution of the numbers less their zero points.
  Rows numbers(s.batch * in_pixels, s.in_channels);
  for (size_t i = 0; i < numbers.rows; ++i) {
    for (size_t j = 0; j < s.in_channels; ++j) numbers.at(i, j) = static_cast<float>(number(x[i * stride + j], x_signed) - x_zero);
  }
  std::vector<float> weights;
  for (size_t i = 0; i < w.size(); ++i) weights.push_back(static_cast<float>(number(w[i], w_signed) - w_zero(i / (channels * taps))));
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t m = 0; m < s.out_channels; ++m) {
      CAPTURE(p, m);
      const auto sum = static_cast<int64_t>(conv_at(s, numbers, weights, p, m));
      REQUIRE(close(element(y, p * s.out_channels + m, output), finish.of(sum, m), output));
    }
  }
}

void check_conv(const ConvShape& s, bool x_signed, bool w_signed, bool full, Output output, Int8Kernel kernel) {
  CAPTURE(static_cast<int>(kernel));
  check(s, x_signed, w_signed, full, output, [&](Codes x, ptrdiff_t stride, int32_t x_zero, Codes w, auto, const Finish& finish, void* y) {
    const Scratch packed(packed_conv_i8_weights_size(s, kernel)), scratch(conv_i8_scratch_bytes(s, x_signed, kernel));
    auto* const packed_w = static_cast<int8_t*>(packed.get());
    pack_conv_i8_weights(packed_w, s, w, kernel);
    const size_t pixels = output_pixels(s), middle = pixels / 3;
    for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, middle}, {middle, pixels}}) {
      if (begin == end) continue;
      conv_i8(s, x, stride, x_zero, packed_w, y, static_cast<ptrdiff_t>(s.out_channels), finish.epilogue, scratch.get(), begin, end, kernel);
    }
  });
}

TEST_CASE("conv_i8: kernels, strides, pads, dilations, groups") {
  std::vector<ConvShape> shapes = {
      {.rank = 2, .in_channels = 3, .out_channels = 10, .in = {9, 8}, .kernel = {3, 3}, .stride = {2, 1}, .pad_begin = {1, 1}},
      {.rank = 2, .batch = 2, .in_channels = 16, .out_channels = 9, .in = {7, 9}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .in_channels = 8, .out_channels = 4, .in = {9, 9}, .kernel = {3, 2}, .dilation = {2, 3}, .pad_begin = {2, 0}},
      {.rank = 2, .in_channels = 13, .out_channels = 17, .in = {5, 5}},
      {.rank = 2, .groups = 2, .in_channels = 16, .out_channels = 6, .in = {6, 6}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .groups = 5, .in_channels = 5, .out_channels = 5, .in = {6, 6}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .groups = 3, .in_channels = 6, .out_channels = 9, .in = {6, 4}, .kernel = {2, 2}},
      {.rank = 1, .in_channels = 4, .out_channels = 3, .in = {17}, .kernel = {5}, .stride = {2}, .pad_begin = {3}},
      {.rank = 3, .in_channels = 2, .out_channels = 3, .in = {4, 5, 3}, .kernel = {2, 3, 3}, .pad_begin = {1, 1, 1}},
      {.rank = 2, .in_channels = 24, .out_channels = 8, .in = {21, 20}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .batch = 2, .in_channels = 12, .out_channels = 20, .in = {9, 9}},
      {.rank = 2, .in_channels = 12, .out_channels = 20, .in = {9, 9}, .stride = {2, 2}},
      {.rank = 2, .batch = 2, .in_channels = 384, .out_channels = 32, .in = {12, 13}},
      {.rank = 2, .in_channels = 48, .out_channels = 16, .in = {17, 15}, .kernel = {3, 3}, .stride = {1, 2}, .pad_begin = {1, 1}},
  };
  for (ConvShape& s : shapes) {
    set_out(s, 1);
    for (const Int8Kernel kernel : kernels_here()) {
      check_conv(s, false, true, false, Output::kUint8, kernel);
      check_conv(s, true, true, true, Output::kInt32, kernel);
      check_conv(s, false, false, true, Output::kInt8, kernel);
    }
  }
}

TEST_CASE("winograd_i8: sizes, pads, signs and outputs") {
  std::vector<ConvShape> shapes = {
      {.rank = 2, .in_channels = 32, .out_channels = 32, .in = {8, 8}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .batch = 2, .in_channels = 40, .out_channels = 37, .in = {7, 9}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .in_channels = 48, .out_channels = 33, .in = {3, 3}, .kernel = {3, 3}},
      {.rank = 2, .in_channels = 64, .out_channels = 32, .in = {40, 31}, .kernel = {3, 3}, .pad_begin = {2, 0}},
      {.rank = 2, .in_channels = 256, .out_channels = 40, .in = {15, 15}, .kernel = {3, 3}, .pad_begin = {1, 1}},
      {.rank = 2, .in_channels = 1032, .out_channels = 69, .in = {5, 5}, .kernel = {3, 3}, .pad_begin = {1, 1}},  // weights stay codes
  };
  for (ConvShape& s : shapes) {
    set_out(s, 1);
    REQUIRE(prefers_winograd_i8(s, Int8Kernel::kPairs));
    for (const Output output : {Output::kUint8, Output::kInt8, Output::kInt32, Output::kFloat}) {
      check(s, output == Output::kInt8, true, false, output,
            [&](Codes x, ptrdiff_t stride, int32_t x_zero, Codes w, auto, const Finish& finish, void* y) {
              const Scratch packed(packed_winograd_i8_weights_size(s)), scratch(winograd_i8_scratch_bytes(s));
              auto* const packed_w = static_cast<std::byte*>(packed.get());
              pack_winograd_i8_weights(packed_w, s, static_cast<const int8_t*>(w.data));
              const size_t tiles = output_tiles_i8(s), middle = tiles / 3;
              for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, middle}, {middle, tiles}}) {
                winograd_i8(s, x, stride, x_zero, packed_w, y, static_cast<ptrdiff_t>(s.out_channels), finish.epilogue, scratch.get(), begin, end);
              }
            });
    }
  }
}

TEST_CASE("depthwise_i8: kernels, strides, pads, dilations") {
  std::vector<ConvShape> shapes = {
      {.rank = 2, .in_channels = 16, .in = {9, 8}, .kernel = {3, 3}, .stride = {2, 1}, .pad_begin = {1, 1}},
      {.rank = 2, .batch = 2, .in_channels = 19, .in = {13, 11}, .kernel = {5, 4}, .pad_begin = {2, 1}},
      {.rank = 2, .in_channels = 3, .in = {9, 9}, .kernel = {3, 2}, .dilation = {2, 3}},
      {.rank = 1, .in_channels = 9, .in = {23}, .kernel = {4}, .pad_begin = {3}},
      {.rank = 3, .in_channels = 8, .in = {4, 5, 3}, .kernel = {2, 3, 3}, .pad_begin = {1, 1, 1}},
  };
  for (ConvShape& s : shapes) {
    s.groups = s.out_channels = s.in_channels;
    set_out(s, 1);
    REQUIRE(is_depthwise_i8(s));
    for (const Output output : {Output::kUint8, Output::kInt32}) {
      for (const bool is_signed : {false, true}) {
        check(s, is_signed, !is_signed, true, output,
              [&](Codes x, ptrdiff_t stride, int32_t x_zero, Codes w, auto w_zero, const Finish& finish, void* y) {
                std::vector<int32_t> zeros;
                for (size_t m = 0; m < s.in_channels; ++m) zeros.push_back(static_cast<int32_t>(w_zero(m)));
                Int8Epilogue epilogue = finish.epilogue;
                epilogue.b_zero = nullptr;
                const Scratch scratch(depthwise_i8_scratch_bytes(s));
                depthwise_i8(s, x, stride, x_zero, w, zeros.data(), y, static_cast<ptrdiff_t>(s.in_channels), epilogue, scratch.get());
              });
      }
    }
  }
}

TEST_CASE("unpack_codes: whole bytes of 2, 4 and 8 bits") {
  for (const size_t bits : {2, 4, 8}) {
    for (size_t bytes = 0; bytes <= 40; ++bytes) {
      const size_t per_byte = 8 / bits;
      std::vector<uint8_t> x(bytes), y(bytes * per_byte + 1, 0xee);
      for (size_t i = 0; i < bytes; ++i) x[i] = static_cast<uint8_t>(i * 89 + 7);
      unpack_codes(x.data(), bits, y.data(), bytes);
      for (size_t i = 0; i < bytes * per_byte; ++i) REQUIRE(y[i] == (x[i / per_byte] >> i % per_byte * bits & ((1u << bits) - 1)));
      REQUIRE(y.back() == 0xee);
    }
  }
}

TEST_CASE("quantize and dequantize") {
  Random random;
  for (size_t n = 0; n <= 17; ++n) {
    std::vector<float> x = random.values(n);
    for (float& v : x) v = std::nearbyint(v * 400) / 2;  // halves, and numbers out of range
    if (n > 3) x[3] = std::numeric_limits<float>::quiet_NaN();
    std::vector<uint8_t> y(n + 1, 0xa5);
    quantize(x.data(), y.data(), n, 0.5f, 10, 0, 255);
    for (size_t i = 0; i < n; ++i) {
      const float q = std::isnan(x[i]) ? 0 : x[i] / 0.5f;
      CAPTURE(n, i, x[i]);
      REQUIRE(y[i] == std::clamp(std::nearbyint(q) + 10, 0.0f, 255.0f));
    }
    REQUIRE(y[n] == 0xa5);
    std::vector<float> back(n + 1, 3.5f);
    dequantize(y.data(), true, back.data(), n, 0.25f, -7);
    for (size_t i = 0; i < n; ++i) REQUIRE(back[i] == static_cast<float>(static_cast<int8_t>(y[i]) + 7) * 0.25f);
    REQUIRE(back[n] == 3.5f);
    const Range range = range_with_zero(x.data(), n);
    float low = 0, high = 0;
    for (const float v : x) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    REQUIRE((range.low == low && range.high == high));
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
