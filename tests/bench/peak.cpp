// The most that one core computes with 128-bit vectors, which are what WebAssembly has. Prints JSON: Gop/s, 2 operations per
// multiply-add, with a multiplication and an addition, and with an FMA instruction where the processor has one (else null).

#include <algorithm>
#include <chrono>
#include <cstdio>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#error "which instructions multiply and add here?"
#endif

namespace {

constexpr int kSteps = 1 << 16;
constexpr int kMultiplyAdds = 8 * 4;  // per step: 2 x 4 vectors of 4

#if defined(__x86_64__)
using Vector = __m128;
#define KINGLET_OPAQUE(v) asm volatile("" : "+x"(v))
Vector product_and_sum(Vector a, Vector b, Vector c) { return _mm_add_ps(c, _mm_mul_ps(a, b)); }
[[gnu::target("fma")]] inline Vector fused(Vector a, Vector b, Vector c) { return _mm_fmadd_ps(a, b, c); }
bool has_fma() { return __builtin_cpu_supports("fma") != 0; }
#define KINGLET_FMA_TARGET [[gnu::target("fma")]]
#else
using Vector = float32x4_t;
#define KINGLET_OPAQUE(v) asm volatile("" : "+w"(v))
Vector product_and_sum(Vector a, Vector b, Vector c) { return vaddq_f32(c, vmulq_f32(a, b)); }
inline Vector fused(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
bool has_fma() { return true; }
#define KINGLET_FMA_TARGET
#endif

/// kSteps outer products of 2 and 4 vectors; as many sums as hide an addition's latency and leave registers for operands.
#define KINGLET_STEPS(multiply_add)                                              \
  Vector a[2] = {}, b[4] = {}, sums[8] = {};                                     \
  for (Vector& vector : b) KINGLET_OPAQUE(vector);                               \
  for (int step = 0; step < kSteps; ++step) {                                    \
    KINGLET_OPAQUE(a[0]); /* or products would be computed once */               \
    KINGLET_OPAQUE(a[1]);                                                        \
    _Pragma("GCC unroll 8") for (int i = 0; i < 8; ++i) sums[i] = multiply_add(a[i / 4], b[i % 4], sums[i]); \
  }                                                                              \
  for (Vector& sum : sums) KINGLET_OPAQUE(sum);

void multiply_and_add_steps() { KINGLET_STEPS(product_and_sum) }
KINGLET_FMA_TARGET void fused_steps() { KINGLET_STEPS(fused) }

/// Of the fastest of many short turns: what else runs on the machine slows, and never quickens.
double gops(void (*steps)()) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  const auto end = Clock::now() + std::chrono::milliseconds(400);
  while (Clock::now() < end) {
    const auto begin = Clock::now();
    steps();
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    best = std::max(best, 2.0 * kSteps * kMultiplyAdds / took.count());
  }
  return best;
}

}  // namespace

int main() {
  std::printf("{\"multiplyAndAdd\": %.2f, ", gops(multiply_and_add_steps));
  if (has_fma()) {
    std::printf("\"fma\": %.2f}\n", gops(fused_steps));
  } else {
    std::printf("\"fma\": null}\n");
  }
}
