#include "kernels/matmul_nbits.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

enum class Zeros { kNone, kPacked, kFloat };

void check(size_t m, size_t n, size_t k, size_t bits, size_t block, Zeros zeros, bool grouped,
           bool has_bias) {
  CAPTURE(m, n, k, bits, block, static_cast<int>(zeros), grouped, has_bias);
  Random random(static_cast<uint32_t>(m * 131 + n * 17 + k + bits));
  NBits w{.n = n, .k = k, .bits = bits, .block = block};
  const size_t blocks = w.blocks(), per_byte = 8 / bits, zero_row = (blocks + per_byte - 1) / per_byte;
  const auto bytes = [&](size_t count) {
    std::vector<uint8_t> v(count);
    for (uint8_t& b : v) b = static_cast<uint8_t>(random.below(256));
    return v;
  };
  const auto weights = bytes(n * blocks * block * bits / 8), packed_zeros = bytes(n * zero_row);
  const auto scales = random.values(n * blocks), float_zeros = random.values(n * blocks);
  const auto a = random.values(m * k), bias = random.values(n);
  std::vector<int32_t> groups(k);
  for (int32_t& g : groups) g = static_cast<int32_t>(random.below(blocks));
  w.weights = weights.data();
  w.scales = scales.data();
  if (zeros == Zeros::kPacked) w.packed_zeros = packed_zeros.data();
  if (zeros == Zeros::kFloat) w.zeros = float_zeros.data();
  if (grouped) w.groups = groups.data();
  std::vector<float> y(m * n),
      scratch(matmul_nbits_scratch_floats(w, m), std::numeric_limits<float>::quiet_NaN());
  matmul_nbits(w, m, a.data(), y.data(), has_bias ? bias.data() : nullptr, scratch.data());
  const auto bits_at = [&](const uint8_t* p, size_t i) {
    return p[i / per_byte] >> i % per_byte * bits & ((1u << bits) - 1);
  };
  for (size_t r = 0; r < m; ++r) {
    for (size_t c = 0; c < n; ++c) {
      double want = has_bias ? bias[c] : 0.0, magnitude = 1;
      for (size_t i = 0; i < k; ++i) {
        const size_t b = grouped ? static_cast<size_t>(groups[i]) : i / block;
        double zero = static_cast<double>(1u << (bits - 1));
        if (zeros == Zeros::kPacked) zero = bits_at(packed_zeros.data() + c * zero_row, b);
        if (zeros == Zeros::kFloat) zero = float_zeros[c * blocks + b];
        const double q = bits_at(weights.data() + c * blocks * (block * bits / 8), i),
                     scale = scales[c * blocks + b];
        want += a[r * k + i] * (q - zero) * scale;
        magnitude += std::abs(a[r * k + i] * (q + std::abs(zero)) * scale);
      }
      REQUIRE(std::abs(y[r * n + c] - want) <= 4e-7 * magnitude);
    }
  }
}

TEST_CASE("matmul_nbits: rows, columns, bits, blocks and depths that are not whole") {
  for (const size_t bits : {2, 4, 8}) {
    for (const size_t block : {16, 32, 64, 128}) {
      for (const size_t m : {1, 2, 3, 5, 8, 9, 20}) {
        for (const size_t k : {1, 15, 64, 200})
          check(m, 7, k, bits, block, Zeros::kPacked, false, m % 2 == 1);
      }
      for (size_t n = 1; n <= 5; ++n) check(1, n, 256, bits, block, Zeros::kNone, false, true);
      for (const size_t m : {1, 10}) {
        check(m, 35, 100, bits, block, Zeros::kFloat, false, true);
        check(m, 33, 100, bits, block, Zeros::kPacked, true, false);
      }
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
