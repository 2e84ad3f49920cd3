// GFLOP/s (two operations a multiply-add) of each kernel beside the peak of a tile that never leaves its
// registers. Every round runs all cases once, so noise of the machine meets them alike; the median round is
// printed.
//   kernels_bench [rounds [part of a case's name]]
// Cases that do no multiply-adds count one operation a value.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#if defined(__EMSCRIPTEN__)
#include <emscripten.h>
#endif

#include "kernels/attention.hpp"
#include "kernels/conv.hpp"
#include "kernels/conv_transpose.hpp"
#include "kernels/copy_rows.hpp"
#include "kernels/depthwise.hpp"
#include "kernels/depthwise_i8.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/gemm.hpp"
#include "kernels/lstm.hpp"
#include "kernels/math.hpp"
#include "kernels/matmul_nbits.hpp"
#include "kernels/normalize.hpp"
#include "kernels/pooling.hpp"
#include "kernels/simd.hpp"
#include "kernels/transpose.hpp"
#include "kernels/winograd.hpp"

namespace {

using namespace kinglet::kernels;
namespace kernels = kinglet::kernels;
namespace simd = kinglet::simd;

volatile float g_sink;
constexpr int kPeakSteps = 100000;

/// CPU time of the process, so that other work on the machine counts less.
double seconds() {
#if defined(__EMSCRIPTEN__)
  return EM_ASM_DOUBLE({
    const usage = process.cpuUsage();
    return (usage.user + usage.system) * 1e-6;
  });
#else
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
#endif
}

struct Case {
  std::string name;
  double operations;  ///< of one call
  std::function<void()> run;
  std::vector<double> rates = {};
};

std::vector<float> values(size_t n) {
  std::vector<float> v(n);
  uint32_t state = 12345;
  for (float& x : v) {
    state = state * 1664525u + 1013904223u;
    x = static_cast<float>(state >> 9) / static_cast<float>(1 << 22) - 1.0f;
  }
  return v;
}

/// The multiply-adds of a 6x8 tile, with nothing to load.
void peak_tile() {
  using simd::f32x4;
  // Not constants: V8 would build a vector constant anew at every use.
  const f32x4 a = simd::splat(g_sink + 0.999f), b[] = {simd::splat(g_sink + 0.998f), a * a};
  f32x4 c[12];
  for (int i = 0; i < 12; ++i) c[i] = simd::splat(g_sink + static_cast<float>(i));
  for (int step = 0; step < kPeakSteps; ++step) {
    for (int i = 0; i < 12; ++i) c[i] = simd::madd(a, b[i % 2], c[i]);
  }
  for (int i = 1; i < 12; ++i) c[0] = c[0] + c[i];
  g_sink = simd::sum_lanes(c[0]);
}

Case gemm_case(size_t m, size_t n, size_t k, Activation activation = {}) {
  auto a = values(m * k), b = values(k * n), packed = values(packed_b_size(k, n)), c = values(m * n),
       bias = values(n);
  pack_b(packed.data(), k, n, b.data(), static_cast<ptrdiff_t>(n), 1);
  return {"gemm " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k),
          2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k), [=]() mutable {
            gemm(m, n, k, a.data(), static_cast<ptrdiff_t>(k), packed.data(), c.data(),
                 static_cast<ptrdiff_t>(n), {.bias = bias.data(), .activation = activation});
          }};
}

/// One head, or `heads` that share keys, each with `queries`.
Case attention_case(size_t heads, size_t queries, size_t keys, size_t size, bool causal) {
  auto q = values(heads * queries * size), k = values(keys * size), v = values(keys * size), y = q;
  const auto row = static_cast<ptrdiff_t>(size), head = static_cast<ptrdiff_t>(queries * size);
  Attention a{.heads = heads, .queries = queries, .keys = keys, .head_size = size, .value_size = size};
  a.q_row = a.k_row = a.v_row = a.y_row = row;
  a.q_head = a.y_head = head;
  a.scale = 0.125f;
  if (causal) a.high = 1;
  std::vector<float> scratch(attention_scratch_floats(a));
  return {"attention " + std::to_string(heads) + "x" + std::to_string(queries) + "x" + std::to_string(keys) +
              "x" + std::to_string(size) + (causal ? " causal" : ""),
          (causal ? 2.0 : 4.0) * static_cast<double>(heads * queries) * static_cast<double>(keys * size),
          [=]() mutable {
            a.q = q.data();
            a.k = k.data();
            a.v = v.data();
            a.y = y.data();
            attention(a, scratch.data());
          }};
}

Case nbits_case(size_t m, size_t bits) {
  NBits w{.n = 2048, .k = 2048, .bits = bits, .block = 32};
  std::vector<uint8_t> weights(w.n * w.k * bits / 8, 0x5a);
  auto a = values(m * w.k), y = values(m * w.n), scales = values(w.n * w.blocks());
  std::vector<float> scratch(matmul_nbits_scratch_floats(w, m));
  return {"matmul " + std::to_string(bits) + " bits " + std::to_string(m) + "x2048x2048",
          2.0 * static_cast<double>(m) * static_cast<double>(w.n * w.k), [=]() mutable {
            w.weights = weights.data();
            w.scales = scales.data();
            matmul_nbits(w, m, a.data(), y.data(), nullptr, scratch.data());
          }};
}

struct Image {
  size_t channels, outputs, size, kernel, stride;
};

ConvShape shape_of(const Image& i, size_t groups) {
  ConvShape s{.groups = groups, .in_channels = i.channels, .out_channels = i.outputs};
  s.in = {i.size, i.size, 1};
  s.kernel = {i.kernel, i.kernel, 1};
  s.stride = {i.stride, i.stride, 1};
  const auto pad = static_cast<ptrdiff_t>(i.kernel / 2);
  s.pad_begin = {pad, pad, 0};
  const size_t out = (i.size + 2 * (i.kernel / 2) - i.kernel) / i.stride + 1;
  s.out = {out, out, 1};
  return s;
}

std::string name_of(const char* kind, const Image& i) {
  return std::string(kind) + std::to_string(i.kernel) + "x" + std::to_string(i.kernel) + "/" +
         std::to_string(i.stride) + " " + std::to_string(i.channels) + ">" + std::to_string(i.outputs) +
         " @" + std::to_string(i.size);
}

double products(const ConvShape& s) {
  return 2.0 * static_cast<double>(output_pixels(s) * s.out_channels * (s.in_channels / s.groups)) *
         static_cast<double>(s.kernel[0] * s.kernel[1]);
}

template <class Pack, class Run>
Case conv_like(std::string name, const ConvShape& s, double operations, size_t packed_size,
               size_t weights_size, size_t scratch_bytes, size_t range, Pack pack, Run run) {
  auto x = values(s.in[0] * s.in[1] * s.in_channels), y = values(s.out[0] * s.out[1] * s.out_channels);
  auto w = values(weights_size), bias = values(s.out_channels);
  std::vector<float> packed(packed_size), scratch(scratch_bytes / sizeof(float) + 1);
  pack(packed.data(), s, w.data());
  return {std::move(name), operations, [=]() mutable {
            run(s, x.data(), static_cast<ptrdiff_t>(s.in_channels), packed.data(), y.data(),
                static_cast<ptrdiff_t>(s.out_channels),
                Epilogue{.bias = bias.data(), .activation = {Activation::Kind::kRelu}}, scratch.data(),
                size_t{0}, range);
          }};
}

Case conv_case(const Image& i) {
  const ConvShape s = shape_of(i, 1);
  return conv_like(name_of("conv ", i), s, products(s), packed_conv_weights_size(s),
                   i.channels * i.outputs * i.kernel * i.kernel, conv_scratch_bytes(s), output_pixels(s),
                   pack_conv_weights, conv);
}

/// GFLOP/s of the products that the direct form would take.
Case winograd_case(const Image& i) {
  const ConvShape s = shape_of(i, 1);
  const size_t matrices = winograd_matrices(s);
  const auto pack = [=](float* packed, const ConvShape& shape, const float* weights) {
    pack_winograd_weights({packed, nullptr, matrices}, shape, weights);
  };
  const auto run = [=](const ConvShape& shape, const float* x, ptrdiff_t x_stride, const float* packed, auto... rest) {
    winograd(shape, x, x_stride, {packed, nullptr, matrices}, rest...);
  };
  return conv_like(name_of("winograd ", i), s, products(s), matrices * winograd_matrix_size(s),
                   i.channels * i.outputs * 9, winograd_scratch_bytes(s), output_tiles(s), pack, run);
}

Case depthwise_case(size_t channels, size_t size, size_t kernel, size_t stride) {
  const Image i{channels, channels, size, kernel, stride};
  const ConvShape s = shape_of(i, channels);
  return conv_like(name_of("depthwise ", i), s, products(s), packed_depthwise_weights_size(s),
                   channels * kernel * kernel, depthwise_scratch_bytes(s), output_lines(s),
                   pack_depthwise_weights, depthwise);
}

Case transpose_conv_case(size_t channels, size_t outputs, size_t size) {
  ConvShape s{.in_channels = channels, .out_channels = outputs};
  s.in = {size, size, 1};
  s.kernel = s.stride = {2, 2, 1};
  s.out = {2 * size, 2 * size, 1};
  return conv_like("conv_transpose 2x2/2 " + std::to_string(channels) + ">" + std::to_string(outputs) + " @" +
                       std::to_string(size),
                   s, 2.0 * static_cast<double>(size * size * channels * outputs * 4),
                   packed_conv_transpose_weights_size(s), channels * outputs * 4,
                   conv_transpose_scratch_bytes(s), output_lines(s), pack_conv_transpose_weights,
                   conv_transpose);
}

std::vector<uint8_t> codes(size_t n) {
  std::vector<uint8_t> c;
  for (const float v : values(n)) c.push_back(static_cast<uint8_t>(static_cast<int>(v * 127)));
  return c;
}

constexpr const char* kInt8Kernels[] = {"pairs", "dots of signed bytes", "dots of unsigned bytes"};

Case gemm_i8_case(size_t m, size_t n, size_t k, Int8Kernel kernel) {
  auto a = codes(m * k), b = codes(k * n), c = codes(m * n);
  auto scale = values(n);
  std::vector<int64_t> packed(packed_b_i8_size(k, n, kernel) / 8 + 1), scratch(gemm_i8_scratch_bytes(m, k, kernel) / 8 + 1);
  pack_b_i8(reinterpret_cast<int8_t*>(packed.data()), k, n, {b.data(), true}, static_cast<ptrdiff_t>(n), 1, kernel);
  return {"gemm_i8 " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + " " +
              kInt8Kernels[static_cast<int>(kernel)],
          2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k), [=]() mutable {
            const int32_t zero = 128;
            gemm_i8(m, n, k, {a.data(), false}, static_cast<ptrdiff_t>(k), &zero, 0,
                    reinterpret_cast<const int8_t*>(packed.data()), c.data(), static_cast<ptrdiff_t>(n),
                    {.output = Int8Epilogue::Output::kUint8, .scale = scale.data(), .zero = 128}, scratch.data(), kernel);
          }};
}

Case conv_i8_case(const Image& i) {
  const ConvShape s = shape_of(i, 1);
  auto x = codes(i.size * i.size * i.channels), w = codes(i.channels * i.outputs * i.kernel * i.kernel);
  auto y = codes(output_pixels(s) * i.outputs);
  auto scale = values(i.outputs);
  std::vector<int64_t> packed(packed_conv_i8_weights_size(s) / 8 + 1), scratch(conv_i8_scratch_bytes(s, false) / 8 + 1);
  pack_conv_i8_weights(reinterpret_cast<int8_t*>(packed.data()), s, {w.data(), true});
  return {name_of("conv_i8 ", i), products(s), [=]() mutable {
            conv_i8(s, {x.data(), false}, static_cast<ptrdiff_t>(i.channels), 128,
                    reinterpret_cast<const int8_t*>(packed.data()), y.data(), static_cast<ptrdiff_t>(i.outputs),
                    {.output = Int8Epilogue::Output::kUint8, .scale = scale.data(), .zero = 128}, scratch.data(), 0,
                    output_pixels(s));
          }};
}

Case depthwise_i8_case(size_t channels, size_t size) {
  const Image i{channels, channels, size, 3, 1};
  const ConvShape s = shape_of(i, channels);
  auto x = codes(size * size * channels), w = codes(channels * 9), y = x;
  auto scale = values(channels);
  std::vector<int32_t> zeros(channels);
  std::vector<int64_t> scratch(depthwise_i8_scratch_bytes(s) / 8 + 1);
  return {name_of("depthwise_i8 ", i), products(s), [=]() mutable {
            const auto stride = static_cast<ptrdiff_t>(channels);
            depthwise_i8(s, {x.data(), false}, stride, 128, {w.data(), true}, zeros.data(), y.data(), stride,
                         {.output = Int8Epilogue::Output::kUint8, .scale = scale.data(), .zero = 128}, scratch.data());
          }};
}

template <class F>
Case loop_case(std::string name, size_t n, F f) {
  auto x = values(n), y = values(n);
  return {std::move(name), static_cast<double>(n), [=]() mutable { f(x.data(), y.data(), n); }};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 41;
  const std::string wanted = argc > 2 ? argv[2] : "";
  std::vector<Case> cases;
  const auto add = [&](Case c) {
    if (c.name.find(wanted) != std::string::npos) cases.push_back(std::move(c));
  };
  cases.push_back({"register peak", 2.0 * 6 * 8 * kPeakSteps, peak_tile});
  for (size_t size : {64, 128, 256, 512, 1024}) add(gemm_case(size, size, size));
  add(gemm_case(12544, 16, 16));
  add(gemm_case(3136, 144, 24));
  add(gemm_case(3136, 24, 144));
  add(gemm_case(49, 1280, 320));
  for (size_t m : {1, 2, 3, 5}) add(gemm_case(m, 512, 512));
  add(gemm_case(1, 1000, 1280));
  for (const Image& i : {Image{3, 16, 224, 3, 2},
                         {3, 64, 224, 7, 2},
                         {16, 16, 112, 3, 1},
                         {24, 24, 80, 3, 1},
                         {96, 24, 80, 3, 1},
                         {64, 64, 56, 3, 1},
                         {128, 128, 28, 3, 1},
                         {256, 256, 14, 3, 1},
                         {512, 512, 7, 3, 1},
                         {256, 512, 28, 1, 2},
                         {24, 24, 80, 9, 1}}) {
    add(conv_case(i));
  }
  for (const Image& i : {Image{24, 24, 80, 3, 1},
                         {96, 24, 160, 3, 1},
                         {64, 64, 56, 3, 1},
                         {128, 128, 28, 3, 1},
                         {256, 256, 14, 3, 1},
                         {16, 16, 112, 3, 1},
                         {64, 128, 40, 3, 2},
                         {128, 128, 56, 3, 2}}) {
    add(winograd_case(i));
  }
  for (const auto& [channels, size, kernel, stride] : {std::array<size_t, 4>{32, 112, 3, 1},
                                                       {96, 112, 3, 2},
                                                       {144, 56, 3, 1},
                                                       {384, 14, 3, 1},
                                                       {960, 7, 3, 1},
                                                       {64, 80, 5, 1},
                                                       {256, 20, 5, 1},
                                                       {256, 20, 5, 2}}) {
    add(depthwise_case(channels, size, kernel, stride));
  }
  add(transpose_conv_case(24, 24, 80));
  add(transpose_conv_case(24, 1, 160));
  for (const auto& [m, n, k] : {std::array<size_t, 3>{128, 384, 384}, {128, 1536, 384}, {512, 512, 512}, {1, 384, 384}}) {
    add(gemm_i8_case(m, n, k, Int8Kernel::kPairs));
    if (int8_kernel() != Int8Kernel::kPairs) add(gemm_i8_case(m, n, k, int8_kernel()));
  }
  for (const Image& i : {Image{3, 64, 224, 7, 2}, {64, 64, 56, 3, 1}, {64, 256, 56, 1, 1}, {256, 256, 14, 3, 1}, {512, 512, 7, 3, 1}}) {
    add(conv_i8_case(i));
  }
  add(depthwise_i8_case(144, 56));
  constexpr size_t kMany = 16384;
  add(loop_case("exp", kMany, [](const float* x, float* y, size_t n) { kernels::exp(x, y, n); }));
  add(loop_case("sigmoid", kMany, [](const float* x, float* y, size_t n) { kernels::sigmoid(x, y, n); }));
  add(loop_case("silu", kMany, [](const float* x, float* y, size_t n) {
    apply({.kind = Activation::Kind::kSilu}, x, y, n);
  }));
  add(loop_case("lstm_units", kMany / 4, [cell = values(kMany / 4)](const float* x, float* y, size_t n) mutable {
    lstm_units(x, cell.data(), y, n / 4);
  }));
  add(loop_case("copy_rows of 64 bytes", kMany, [](const float* x, float* y, size_t n) {
    copy_rows(reinterpret_cast<std::byte*>(y), 64, reinterpret_cast<const std::byte*>(x), 64, n / 16, 64);
  }));
  add(loop_case("erf", kMany, [](const float* x, float* y, size_t n) { kernels::erf(x, y, n); }));
  add(loop_case("gelu", kMany,
                [](const float* x, float* y, size_t n) { apply({Activation::Kind::kGelu}, x, y, n); }));
  add(loop_case("add", kMany, [](const float* x, float* y, size_t n) { binary(Binary::kAdd, x, y, y, n); }));
  add(loop_case("max", kMany, [](const float* x, float* y, size_t n) { binary(Binary::kMax, x, y, y, n); }));
  add(attention_case(1, 16, 16, 32, false));
  add(attention_case(1, 128, 128, 32, false));
  add(attention_case(1, 512, 512, 64, false));
  add(attention_case(1, 512, 512, 64, true));
  for (size_t heads : {1, 4, 8, 12}) add(attention_case(heads, 1, 512, 64, false));
  for (size_t m : {1, 4, 8, 16, 128}) add(nbits_case(m, 4));
  add(nbits_case(1, 8));
  add(loop_case("softmax rows of 512", kMany,
                [](const float* x, float* y, size_t n) { softmax(x, y, n / 512, 512); }));
  add(loop_case("softmax inner 64", kMany,
                [](const float* x, float* y, size_t n) { softmax_strided(x, y, 1, n / 64, 64); }));
  add(loop_case("layer_norm rows of 512", kMany,
                [](const float* x, float* y, size_t n) { layer_norm(x, y, n / 512, 512, x, x, 1e-5f); }));
  add(loop_case("transpose 512x512 f32", 512 * 512,
                [](const float* x, float* y, size_t) { transpose_matrices(x, y, 4, 1, 512, 512); }));
  add(loop_case("transpose 24x25600 f32", 24 * 25600,
                [](const float* x, float* y, size_t) { transpose_matrices(x, y, 4, 1, 24, 25600); }));
  add(loop_case("max_pool 3x3/2 64 @112", 64 * 112 * 112, [](const float* x, float* y, size_t) {
    PoolShape s{.channels = 64};
    s.in = {112, 112, 1};
    s.kernel = {3, 3, 1};
    s.stride = {2, 2, 1};
    s.pad_begin = {1, 1, 0};
    s.out = {56, 56, 1};
    max_pool(s, x, 64, y, 64, 0, 56);
  }));

  for (Case& c : cases) {
    const double start = seconds();
    while (seconds() - start < 0.05) c.run();
  }
  for (int round = 0; round < rounds; ++round) {
    for (Case& c : cases) {
      int calls = 0;
      const double start = seconds();
      double now = start;
      while (now - start < 0.004) {
        c.run();
        ++calls;
        now = seconds();
      }
      c.rates.push_back(c.operations * calls / (now - start) * 1e-9);
    }
  }
  double peak = 0;
  for (Case& c : cases) {
    std::sort(c.rates.begin(), c.rates.end());
    const double median = c.rates[c.rates.size() / 2];
    if (peak == 0) peak = median;
    std::printf("%-34s %8.2f  (best %8.2f)  %5.1f %% of peak\n", c.name.c_str(), median, c.rates.back(),
                100 * median / peak);
  }
}
