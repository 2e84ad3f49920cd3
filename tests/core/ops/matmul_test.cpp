// MatMul and Gemm against plain loops.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

/// NumPy's matmul of operands of rank 2 and more.
Tensor product(const Tensor& a, const Tensor& b) {
  const Shape a_batch(a.shape().dims().first(a.rank() - 2)), b_batch(b.shape().dims().first(b.rank() - 2));
  Shape out = broadcast(a_batch, b_batch);
  const std::vector<int64_t> batch(out.begin(), out.end());
  const int64_t m = a.dim(a.rank() - 2), k = a.shape().back(), n = b.shape().back();
  out.push_back(m);
  out.push_back(n);
  const std::vector<double> x = to_doubles(a), y = to_doubles(b);
  std::vector<double> z;
  const auto matrix = [](const Shape& own, const std::vector<int64_t>& at) {
    int64_t flat = 0;
    for (size_t i = 0; i < own.rank(); ++i)
      flat = flat * own[i] + (own[i] == 1 ? 0 : at[at.size() - own.rank() + i]);
    return flat;
  };
  for_each_index(batch, [&](const std::vector<int64_t>& at) {
    const int64_t am = matrix(a_batch, at) * m * k, bm = matrix(b_batch, at) * k * n;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += x[static_cast<size_t>(am + i * k + l)] * y[static_cast<size_t>(bm + l * n + j)];
        z.push_back(sum);
      }
    }
  });
  return make(a.dtype(), out, z);
}

Tensor transposed(const Tensor& t) {
  const std::vector<double> in = to_doubles(t);
  std::vector<double> out;
  for (int64_t j = 0; j < t.dim(1); ++j) {
    for (int64_t i = 0; i < t.dim(0); ++i) out.push_back(in[static_cast<size_t>(i * t.dim(1) + j)]);
  }
  return make(t.dtype(), {t.dim(1), t.dim(0)}, out);
}

constexpr std::pair<DType, double> kTypes[] = {
    {DType::kFloat32, 1e-5}, {DType::kFloat64, 1e-12}, {DType::kFloat16, 4e-3}, {DType::kBFloat16, 3e-2}};

}  // namespace

TEST_CASE("MatMul over odd sizes and batches", "[op]") {
  const std::pair<Shape, Shape> rows[] = {
      {{1, 1}, {1, 1}},          {{3, 5}, {5, 7}},       {{17, 9}, {9, 13}},           {{1, 300}, {300, 2}},
      {{5, 1}, {1, 9}},          {{2, 3, 4}, {4, 5}},    {{2, 3, 4}, {2, 4, 5}},       {{1, 3, 4}, {6, 4, 2}},
      {{2, 1, 3, 4}, {5, 4, 2}}, {{3, 4}, {2, 2, 4, 3}}, {{2, 3, 2, 4}, {1, 3, 4, 2}}, {{0, 3}, {3, 4}},
      {{2, 3}, {3, 0}},          {{2, 0}, {0, 3}},       {{0, 2, 3}, {1, 3, 2}},       {{4, 0, 3}, {3, 2}},
  };
  for (const auto& [a, b] : rows) {
    for (const auto& [type, tolerance] : kTypes) {
      INFO(text("{} x {} {}", a, b, type));
      const Tensor x = numbers(type, a, 1), y = numbers(type, b, 2);
      CHECK(difference(run_op({.op = "MatMul", .inputs = {x, y}})[0], product(x, y), tolerance) == "");
    }
  }
}

TEST_CASE("MatMul and Gemm large enough for Strassen's products", "[op]") {
  const Tensor x = numbers(DType::kFloat32, {2, 256, 258}, 1), y = numbers(DType::kFloat32, {2, 258, 265}, 2);
  CHECK(difference(run_op({.op = "MatMul", .inputs = {x, y}})[0], product(x, y), 1e-5) == "");

  const Tensor a = numbers(DType::kFloat32, {257, 256}, 3), b = numbers(DType::kFloat32, {256, 261}, 4);
  const Tensor column = numbers(DType::kFloat32, {257, 1}, 5);
  std::vector<double> want = to_doubles(product(a, b));
  const std::vector<double> added = to_doubles(column);
  for (size_t i = 0; i < want.size(); ++i) want[i] += added[i / 261];
  CHECK(difference(run_op({.op = "Gemm", .inputs = {a, b, column}})[0],
                   make(DType::kFloat32, {257, 261}, want), 1e-5) == "");
}

TEST_CASE("MatMul of vectors, integers and what does not multiply", "[op]") {
  const Tensor v = f32({3}, {1, 2, 3}), m = f32({3, 2}, {1, 2, 3, 4, 5, 6}),
               n = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  check_rows({
      {"vector x vector", {.op = "MatMul", .inputs = {v, v}}, {f32({}, {14})}},
      {"vector x matrix", {.op = "MatMul", .inputs = {v, m}}, {f32({2}, {22, 28})}},
      {"matrix x vector", {.op = "MatMul", .inputs = {n, v}}, {f32({2}, {14, 32})}},
      {"vector x matrices",
       {.op = "MatMul", .inputs = {f32({2}, {1, 10}), f32({2, 2, 1}, {1, 2, 3, 4})}},
       {f32({2, 1}, {21, 43})}},
      {"matrices x vector",
       {.op = "MatMul", .inputs = {f32({2, 1, 2}, {1, 2, 3, 4}), f32({2}, {1, 10})}},
       {f32({2, 1}, {21, 43})}},
      {"int32 wraps",
       {.op = "MatMul", .inputs = {i32({1, 2}, {INT32_MAX, 1}), i32({2, 1}, {1, 1})}},
       {i32({1, 1}, {INT32_MIN})}},
      {"int64",
       {.op = "MatMul", .inputs = {i64({1, 2}, {1LL << 40, 3}), i64({2, 1}, {2, 5})}},
       {i64({1, 1}, {(1LL << 41) + 15})}},
      {"bias and activation of the passes",
       {.op = "MatMul", .attributes = {attr("activation", "Relu")}, .inputs = {n, m, f32({2}, {-23, -100})}},
       {f32({2, 2}, {0, 0, 26, 0})}},
  });
  check_failures(std::vector<BadRow>{
      {"inner dims", {.op = "MatMul", .inputs = {n, n}}, ErrorCode::kShape, "multiply"},
      {"scalar", {.op = "MatMul", .inputs = {f32({}, {1}), n}}, ErrorCode::kShape, "scalars"},
      {"batches",
       {.op = "MatMul",
        .inputs = {numbers(DType::kFloat32, {2, 1, 1}, 1), numbers(DType::kFloat32, {3, 1, 1}, 1)}},
       ErrorCode::kShape,
       "broadcast"},
      {"types", {.op = "MatMul", .inputs = {n, f64({3, 1}, {1, 2, 3})}}, ErrorCode::kModel, "types"},
      {"strings",
       {.op = "MatMul", .inputs = {strings({1, 1}, {"a"}), strings({1, 1}, {"b"})}},
       ErrorCode::kModel,
       "string"},
      {"one operand", {.op = "MatMul", .inputs = {n}}, ErrorCode::kModel, "missing"},
  });
}

TEST_CASE("Gemm with every transposition, factor and C", "[op]") {
  for (const auto& [type, tolerance] : kTypes) {
    for (int bits = 0; bits < 4; ++bits) {
      for (const auto& [m, k, n] :
           {std::array<int64_t, 3>{1, 1, 1}, {3, 5, 7}, {6, 1, 9}, {2, 0, 3}, {1, 33, 4}}) {
        const Tensor a = numbers(type, {m, k}, 1), b = numbers(type, {k, n}, 2);
        const Shape cs[] = {{n}, {1, n}, {m, 1}, {m, n}, {1}, {}};
        for (size_t ci = 0; ci <= std::size(cs); ++ci) {
          for (const auto& [alpha, beta] : {std::pair{1.0f, 1.0f}, {0.5f, 2.0f}, {-2.0f, 0.0f}}) {
            INFO(text("{} bits {} m {} k {} n {} C {} alpha {} beta {}", type, bits, m, k, n, ci,
                      static_cast<double>(alpha), static_cast<double>(beta)));
            OpCall call{
                .op = "Gemm",
                .attributes = {attr("alpha", alpha), attr("beta", beta), attr("transA", bits & 1),
                               attr("transB", bits >> 1)},
                .inputs = {(bits & 1) != 0 ? transposed(a) : a, (bits >> 1) != 0 ? transposed(b) : b}};
            std::vector<double> want = to_doubles(product(make(DType::kFloat64, a.shape(), to_doubles(a)),
                                                          make(DType::kFloat64, b.shape(), to_doubles(b))));
            std::vector<double> c;
            if (ci < std::size(cs)) {
              call.inputs.push_back(numbers(type, cs[ci], 3));
              c = to_doubles(call.inputs[2]);
            }
            for (size_t i = 0; i < want.size(); ++i) {
              want[i] *= static_cast<double>(alpha);
              if (c.empty()) continue;
              const bool by_row = cs[ci].rank() == 2 && cs[ci][1] == 1;
              const size_t row = i / static_cast<size_t>(n), column = i % static_cast<size_t>(n);
              want[i] +=
                  static_cast<double>(beta) * c[c.size() == 1                                    ? 0
                                                : by_row                                         ? row
                                                : cs[ci].rank() == 2 && cs[ci][0] == m && m != 1 ? i
                                                                                                 : column];
            }
            REQUIRE(difference(run_op(call)[0], make(type, {m, n}, want), tolerance) == "");
          }
        }
      }
    }
  }
}

TEST_CASE("Gemm of integers, and what it refuses", "[op]") {
  const Tensor a = i32({1, 2}, {3, 4}), b = i32({2, 1}, {5, -6});
  check_rows({
      {"integers", {.op = "Gemm", .inputs = {a, b, i32({1}, {10})}}, {i32({1, 1}, {1})}},
      {"fractions go towards zero",
       {.op = "Gemm",
        .attributes = {attr("alpha", 0.5f), attr("beta", 0.5f)},
        .inputs = {a, b, i32({1}, {3})}},
       {i32({1, 1}, {-3})}},
      {"a factor that leaves the type",
       {.op = "Gemm", .attributes = {attr("alpha", 1e30f)}, .inputs = {i32({1, 1}, {1}), i32({1, 1}, {1})}},
       {i32({1, 1}, {INT32_MAX})}},
  });
  const Tensor x = f32({2, 2}, {1, 2, 3, 4});
  check_failures(std::vector<BadRow>{
      {"rank 3",
       {.op = "Gemm", .inputs = {numbers(DType::kFloat32, {1, 2, 2}, 1), x}},
       ErrorCode::kShape,
       "rank 2"},
      {"inner dims", {.op = "Gemm", .inputs = {x, f32({1, 2}, {1, 2})}}, ErrorCode::kShape, "multiply"},
      {"C", {.op = "Gemm", .inputs = {x, x, f32({3}, {1, 2, 3})}}, ErrorCode::kShape, "broadcast"},
      {"types", {.op = "Gemm", .inputs = {x, x, f64({1}, {1})}}, ErrorCode::kModel, "types"},
  });
}
