#include "kernels/strassen.hpp"

#include <array>

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

struct StrassenCase {
  size_t m, n, k;
  size_t gap = 0;
  bool bias = false, residual = false, in_place = false;
  Activation activation = {};
};

struct Operands {
  Rows a;
  std::vector<float> b, packed;

  Operands(Random& random, size_t m, size_t n, size_t k, size_t gap)
      : a(Rows::random(random, m, k, gap)), b(random.values(k * n)), packed(packed_b_size(k, n)) {
    pack_b(packed.data(), k, n, b.data(), static_cast<ptrdiff_t>(n), 1);
  }
};

std::vector<double> product(const Operands& o, size_t m, size_t n, size_t k) {
  std::vector<double> c(m * n);
  for (size_t i = 0; i < m; ++i) {
    for (size_t p = 0; p < k; ++p) {
      const double x = o.a.at(i, p);
      for (size_t j = 0; j < n; ++j) c[i * n + j] += x * o.b[p * n + j];
    }
  }
  return c;
}

void check(const StrassenCase& t) {
  CAPTURE(t.m, t.n, t.k, t.gap, t.bias, t.residual, t.in_place, static_cast<int>(t.activation.kind));
  Random random(static_cast<uint32_t>(t.m * 131 + t.n * 17 + t.k + 1));
  const Operands o(random, t.m, t.n, t.k, t.gap);
  const auto bias = random.values(t.n);
  const Rows residual = Rows::random(random, t.m, t.n, t.in_place ? t.gap : t.gap * 2);
  const size_t scratch_floats = strassen_scratch_size(t.m, t.n, t.k, t.residual);
  REQUIRE(scratch_floats > 0);
  const Scratch scratch(scratch_floats * sizeof(float));

  Rows c = t.in_place ? residual : Rows(t.m, t.n, t.gap);
  const float* const added = t.in_place ? c.data.data() : residual.data.data();
  strassen(t.m, t.n, t.k, o.a.data.data(), o.a.step(), o.packed.data(), c.data.data(), c.step(),
           {.bias = t.bias ? bias.data() : nullptr,
            .residual = t.residual ? added : nullptr,
            .residual_stride = residual.step(),
            .activation = t.activation},
           static_cast<float*>(scratch.get()));
  const std::vector<double> sums = product(o, t.m, t.n, t.k);
  REQUIRE(matches(
      c,
      [&](size_t i, size_t j) {
        return activate(t.activation, sums[i * t.n + j] + (t.bias ? bias[j] : 0.0) +
                                          (t.residual ? residual.at(i, j) : 0.0));
      },
      1.5e-5 * std::sqrt(static_cast<double>(t.k))));
}

TEST_CASE("strassen: one level, every remainder of rows and columns") {
  for (size_t rest : {0, 1, 7, 8, 9, 15}) {
    check({.m = 256 + rest, .n = 256 + rest, .k = 256, .gap = rest % 3});
    check({.m = 256 + rest % 2, .n = 271 - rest, .k = 400, .bias = true, .residual = true});
  }
}

TEST_CASE("strassen: depths of one, two and four blocks, and two levels") {
  for (const StrassenCase& t : std::vector<StrassenCase>{
           {.m = 256, .n = 260, .k = 258, .gap = 1},
           {.m = 301, .n = 270, .k = 772},
           {.m = 256, .n = 256, .k = 1536},
           {.m = 512, .n = 512, .k = 512},
           {.m = 515, .n = 541, .k = 516, .gap = 1, .bias = true},
           {.m = 514, .n = 530, .k = 516, .gap = 3, .bias = true, .residual = true},
           {.m = 512, .n = 512, .k = 1024, .residual = true},
       }) {
    check(t);
  }
}

TEST_CASE("strassen: thin halves, which pay without a residual alone") {
  for (const StrassenCase& t : std::vector<StrassenCase>{
           {.m = 960, .n = 240, .k = 240},
           {.m = 129, .n = 391, .k = 384, .gap = 1, .bias = true},
           {.m = 197, .n = 256, .k = 1024, .activation = {Activation::Kind::kRelu}},
           {.m = 785, .n = 135, .k = 512, .gap = 2, .bias = true, .activation = {Activation::Kind::kSilu}},
       }) {
    check(t);
    REQUIRE(strassen_scratch_size(t.m, t.n, t.k, true) == 0);
  }
}

TEST_CASE("strassen: every activation, with and without residual") {
  for (const Activation& activation : activations()) {
    for (bool residual : {false, true}) {
      check({.m = 257,
             .n = 261,
             .k = 256,
             .gap = 2,
             .bias = true,
             .residual = residual,
             .activation = activation});
    }
  }
}

TEST_CASE("strassen: the residual may be the output") {
  check({.m = 263, .n = 265, .k = 256, .gap = 1, .residual = true, .in_place = true});
  check({.m = 513,
         .n = 521,
         .k = 512,
         .bias = true,
         .residual = true,
         .in_place = true,
         .activation = {Activation::Kind::kGelu}});
}

TEST_CASE("strassen: small, thin and odd products are gemm") {
  for (const auto& [m, n, k] : std::vector<std::array<size_t, 3>>{{255, 256, 256},
                                                                  {256, 255, 256},
                                                                  {256, 256, 254},
                                                                  {256, 256, 257},
                                                                  {256, 256, 774},
                                                                  {1, 512, 512},
                                                                  {3, 5, 0}}) {
    CAPTURE(m, n, k);
    Random random;
    const Operands o(random, m, n, k, 0);
    REQUIRE(strassen_scratch_size(m, n, k, true) == 0);
    Rows c(m, n), expected(m, n);
    strassen(m, n, k, o.a.data.data(), o.a.step(), o.packed.data(), c.data.data(), c.step(), {}, nullptr);
    gemm(m, n, k, o.a.data.data(), o.a.step(), o.packed.data(), expected.data.data(), expected.step());
    REQUIRE(c.data == expected.data);
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
