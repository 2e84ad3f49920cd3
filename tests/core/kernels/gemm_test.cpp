#include "kernels/gemm.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

struct GemmCase {
  size_t m, n, k;
  size_t gap = 0;
  bool bias = true, residual = false, transposed = false;
  Activation activation = {};
};

void check(const GemmCase& t) {
  CAPTURE(t.m, t.n, t.k, t.gap, t.bias, t.residual, t.transposed, static_cast<int>(t.activation.kind));
  Random random(static_cast<uint32_t>(t.m * 131 + t.n * 17 + t.k + 1));
  const Rows a = Rows::random(random, t.m, t.k, t.gap);
  const auto b = random.values(t.k * t.n);
  const auto bias = random.values(t.n);
  const Rows residual = Rows::random(random, t.m, t.n, t.gap * 2);
  std::vector<float> packed(packed_b_size(t.k, t.n));
  const ptrdiff_t row_stride = t.transposed ? 1 : static_cast<ptrdiff_t>(t.n);
  const ptrdiff_t column_stride = t.transposed ? static_cast<ptrdiff_t>(t.k) : 1;
  pack_b(packed.data(), t.k, t.n, b.data(), row_stride, column_stride);

  Rows c(t.m, t.n, t.gap);
  gemm(t.m, t.n, t.k, a.data.data(), a.step(), packed.data(), c.data.data(), c.step(),
       {.bias = t.bias ? bias.data() : nullptr,
        .residual = t.residual ? residual.data.data() : nullptr,
        .residual_stride = residual.step(),
        .activation = t.activation});
  const double tolerance = 1e-6 * std::sqrt(static_cast<double>(t.k) + 1) * 4;
  REQUIRE(matches(
      c,
      [&](size_t i, size_t j) {
        double sum = (t.bias ? bias[j] : 0.0) + (t.residual ? residual.at(i, j) : 0.0);
        for (size_t p = 0; p < t.k; ++p) {
          sum += static_cast<double>(a.at(i, p)) *
                 b[p * static_cast<size_t>(row_stride) + j * static_cast<size_t>(column_stride)];
        }
        return activate(t.activation, sum);
      },
      tolerance));
}

TEST_CASE("gemm: every small size") {
  for (size_t m = 1; m <= 13; ++m) {
    for (size_t n = 1; n <= 17; ++n) {
      for (size_t k : {0, 1, 2, 3, 5, 8, 17}) check({.m = m, .n = n, .k = k, .gap = (m + n + k) % 3});
    }
  }
}

TEST_CASE("gemm: several K blocks, row blocks and wide tails") {
  for (const GemmCase& t : std::vector<GemmCase>{
           {.m = 5, .n = 24, .k = 384},
           {.m = 5, .n = 24, .k = 385, .gap = 1},
           {.m = 7, .n = 9, .k = 1000, .residual = true},
           {.m = 131, .n = 20, .k = 513},
           {.m = 257, .n = 33, .k = 40},
           {.m = 1, .n = 100, .k = 700},
           {.m = 2, .n = 71, .k = 600, .residual = true},
           {.m = 3, .n = 40, .k = 500},
       }) {
    check(t);
  }
}

TEST_CASE("gemm: B transposed, no bias, residual") {
  for (size_t n = 1; n <= 17; n += 4) {
    for (bool bias : {false, true}) {
      for (bool residual : {false, true}) {
        check({.m = 6, .n = n, .k = 11, .gap = 1, .bias = bias, .residual = residual, .transposed = true});
      }
    }
  }
}

TEST_CASE("gemm: every activation, in one K block and in two") {
  for (const Activation& activation : activations()) {
    check({.m = 6, .n = 13, .k = 9, .gap = 2, .residual = true, .activation = activation});
    check({.m = 9, .n = 13, .k = 400, .residual = true, .activation = activation});
    // A half panel after an odd number of whole ones, and several groups of panels.
    check({.m = 2, .n = 28, .k = 5, .activation = activation});
    check({.m = 3, .n = 300, .k = 384, .gap = 1, .activation = activation});
  }
}

TEST_CASE("gemm: the residual may be the output") {
  Random random;
  const size_t m = 7, n = 11, k = 500;
  const Rows a = Rows::random(random, m, k);
  const auto b = random.values(k * n);
  std::vector<float> packed(packed_b_size(k, n));
  pack_b(packed.data(), k, n, b.data(), static_cast<ptrdiff_t>(n), 1);
  const Rows before = Rows::random(random, m, n);
  Rows c = before;
  gemm(m, n, k, a.data.data(), a.step(), packed.data(), c.data.data(), c.step(),
       {.residual = c.data.data(), .residual_stride = c.step()});
  REQUIRE(matches(
      c,
      [&](size_t i, size_t j) {
        double sum = before.at(i, j);
        for (size_t p = 0; p < k; ++p) sum += static_cast<double>(a.at(i, p)) * b[p * n + j];
        return sum;
      },
      1e-4));
}

TEST_CASE("gemm: a NaN passes the activations that clamp") {
  using Kind = Activation::Kind;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a = {nan}, b = {1.0f};
  std::vector<float> packed(packed_b_size(1, 1));
  pack_b(packed.data(), 1, 1, b.data(), 1, 1);
  for (Kind kind : {Kind::kRelu, Kind::kClip, Kind::kHardSwish, Kind::kHardSigmoid}) {
    float c = 0;
    gemm(1, 1, 1, a.data(), 1, packed.data(), &c, 1, {.activation = {kind, 0.5f, 1.0f}});
    CAPTURE(static_cast<int>(kind));
    REQUIRE(std::isnan(c));
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
