// GFLOP/s (two operations a multiply-add) of each kernel beside the peak of a tile that never leaves its registers.
// Every round runs all cases once, so noise of the machine meets them alike; the median round is printed.
//   kernels_bench [rounds]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kernels/gemm.hpp"
#include "kernels/simd.hpp"

namespace {

using namespace kinglet::kernels;
namespace simd = kinglet::simd;

volatile float g_sink;
constexpr int kPeakSteps = 100000;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
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

/// The multiply-adds of a 4x8 tile, with nothing to load.
void peak_tile() {
  using simd::f32x4;
  // Not constants: V8 would build a vector constant anew at every use.
  const f32x4 b0 = simd::splat(g_sink + 0.999f), b1 = simd::splat(g_sink + 0.998f);
  const f32x4 a0 = b0 * b1, a1 = b1 * b1, a2 = b0 * b0, a3 = b1 + b0;
  f32x4 c0 = a0, c1 = a1, c2 = a2, c3 = a3, c4 = a0, c5 = a1, c6 = a2, c7 = a3;
  for (int i = 0; i < kPeakSteps; ++i) {
    c0 = simd::madd(a0, b0, c0);
    c1 = simd::madd(a0, b1, c1);
    c2 = simd::madd(a1, b0, c2);
    c3 = simd::madd(a1, b1, c3);
    c4 = simd::madd(a2, b0, c4);
    c5 = simd::madd(a2, b1, c5);
    c6 = simd::madd(a3, b0, c6);
    c7 = simd::madd(a3, b1, c7);
  }
  g_sink = simd::sum_lanes((c0 + c1) + (c2 + c3) + (c4 + c5) + (c6 + c7));
}

Case gemm_case(size_t m, size_t n, size_t k, Activation activation = {}) {
  auto a = values(m * k), b = values(k * n), packed = values(packed_b_size(k, n)), c = values(m * n), bias = values(n);
  pack_b(packed.data(), k, n, b.data(), static_cast<ptrdiff_t>(n), 1);
  return {"gemm " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k),
          2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
          [=]() mutable {
            gemm(m, n, k, a.data(), static_cast<ptrdiff_t>(k), packed.data(), c.data(), static_cast<ptrdiff_t>(n),
                 {.bias = bias.data(), .activation = activation});
          }};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  std::vector<Case> cases;
  cases.push_back({"register peak", 2.0 * 4 * 8 * kPeakSteps, peak_tile});
  for (size_t s : {64, 128, 256, 512, 1024}) cases.push_back(gemm_case(s, s, s));
  cases.push_back(gemm_case(12544, 16, 16));
  cases.push_back(gemm_case(3136, 144, 24));
  cases.push_back(gemm_case(3136, 24, 144));
  cases.push_back(gemm_case(49, 1280, 320));
  for (size_t m : {1, 2, 3, 5}) cases.push_back(gemm_case(m, 512, 512));
  cases.push_back(gemm_case(1, 1000, 1280));

  for (Case& c : cases) {
    const double start = seconds();
    while (seconds() - start < 0.05) c.run();
  }
  for (int round = 0; round < rounds; ++round) {
    for (Case& c : cases) {
      int calls = 0;
      const double start = seconds();
      double now = start;
      while (now - start < 0.02) {
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
    std::printf("%-28s %8.2f  (best %8.2f)  %5.1f %% of peak\n", c.name.c_str(), median, c.rates.back(),
                100 * median / peak);
  }
}
