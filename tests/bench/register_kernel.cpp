// The best that a host's WebAssembly compiler makes of a register kernel: tiles of 4 rows and 8 columns over data in the first
// level cache, nothing else. scripts/bench/yardstick.mjs measures it; products of whole matrices are held against it.

#include <wasm_simd128.h>

namespace {

constexpr int kDepth = 256, kRows = 4, kColumns = 8;

alignas(64) float a[kDepth * kRows];
alignas(64) float b[kDepth * kColumns];
alignas(64) float c[kRows * kColumns];

v128_t fused(v128_t x, v128_t y, v128_t sum) { return wasm_f32x4_relaxed_madd(x, y, sum); }
v128_t product_and_sum(v128_t x, v128_t y, v128_t sum) { return wasm_f32x4_add(sum, wasm_f32x4_mul(x, y)); }

template <v128_t (*multiply_add)(v128_t, v128_t, v128_t)>
void tiles(int count) {
  for (int tile = 0; tile < count; ++tile) {
    asm volatile("" ::"r"(a), "r"(b), "r"(c) : "memory");  // or the compiler would know what they hold, and compute nothing
    v128_t sums[kRows][2] = {};
    for (int k = 0; k < kDepth; ++k) {
      const v128_t left = wasm_v128_load(b + k * kColumns);
      const v128_t right = wasm_v128_load(b + k * kColumns + 4);
#pragma clang loop unroll(full)
      for (int row = 0; row < kRows; ++row) {
        const v128_t x = wasm_v128_load32_splat(a + k * kRows + row);
        sums[row][0] = multiply_add(x, left, sums[row][0]);
        sums[row][1] = multiply_add(x, right, sums[row][1]);
      }
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < kRows; ++row) {
      wasm_v128_store(c + row * kColumns, sums[row][0]);
      wasm_v128_store(c + row * kColumns + 4, sums[row][1]);
    }
  }
}

}  // namespace

extern "C" {
/// Multiply-adds of one tile.
[[clang::export_name("multiplyAdds")]] int multiply_adds() { return kDepth * kRows * kColumns; }
/// Computes `count` tiles with relaxed_madd, or with mul and add.
[[clang::export_name("relaxed")]] void relaxed(int count) { tiles<fused>(count); }
[[clang::export_name("simd")]] void simd(int count) { tiles<product_and_sum>(count); }
}
