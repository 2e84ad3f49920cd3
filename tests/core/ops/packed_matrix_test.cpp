// MatMul and Gemm over constant matrices give what they give over the same matrices as inputs, whether these are packed over their own
// memory or not, in one part or two.

#include "runtime/models.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("constant matrices of all sizes and both orders", "[ops]") {
  struct Size {
    int64_t k, n;
  };
  // One block of depth or several, the last one smaller; columns in whole panels or not; small ones, and more than 256 KiB.
  for (const Size size : {Size{5, 3}, {40, 24}, {384, 200}, {600, 128}, {601, 131}, {1100, 72}, {1153, 97}, {70000, 2}}) {
    for (const bool transposed : {false, true}) {
      for (const size_t m : {1, 7}) {
        CAPTURE(size.k, size.n, transposed, m);
        const std::vector<int64_t> dims = transposed ? std::vector<int64_t>{size.n, size.k} : std::vector<int64_t>{size.k, size.n};
        const Bytes w = weights_tensor("w", dims), after = weights_tensor("after", {9, 5});
        const Bytes product = transposed ? node("Gemm", {"x", "w"}, {"y"}, {int_attribute("transB", 1), float_attribute("alpha", 0.5f)})
                                         : node("MatMul", {"x", "w"}, {"y"});
        const Bytes other = node("MatMul", {"z", "after"}, {"v"});
        const auto file = [&](bool is_constant) {
          Strings inputs = {value("x", 1, {"m", std::to_string(size.k)}), value("z", 1, {"1", "9"})};
          if (!is_constant) inputs.push_back(value("w", 1, {std::to_string(dims[0]), std::to_string(dims[1])}));
          return model_file({.graph = graph({.nodes = {product, other},
                                             .initializers = is_constant ? Strings{w, after} : Strings{after},
                                             .inputs = inputs,
                                             .outputs = {value("y"), value("v")}}),
                             .opsets = {{"", 17}}});
        };
        Tensor x(DType::kFloat32, Shape({static_cast<int64_t>(m), size.k})), z(DType::kFloat32, Shape({1, 9}));
        for (size_t i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(i * 31 % 17) - 8;
        std::fill_n(z.data<float>(), z.count(), 1.5f);
        // weights_tensor's numbers, which the other session is fed.
        Session reading = load(model_file({.graph = graph({.nodes = {node("Identity", {"w"}, {"y"})}, .initializers = {w}, .outputs = {value("y")}}), .opsets = {{"", 17}}}));
        const Tensor matrix = run(reading, {}).at(0).owned();
        Session constant = load(file(true)), fed = load(file(false));
        const std::vector<Tensor> got = run(constant, {{"x", x}, {"z", z}}), want = run(fed, {{"x", x}, {"z", z}, {"w", matrix}});
        for (size_t i = 0; i < want.size(); ++i) CHECK(difference(got[i], want[i], 1e-5 * scale_of(want[i])) == "");
      }
    }
  }
}

}  // namespace
}  // namespace kinglet::test
