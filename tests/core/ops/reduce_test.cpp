#include <random>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

struct Reduction {
  const char* op;
  double (*f)(const std::vector<double>&);
};

double sum(const std::vector<double>& v) {
  double s = 0;
  for (const double x : v) s += x;
  return s;
}

template <class F>
double sum_of(const std::vector<double>& v, F f) {
  double s = 0;
  for (const double x : v) s += f(x);
  return s;
}

const Reduction kReductions[] = {
    {"ReduceSum", sum},
    {"ReduceMean", [](const std::vector<double>& v) { return sum(v) / static_cast<double>(v.size()); }},
    {"ReduceMax", [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }},
    {"ReduceMin", [](const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }},
    {"ReduceProd",
     [](const std::vector<double>& v) {
       double p = 1;
       for (const double x : v) p *= x;
       return p;
     }},
    {"ReduceL1", [](const std::vector<double>& v) { return sum_of(v, [](double x) { return std::abs(x); }); }},
    {"ReduceL2", [](const std::vector<double>& v) { return std::sqrt(sum_of(v, [](double x) { return x * x; })); }},
    {"ReduceSumSquare", [](const std::vector<double>& v) { return sum_of(v, [](double x) { return x * x; }); }},
    {"ReduceLogSum", [](const std::vector<double>& v) { return std::log(sum(v)); }},
    {"ReduceLogSumExp", [](const std::vector<double>& v) { return std::log(sum_of(v, [](double x) { return std::exp(x); })); }},
};

/// The definition: for each output element all inputs that agree with it on the kept axes.
Tensor reduce_by_definition(const Reduction& r, const Tensor& x, const std::vector<bool>& reduced, bool keep_dims) {
  Shape shape;
  for (size_t d = 0; d < x.rank(); ++d) {
    if (!reduced[d]) shape.push_back(x.dim(d));
    if (reduced[d] && keep_dims) shape.push_back(1);
  }
  std::vector<std::vector<double>> groups(shape.count());
  const std::vector<double> values = to_doubles(x);
  for (size_t i = 0; i < values.size(); ++i) {
    size_t rest = i, out = 0, stride = 1;
    for (size_t d = x.rank(); d-- > 0;) {
      const size_t index = rest % static_cast<size_t>(x.dim(d));
      rest /= static_cast<size_t>(x.dim(d));
      if (reduced[d]) continue;
      out += index * stride;
      stride *= static_cast<size_t>(x.dim(d));
    }
    groups[out].push_back(values[i]);
  }
  std::vector<double> results;
  for (const auto& g : groups) results.push_back(r.f(g));
  return make(x.dtype(), shape, results);
}

TEST_CASE("reductions over every set of axes, float32 and float64") {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> value(0.5, 1.5);
  for (const Shape& shape : {Shape{5}, Shape{4, 3}, Shape{2, 3, 4}, Shape{3, 1, 2, 5}, Shape{2, 2, 1, 3, 2}}) {
    std::vector<double> values(shape.count());
    for (double& v : values) v = value(random);
    for (uint32_t mask = 1; mask < (1u << shape.rank()); ++mask) {
      std::vector<bool> reduced;
      std::vector<int64_t> axes;
      for (size_t d = 0; d < shape.rank(); ++d) {
        reduced.push_back((mask >> d & 1) != 0);
        // Every second axis counts from the end.
        if (reduced[d]) axes.push_back(static_cast<int64_t>(d) - (d % 2 == 1 ? static_cast<int64_t>(shape.rank()) : 0));
      }
      for (const Reduction& r : kReductions) {
        for (const DType t : {DType::kFloat32, DType::kFloat64}) {
          const Tensor x = make(t, shape, values);
          const bool keep = (mask & 2) == 0;
          INFO(text("{} {} {} mask {}", r.op, t, shape, mask));
          const Tensor want = reduce_by_definition(r, x, reduced, keep);
          const double tolerance = t == DType::kFloat32 ? 1e-6 : 1e-14;
          const OpCall by_attribute = {.op = r.op, .opset = 11, .attributes = {attr_ints("axes", axes), attr("keepdims", keep)}, .inputs = {x}};
          CHECK(difference(run_op(by_attribute)[0], want, tolerance) == "");
          const OpCall by_input = {.op = r.op, .opset = 18, .attributes = {attr("keepdims", keep)},
                                   .inputs = {x, Tensor::from<int64_t>({static_cast<int64_t>(axes.size())}, axes)}};
          CHECK(difference(run_op(by_input)[0], want, tolerance) == "");
        }
      }
    }
  }
}

TEST_CASE("reductions of integers and half types") {
  for (const DType t : {DType::kInt32, DType::kInt64, DType::kUint32, DType::kUint64, DType::kFloat16, DType::kBFloat16}) {
    const Tensor x = make(t, {2, 3}, {1, 2, 4, 3, 4, 12});
    const auto reduce = [&](const char* op) { return OpCall{.op = op, .attributes = {attr("keepdims", 0)}, .inputs = {x, i64({1}, {1})}}; };
    INFO(dtype_name(t));
    const bool whole = !is_float(t);
    const double mean0 = whole ? 2 : 7.0 / 3, mean1 = whole ? 6 : 19.0 / 3;
    check_rows({
        {"sum", reduce("ReduceSum"), make(t, {2}, {7, 19})},
        {"mean", reduce("ReduceMean"), make(t, {2}, {mean0, mean1})},
        {"max", reduce("ReduceMax"), make(t, {2}, {4, 12})},
        {"min", reduce("ReduceMin"), make(t, {2}, {1, 3})},
        {"product", reduce("ReduceProd"), make(t, {2}, {8, 144})},
        {"L1", reduce("ReduceL1"), make(t, {2}, {7, 19})},
        {"L2", reduce("ReduceL2"), make(t, {2}, {whole ? 4 : std::sqrt(21.0), 13})},
        {"sum of squares", reduce("ReduceSumSquare"), make(t, {2}, {21, 169})},
    });
  }
  check_rows({
      {"int8 max", {.op = "ReduceMax", .inputs = {make(DType::kInt8, {3}, {-5, -2, -9})}}, make(DType::kInt8, {1}, {-2})},
      {"uint8 min", {.op = "ReduceMin", .inputs = {u8({3}, {200, 7, 255})}}, u8({1}, {7})},
      {"bool max", {.op = "ReduceMax", .inputs = {boolean({2, 2}, {false, false, false, true}), i64({1}, {1})}}, boolean({2, 1}, {false, true})},
      {"bool min", {.op = "ReduceMin", .inputs = {boolean({2, 2}, {true, true, false, true}), i64({1}, {1})}}, boolean({2, 1}, {true, false})},
      {"mean of negative ints truncates", {.op = "ReduceMean", .inputs = {i32({2}, {-3, -4})}}, i32({1}, {-3})},
      {"int64 sum wraps", {.op = "ReduceSum", .inputs = {i64({2}, {INT64_MAX, 1})}}, i64({1}, {INT64_MIN})},
      {"int32 sum wraps", {.op = "ReduceSum", .inputs = {i32({2}, {INT32_MAX, 1})}}, i32({1}, {INT32_MIN})},
      {"L1 of the least int64", {.op = "ReduceL1", .inputs = {i64({1}, {INT64_MIN})}}, i64({1}, {INT64_MIN})},
      {"int64 beyond 2^53", {.op = "ReduceMax", .inputs = {i64({2}, {INT64_MAX - 1, INT64_MAX})}}, i64({1}, {INT64_MAX})},
  });
}

TEST_CASE("which axes: none, empty, noop, older opsets") {
  const Tensor x = f32({2, 2}, {1, -2, 3, 4}), none = i64({0}, {});
  const auto noop = attr("noop_with_empty_axes", 1);
  check_rows({
      {"no axes: all", {.op = "ReduceSum", .inputs = {x}}, f32({1, 1}, {6})},
      {"absent axes: all", {.op = "ReduceSum", .inputs = {x, Tensor()}}, f32({1, 1}, {6})},
      {"empty axes: all", {.op = "ReduceSum", .attributes = {attr("keepdims", 0)}, .inputs = {x, none}}, f32({}, {6})},
      {"noop with empty axes", {.op = "ReduceSum", .attributes = {noop}, .inputs = {x, none}}, x},
      {"noop without axes", {.op = "ReduceMax", .attributes = {noop}, .inputs = {x}}, x},
      {"noop still squares", {.op = "ReduceSumSquare", .attributes = {noop}, .inputs = {x, none}}, f32({2, 2}, {1, 4, 9, 16})},
      {"noop with axes", {.op = "ReduceSum", .attributes = {noop}, .inputs = {x, i64({1}, {0})}}, f32({1, 2}, {4, 2})},
      {"opset 7", {.op = "ReduceSum", .opset = 7, .attributes = {attr_ints("axes", {0})}, .inputs = {x}}, f32({1, 2}, {4, 2})},
      {"opset 12 mean of all", {.op = "ReduceMean", .opset = 12, .inputs = {x}}, f32({1, 1}, {1.5})},
      {"opset 13 sum by input", {.op = "ReduceSum", .opset = 13, .inputs = {x, i64({2}, {-1, 0})}}, f32({1, 1}, {6})},
      {"scalar", {.op = "ReduceMean", .inputs = {f32({}, {5})}}, f32({}, {5})},
      {"NaN wins", {.op = "ReduceMax", .inputs = {f32({3}, {1, kNaN, 2})}}, f32({1}, {kNaN})},
      {"NaN wins in lanes", {.op = "ReduceMin", .inputs = {f32({2, 2}, {1, kNaN, 0, 5}), i64({1}, {0})}}, f32({1, 2}, {0, kNaN})},
  });
  check_failures({
      {"axis too great", {.op = "ReduceSum", .inputs = {x, i64({1}, {2})}}, ErrorCode::kShape},
      {"axis too small", {.op = "ReduceSum", .opset = 11, .attributes = {attr_ints("axes", {-3})}, .inputs = {x}}, ErrorCode::kShape},
      {"axis twice", {.op = "ReduceSum", .inputs = {x, i64({2}, {0, -2})}}, ErrorCode::kShape},
      {"axes of floats", {.op = "ReduceSum", .inputs = {x, iota({1})}}, ErrorCode::kModel},
      {"strings", {.op = "ReduceMax", .inputs = {strings({1}, {"a"})}}, ErrorCode::kModel},
      {"bool sum", {.op = "ReduceSum", .inputs = {boolean({1}, {true})}}, ErrorCode::kModel},
  });
}

TEST_CASE("reductions of nothing give the identity") {
  const auto reduce = [](const char* op, const Tensor& x) { return OpCall{.op = op, .inputs = {x, i64({1}, {1})}}; };
  const Tensor x = iota({2, 0, 3});
  const auto all = [](float v) { return make(DType::kFloat32, {2, 1, 3}, std::vector<double>(6, static_cast<double>(v))); };
  check_rows({
      {"sum", reduce("ReduceSum", x), all(0)},
      {"product", reduce("ReduceProd", x), all(1)},
      {"max", reduce("ReduceMax", x), all(-kInf)},
      {"min", reduce("ReduceMin", x), all(kInf)},
      {"mean", reduce("ReduceMean", x), all(kNaN)},
      {"L2", reduce("ReduceL2", x), all(0)},
      {"log sum", reduce("ReduceLogSum", x), all(-kInf)},
      {"log sum exp", reduce("ReduceLogSumExp", x), all(-kInf)},
      {"int32 max", reduce("ReduceMax", i32({1, 0}, {})), i32({1, 1}, {INT32_MIN})},
      {"int8 min", reduce("ReduceMin", make(DType::kInt8, {1, 0}, {})), make(DType::kInt8, {1, 1}, {127})},
      {"int8 max", reduce("ReduceMax", make(DType::kInt8, {1, 0}, {})), make(DType::kInt8, {1, 1}, {-128})},
      {"uint8 min", reduce("ReduceMin", u8({1, 0}, {})), u8({1, 1}, {255})},
      {"bool min", reduce("ReduceMin", boolean({1, 0}, {})), boolean({1, 1}, {true})},
      {"int64 mean", reduce("ReduceMean", i64({1, 0}, {})), i64({1, 1}, {0})},
      {"empty output", {.op = "ReduceSum", .inputs = {iota({0, 4}), i64({1}, {1})}}, iota({0, 1})},
  });
}

TEST_CASE("long sums keep float32's accuracy") {
  // 0.1 in float32 is 0.100000001490116; a naive float32 sum of a million is off by 1e-2.
  const int64_t n = 1 << 20;
  const double one = double{0.1f};
  const std::vector<double> values(static_cast<size_t>(n), one);
  check_rows({
      {"rows", {.op = "ReduceMean", .inputs = {make(DType::kFloat32, {1, n}, values), i64({1}, {1})}}, f32({1, 1}, {0.1f}), 1e-6},
      {"lanes", {.op = "ReduceMean", .inputs = {make(DType::kFloat32, {n / 8, 8}, values), i64({1}, {0})}},
       make(DType::kFloat32, {1, 8}, std::vector<double>(8, one)), 1e-6},
      {"middle, wider than a chunk",
       {.op = "ReduceSum", .inputs = {make(DType::kFloat32, {1, 256, n / 256}, values), i64({1}, {1})}},
       make(DType::kFloat32, {1, 1, n / 256}, std::vector<double>(n / 256, one * 256)), 1e-6},
  });
}

TEST_CASE("LogSumExp neither overflows nor loses infinities") {
  const auto call = [](Tensor x) { return OpCall{.op = "ReduceLogSumExp", .inputs = {std::move(x)}}; };
  check_rows({
      {"large", call(f32({2}, {1000, 1000})), f32({1}, {1000.6931f}), 1e-6},
      {"small", call(f32({2}, {-1000, -1000})), f32({1}, {-999.3069f}), 1e-6},
      {"+inf", call(f32({2}, {kInf, 1})), f32({1}, {kInf})},
      {"-inf", call(f32({2}, {-kInf, -kInf})), f32({1}, {-kInf})},
      {"NaN", call(f32({2}, {kNaN, 1})), f32({1}, {kNaN})},
  });
}

}  // namespace
}  // namespace kinglet::test
