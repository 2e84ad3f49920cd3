#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("Add, Sub, Mul, Div for every number type") {
  for (const DType t : kNumberDTypes) {
    const Tensor a = make(t, {2, 2}, {8, 6, 9, 100}), b = make(t, {2, 2}, {2, 3, 4, 7});
    const bool whole = !is_float(t);
    INFO(dtype_name(t));
    check_rows({
        {"Add", {.op = "Add", .inputs = {a, b}}, make(t, {2, 2}, {10, 9, 13, 107})},
        {"Sub", {.op = "Sub", .inputs = {a, b}}, make(t, {2, 2}, {6, 3, 5, 93})},
        {"Mul", {.op = "Mul", .inputs = {a, make(t, {}, {1})}}, a},
        {"Mul", {.op = "Mul", .inputs = {b, b}}, make(t, {2, 2}, {4, 9, 16, 49})},
        {"Div", {.op = "Div", .inputs = {a, b}},
         whole ? make(t, {2, 2}, {4, 2, 2, 14}) : make(t, {2, 2}, {4, 2, 2.25, 100.0 / 7})},
    });
  }
}

TEST_CASE("integer arithmetic at the edges") {
  constexpr int64_t kLeast = INT64_MIN;
  constexpr int32_t kLeast32 = INT32_MIN;
  check_rows({
      {"truncates towards zero", {.op = "Div", .inputs = {i32({4}, {7, -7, 7, -7}), i32({4}, {2, 2, -2, -2})}},
       i32({4}, {3, -3, -3, 3})},
      {"by zero gives 0", {.op = "Div", .inputs = {i64({2}, {5, 0}), i64({}, {0})}}, i64({2}, {0, 0})},
      {"unsigned by zero gives 0", {.op = "Div", .inputs = {u8({2}, {5, 0}), u8({}, {0})}}, u8({2}, {0, 0})},
      {"int64 least / -1 wraps", {.op = "Div", .inputs = {i64({1}, {kLeast}), i64({1}, {-1})}}, i64({1}, {kLeast})},
      {"int32 least / -1 wraps", {.op = "Div", .inputs = {i32({1}, {kLeast32}), i32({1}, {-1})}}, i32({1}, {kLeast32})},
      {"Add wraps", {.op = "Add", .inputs = {i32({1}, {INT32_MAX}), i32({1}, {1})}}, i32({1}, {kLeast32})},
      {"Mul wraps", {.op = "Mul", .inputs = {u8({1}, {200}), u8({1}, {2})}}, u8({1}, {144})},
      {"uint8 Sub wraps", {.op = "Sub", .inputs = {u8({1}, {1}), u8({1}, {2})}}, u8({1}, {255})},
      {"uint64 divides unsigned",
       {.op = "Div", .inputs = {Tensor::scalar<uint64_t>(UINT64_MAX), Tensor::scalar<uint64_t>(2)}},
       Tensor::scalar<uint64_t>(UINT64_MAX / 2)},
  });
}

TEST_CASE("float division by zero follows IEEE 754") {
  const Tensor want = f32({3}, {kInf, -kInf, kNaN});
  CHECK(difference(run_op({.op = "Div", .inputs = {f32({3}, {1, -1, 0}), f32({}, {0})}})[0], want) == "");
}

/// The broadcast sum element by element, by NumPy's rule.
Tensor sum_by_definition(const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast(a.shape(), b.shape());
  Tensor y(DType::kFloat32, shape);
  for (size_t i = 0; i < y.count(); ++i) {
    const auto at = [&](const Tensor& t) {
      size_t rest = i, offset = 0, stride = 1;
      for (size_t d = 0; d < shape.rank(); ++d) {
        const size_t index = rest % static_cast<size_t>(shape[shape.rank() - 1 - d]);
        rest /= static_cast<size_t>(shape[shape.rank() - 1 - d]);
        if (d >= t.rank()) continue;
        const auto own = static_cast<size_t>(t.dim(t.rank() - 1 - d));
        if (own != 1) offset += index * stride;
        stride *= own;
      }
      return t.data<float>()[offset];
    };
    y.data<float>()[i] = at(a) + at(b);
  }
  return y;
}

TEST_CASE("broadcasting of every pair of these shapes") {
  const Shape shapes[] = {{}, {1}, {5}, {3, 1}, {3, 5}, {1, 5}, {2, 3, 5}, {2, 1, 5}, {2, 3, 1}, {1, 1, 1}, {2, 1, 1},
                          {4, 1, 3, 1}, {4, 2, 3, 5}, {4, 2, 1, 1}, {1, 2, 1, 5}, {1, 1, 3, 5}, {0, 1}, {2, 0, 1, 1}};
  size_t pairs = 0;
  for (const Shape& s : shapes) {
    for (const Shape& t : shapes) {
      const Tensor a = iota(s), b = iota(t, 1000, 100);
      Shape out;
      try {
        out = broadcast(s, t);
      } catch (const Error&) {
        CHECK(failure({.op = "Add", .inputs = {a, b}}) == ErrorCode::kShape);
        continue;
      }
      INFO(text("{} + {}", s, t));
      const Tensor want = sum_by_definition(a, b);
      CHECK(difference(run_op({.op = "Add", .inputs = {a, b}})[0], want) == "");
      // The same walk for the types that have no kernel.
      const auto as = [](const Tensor& x, DType type) { return make(type, x.shape(), to_doubles(x)); };
      for (const DType type : {DType::kInt32, DType::kFloat64}) {
        CHECK(difference(run_op({.op = "Add", .inputs = {as(a, type), as(b, type)}})[0], as(want, type)) == "");
      }
      ++pairs;
    }
  }
  CHECK(pairs > 150);
}

TEST_CASE("blocks longer than the conversion buffer") {
  const int64_t n = 1000;
  std::vector<double> x, y;
  for (int64_t i = 0; i < 2 * n; ++i) {
    x.push_back(static_cast<double>(i % 1000));
    y.push_back(static_cast<double>(i % 1000 + 3));
  }
  const Tensor a = make(DType::kFloat16, {2, n}, x);
  CHECK(difference(run_op({.op = "Add", .inputs = {a, make(DType::kFloat16, {1}, {3})}})[0],
                   make(DType::kFloat16, {2, n}, y)) == "");
}

TEST_CASE("float16 is rounded once, to nearest even") {
  // 2048 + 1 lies between 2048 and 2050: even mantissa wins. 2050 + 1 goes to 2052.
  const Tensor a = make(DType::kFloat16, {2}, {2048, 2050});
  CHECK(difference(run_op({.op = "Add", .inputs = {a, make(DType::kFloat16, {}, {1})}})[0],
                   make(DType::kFloat16, {2}, {2048, 2052})) == "");
}

TEST_CASE("Mod") {
  const Tensor a = i32({6}, {-4, 7, 5, 4, -7, 8}), b = i32({6}, {2, -3, 8, -2, 3, 5});
  check_rows({
      {"sign of the divisor", {.op = "Mod", .inputs = {a, b}}, i32({6}, {0, -2, 5, 0, 2, 3})},
      {"fmod: sign of the dividend", {.op = "Mod", .attributes = {attr("fmod", 1)}, .inputs = {a, b}},
       i32({6}, {0, 1, 5, 0, -1, 3})},
      {"float fmod",
       {.op = "Mod", .attributes = {attr("fmod", 1)}, .inputs = {f32({3}, {-4.3f, 7.2f, 5}), f32({3}, {2.1f, -3.4f, 8})}},
       f32({3}, {-0.1f, 0.4f, 5}), 1e-6},
      {"by zero gives 0", {.op = "Mod", .inputs = {i64({1}, {5}), i64({1}, {0})}}, i64({1}, {0})},
      {"least by -1", {.op = "Mod", .inputs = {i64({1}, {INT64_MIN}), i64({1}, {-1})}}, i64({1}, {0})},
      {"uint64", {.op = "Mod", .inputs = {u8({2}, {7, 255}), u8({2}, {4, 0})}}, u8({2}, {3, 0})},
  });
}

TEST_CASE("arithmetic refuses what does not fit") {
  check_failures({
      {"shapes", {.op = "Add", .inputs = {iota({2}), iota({3})}}, ErrorCode::kShape},
      {"types", {.op = "Add", .inputs = {iota({2}), i32({2}, {1, 2})}}, ErrorCode::kModel},
      {"bool", {.op = "Add", .inputs = {boolean({1}, {true}), boolean({1}, {true})}}, ErrorCode::kModel},
      {"strings", {.op = "Mul", .inputs = {strings({1}, {"a"}), strings({1}, {"b"})}}, ErrorCode::kModel},
      {"missing input", {.op = "Add", .inputs = {iota({2})}}, ErrorCode::kModel},
      {"absent input", {.op = "Sub", .inputs = {iota({2}), Tensor()}}, ErrorCode::kModel},
  });
}

std::vector<Dim> inferred_dims(const char* op, std::vector<Dim> a, std::vector<Dim> b) {
  ops::ValueInfo x, y, out;
  x.dtype = y.dtype = DType::kInt64;
  x.shape = SymShape(Shape{static_cast<int64_t>(a.size())});
  y.shape = SymShape(Shape{static_cast<int64_t>(b.size())});
  x.dims = std::move(a);
  y.dims = std::move(b);
  const ops::ValueInfo* inputs[] = {&x, &y};
  ops::InferContext c(inputs, 2, std::span(&out, 1), nullptr);
  const ops::OpDef* def = ops::find_op("", op);
  Node node;
  node.op_type = op;
  node.opset = 21;
  def->infer(def->parse(ops::NodeView(node)).get(), c);
  return out.dims;
}

TEST_CASE("shape arithmetic carries dims") {
  const Dim n = Dim::symbol(0);
  struct Row {
    const char* op;
    Dim a, b, want;
  };
  const Row rows[] = {
      {"Add", 3, 4, 7}, {"Add", n, 0, n}, {"Add", 0, n, n},     {"Add", n, 1, Dim()}, {"Sub", 7, 3, 4},
      {"Sub", n, 0, n}, {"Sub", n, n, 0}, {"Sub", 3, 7, Dim()}, {"Mul", 3, 4, 12},    {"Mul", n, 1, n},
      {"Mul", 1, n, n}, {"Div", 9, 2, 4}, {"Div", n, 1, n},     {"Div", n, 0, Dim()}, {"Mul", INT64_MAX, 2, Dim()},
  };
  for (const Row& row : rows) {
    INFO(row.op);
    const std::vector<Dim> got = inferred_dims(row.op, {row.a}, {row.b});
    REQUIRE(got.size() == 1);
    CHECK((got[0].same(row.want) || (!row.want.known() && !row.want.is_symbol() && !got[0].known())));
  }
  const std::vector<Dim> two = inferred_dims("Mul", {n, 5}, {1});
  REQUIRE(two.size() == 2);
  CHECK(two[0].same(n));
  CHECK(two[1].same(5));
}

}  // namespace
}  // namespace kinglet::test
