#include <map>

#include "ops/support/rows.hpp"

// Einsum.

namespace kinglet::test {
namespace {

OpCall einsum(const char* equation, std::vector<Tensor> inputs) {
  return {.op = "Einsum", .attributes = {attr("equation", equation)}, .inputs = std::move(inputs)};
}

/// The sum as it is defined, over all values of all letters: terms without "..." and with an explicit output.
Tensor brute_force(const std::vector<std::string>& terms, const std::string& output, const std::vector<Tensor>& in) {
  std::map<char, int64_t> size;
  for (size_t i = 0; i < terms.size(); ++i) {
    for (size_t d = 0; d < terms[i].size(); ++d) size[terms[i][d]] = std::max(size[terms[i][d]], in[i].dim(d));
  }
  int64_t total = 1;
  for (const auto& [letter, n] : size) total *= n;
  Shape shape;
  for (const char letter : output) shape.push_back(size[letter]);
  std::vector<double> sums(shape.count());
  std::vector<std::vector<double>> values;
  for (const Tensor& t : in) values.push_back(to_doubles(t));
  for (int64_t step = 0; step < total; ++step) {
    std::map<char, int64_t> at;
    int64_t rest = step;
    for (const auto& [letter, n] : size) {
      at[letter] = rest % n;
      rest /= n;
    }
    double product = 1;
    for (size_t i = 0; i < terms.size(); ++i) {
      int64_t offset = 0;
      for (size_t d = 0; d < terms[i].size(); ++d) {
        offset = offset * in[i].dim(d) + (in[i].dim(d) == 1 ? 0 : at[terms[i][d]]);
      }
      product *= values[i][static_cast<size_t>(offset)];
    }
    int64_t to = 0;
    for (size_t d = 0; d < output.size(); ++d) to = to * shape[d] + at[output[d]];
    sums[static_cast<size_t>(to)] += product;
  }
  return make(in[0].dtype(), shape, sums);
}

std::vector<double> numbers(size_t n, int seed) {
  std::vector<double> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<double>((i * 7 + static_cast<size_t>(seed) * 5) % 11) - 5;
  return out;
}

}  // namespace

TEST_CASE("Einsum as it is defined") {
  struct Case {
    std::vector<std::string> terms;
    std::string output;
  };
  const Case cases[] = {
      {{"ij", "jk"}, "ik"},        {{"bij", "bjk"}, "bik"},    {{"bhid", "bhjd"}, "bhij"}, {{"ij", "jk"}, "ki"},
      {{"ij", "kj"}, "jik"},       {{"ij", "ij"}, "ij"},       {{"i", "j"}, "ij"},         {{"ij"}, "ji"},
      {{"ijk"}, "j"},              {{"ij"}, ""},               {{"ii"}, "i"},              {{"ii"}, ""},
      {{"iji"}, "ij"},             {{"ij", "jk", "kl"}, "il"}, {{"ij", "jk", "ki"}, ""},   {{"i", "i", "i"}, "i"},
      {{"a", "b", "c"}, "cab"},    {{"ij", "i"}, "j"},         {{"bik", "jk", "bj"}, "bi"}, {{"ij", "", "j"}, "i"},
      {{"Ij", "iJ"}, "jI"},
  };
  for (const Case& c : cases) {
    std::string equation;
    std::vector<Shape> shapes;
    for (const std::string& term : c.terms) {
      equation += (equation.empty() ? "" : " ,") + term;
      Shape shape;
      for (const char letter : term) shape.push_back(2 + letter % 4);
      shapes.push_back(shape);
    }
    if (c.terms.size() == 1 && equation.empty()) continue;
    equation += " -> " + c.output;
    CAPTURE(equation);
    for (const DType type : {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kUint64, DType::kInt64}) {
      std::vector<Tensor> inputs;
      for (size_t i = 0; i < shapes.size(); ++i) {
        std::vector<double> values = numbers(shapes[i].count(), static_cast<int>(i));
        if (type == DType::kUint64) {
          for (double& value : values) value += 5;
        }
        inputs.push_back(make(type, shapes[i], values));
      }
      const Tensor want = brute_force(c.terms, c.output, inputs);
      CHECK(difference(run_op(einsum(equation.c_str(), inputs))[0], want) == "");
      // A dim of 1 stands for all.
      if (shapes[0].rank() == 0 || c.terms[0].find(c.terms[0][0], 1) != std::string::npos) continue;
      bool elsewhere = false;
      for (size_t i = 1; i < c.terms.size(); ++i) elsewhere |= c.terms[i].find(c.terms[0][0]) != std::string::npos;
      if (!elsewhere) continue;
      shapes[0][0] = 1;
      inputs[0] = make(type, shapes[0], std::vector<double>(shapes[0].count(), 2));
      CHECK(difference(run_op(einsum(equation.c_str(), inputs))[0], brute_force(c.terms, c.output, inputs)) == "");
      shapes[0][0] = 2 + c.terms[0][0] % 4;
    }
  }
}

TEST_CASE("Einsum") {
  const Tensor m = f32({2, 2}, {1, 2, 3, 4}), v = f32({2}, {1, 10});
  check_rows({
      {"implicit output", einsum("ij,jk", {m, m}), {f32({2, 2}, {7, 10, 15, 22})}},
      {"implicit output is sorted", einsum("ba", {m}), {f32({2, 2}, {1, 3, 2, 4})}},
      {"upper case comes first", einsum("aB", {m}), {f32({2, 2}, {1, 3, 2, 4})}},
      {"implicit trace", einsum("ii", {m}), {f32({}, {5})}},
      {"scalars", einsum(",", {f32({}, {3}), f32({}, {4})}), {f32({}, {12})}},
      {"a scalar alone", einsum("->", {f32({}, {3})}), {f32({}, {3})}},
      {"ellipsis", einsum("...i,...i->...", {m, m}), {f32({2}, {5, 25})}},
      {"implicit ellipsis", einsum("i...,i", {m, v}), {f32({2}, {31, 42})}},
      {"ellipses of different ranks", einsum("...,...", {m, v}), {f32({2, 2}, {1, 20, 3, 40})}},
      {"ellipsis that is summed", einsum("...i->i", {m}), {f32({2}, {4, 6})}},
      {"ellipsis within", einsum("i...j->j...i", {f32({2, 1, 2}, {1, 2, 3, 4})}), {f32({2, 1, 2}, {1, 3, 2, 4})}},
      {"int8 wraps",
       einsum("i,i->", {make(DType::kInt8, {2}, {100, 1}), make(DType::kInt8, {2}, {2, 1})}),
       {make(DType::kInt8, {}, {-55})}},
      {"half types are summed in float32",
       einsum("i->", {make(DType::kFloat16, {3}, {2048, 1, 1})}),
       {make(DType::kFloat16, {}, {2050})}},
      {"bfloat16", einsum("ij->ji", {make(DType::kBFloat16, {1, 2}, {1, 2})}), {make(DType::kBFloat16, {2, 1}, {1, 2})}},
      {"a sum of nothing", einsum("ij,jk->ik", {f32({2, 0}, {}), f32({0, 1}, {})}), {f32({2, 1}, {0, 0})}},
      {"nothing", einsum("ij->ji", {f32({0, 3}, {})}), {f32({3, 0}, {})}},
  });
  check_failures({
      {"too few terms", einsum("ij", {m, m}), ErrorCode::kModel, "1 terms for 2 inputs"},
      {"rank", einsum("ijk->i", {m})},
      {"ellipsis of less than nothing", einsum("ijk...->i", {m})},
      {"sizes", einsum("i,ij->j", {f32({3}, {1, 2, 3}), m})},
      {"an output of nowhere", einsum("ij->k", {m}), ErrorCode::kModel},
      {"an output letter twice", einsum("ij->ii", {m}), ErrorCode::kModel},
      {"two ellipses", einsum("......", {m}), ErrorCode::kModel},
      {"two dots", einsum("..i", {m}), ErrorCode::kModel},
      {"two arrows", einsum("ij->i->j", {m}), ErrorCode::kModel},
      {"a digit", einsum("i1", {m}), ErrorCode::kModel},
      {"two types", einsum("ij,ij", {m, f64({2, 2}, {1, 2, 3, 4})}), ErrorCode::kModel},
      {"bool", einsum("i", {boolean({1}, {true})}), ErrorCode::kModel},
      {"more than fits", einsum("a,b,c,d->abcd", std::vector<Tensor>(4, iota({1 << 14})))},
      {"more dims than a tensor has",
       einsum("abcdef,ghijkl,mnopqr->abcdefghijklmnopqr", std::vector<Tensor>(3, iota({2, 2, 2, 2, 2, 2})))},
  });
}

}  // namespace kinglet::test
