// GroupNormalization, LRN, LpNormalization and MeanVarianceNormalization.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall call(std::string op, std::vector<Attribute> attributes, std::vector<Tensor> inputs,
            int64_t opset = 22) {
  return {
      .op = std::move(op), .opset = opset, .attributes = std::move(attributes), .inputs = std::move(inputs)};
}

TEST_CASE("GroupNormalization") {
  const std::vector<Attribute> exact = {attr("num_groups", 2), attr("epsilon", 0.0f)};
  for (const DType t : kFloatDTypes) {
    // Two groups of two channels; means 2 and 20, deviations 1 and 10.
    const Tensor x = make(t, {1, 4, 2}, {1, 3, 3, 1, 10, 10, 30, 30});
    INFO(dtype_name(t));
    check_rows({
        {"scale a channel",
         call("GroupNormalization", exact, {x, make(t, {4}, {1, 2, 3, 4}), make(t, {4}, {0, 0, 0, 1})}),
         make(t, {1, 4, 2}, {-1, 1, 2, -2, -3, -3, 5, 5}), 1e-2},
        {"scale a group before opset 21",
         call("GroupNormalization", exact, {x, make(t, {2}, {1, 2}), make(t, {2}, {0, 1})}, 18),
         make(t, {1, 4, 2}, {-1, 1, 1, -1, -1, -1, 3, 3}), 1e-2},
        {"no pixels",
         call("GroupNormalization", exact,
              {make(t, {2, 4, 0}, {}), make(t, {4}, {1, 2, 3, 4}), make(t, {4}, {0, 0, 0, 1})}),
         make(t, {2, 4, 0}, {})},
    });
  }
  const Tensor ones = f32({4}, {1, 1, 1, 1}), x = numbers(DType::kFloat32, {2, 4, 3, 5}, 1);
  check_failures({
      {"groups", call("GroupNormalization", {attr("num_groups", 3)}, {x, ones, ones}), ErrorCode::kShape,
       "3"},
      {"no groups", call("GroupNormalization", {attr("num_groups", 0)}, {x, ones, ones}), ErrorCode::kModel,
       "num_groups"},
      {"scale a group since 21",
       call("GroupNormalization", {attr("num_groups", 2)}, {x, f32({2}, {1, 1}), f32({2}, {1, 1})}),
       ErrorCode::kShape, "scale"},
      {"rank 1", call("GroupNormalization", {attr("num_groups", 2)}, {ones, ones, ones}), ErrorCode::kShape},
  });

  // Channels-last gives what channels-first gives.
  const Tensor scale = numbers(DType::kFloat32, {4}, 2), bias = numbers(DType::kFloat32, {4}, 3);
  Tensor last(DType::kFloat32, {2, 3, 5, 4});
  const auto at = [](size_t n, size_t c, size_t p, bool is_last) {
    return is_last ? (n * 15 + p) * 4 + c : (n * 4 + c) * 15 + p;
  };
  const auto each = [&](auto&& f) {
    for (size_t i = 0; i < 120; ++i)
      f(at(i / 60, i / 15 % 4, i % 15, false), at(i / 60, i / 15 % 4, i % 15, true));
  };
  each([&](size_t from, size_t to) { last.data<float>()[to] = x.data<float>()[from]; });
  for (const char* op : {"GroupNormalization", "InstanceNormalization"}) {
    std::vector<Attribute> attributes;
    if (std::string_view(op) == "GroupNormalization") attributes.push_back(attr("num_groups", 2));
    const Tensor want = run_op(call(op, attributes, {x, scale, bias}))[0];
    attributes.push_back(attr("channels_last", 1));
    const Tensor got = run_op(call(op, attributes, {last, scale, bias}))[0];
    each([&](size_t first, size_t second) {
      CHECK(std::abs(want.data<float>()[first] - got.data<float>()[second]) < 1e-5f);
    });
  }
}

TEST_CASE("LRN") {
  const std::vector<Attribute> plain = {attr("size", 3), attr("alpha", 3.0f), attr("beta", 1.0f),
                                        attr("bias", 0.0f)};
  for (const DType t : kFloatDTypes) {
    const Tensor x = make(t, {1, 4, 1}, {1, 2, 2, 4});
    INFO(dtype_name(t));
    check_rows({
        {"three neighbours", call("LRN", plain, {x}), make(t, {1, 4, 1}, {0.2, 2.0 / 9, 2.0 / 24, 0.2}),
         1e-2},
        {"an even size looks ahead",
         call("LRN", {attr("size", 2), attr("alpha", 2.0f), attr("beta", 1.0f), attr("bias", 0.0f)}, {x}),
         make(t, {1, 4, 1}, {0.2, 0.25, 0.1, 0.25}), 1e-2},
        {"more than there are",
         call("LRN", {attr("size", int64_t{1} << 62), attr("alpha", 0.0f), attr("bias", 16.0f)}, {x}),
         make(t, {1, 4, 1}, {0.125, 0.25, 0.25, 0.5}), 1e-2},
        {"defaults", call("LRN", {attr("size", 1)}, {make(t, {1, 1}, {100})}),
         make(t, {1, 1}, {100 / std::pow(2.0, 0.75)}), 1e-2},
        {"nothing", call("LRN", plain, {make(t, {0, 2, 3}, {})}), make(t, {0, 2, 3}, {})},
    });
  }
  check_failures({
      {"no size", call("LRN", {}, {f32({1, 1}, {1})}), ErrorCode::kModel, "size"},
      {"size 0", call("LRN", {attr("size", 0)}, {f32({1, 1}, {1})}), ErrorCode::kModel, "0"},
      {"rank 1", call("LRN", {attr("size", 1)}, {f32({1}, {1})}), ErrorCode::kShape},
  });
}

TEST_CASE("LpNormalization and MeanVarianceNormalization") {
  for (const DType t : kFloatDTypes) {
    const Tensor x = make(t, {2, 2}, {3, -4, 0, 0});
    INFO(dtype_name(t));
    check_rows({
        {"Euclidean, zeros stay", call("LpNormalization", {}, {x}), make(t, {2, 2}, {0.6, -0.8, 0, 0}), 1e-2},
        {"magnitudes", call("LpNormalization", {attr("p", 1)}, {x}),
         make(t, {2, 2}, {3.0 / 7, -4.0 / 7, 0, 0}), 1e-2},
        {"axis", call("LpNormalization", {attr("axis", 0)}, {x}), make(t, {2, 2}, {1, -1, 0, 0}), 1e-2},
        {"mean and variance",
         call("MeanVarianceNormalization", {attr_ints("axes", {1})}, {make(t, {2, 2}, {1, 3, 10, 30})}),
         make(t, {2, 2}, {-1, 1, -1, 1}), 1e-2},
        {"by channel", call("MeanVarianceNormalization", {}, {make(t, {2, 2, 1, 1}, {1, 10, 3, 30})}),
         make(t, {2, 2, 1, 1}, {-1, -1, 1, 1}), 1e-2},
        {"constant", call("MeanVarianceNormalization", {attr_ints("axes", {0})}, {make(t, {2}, {5, 5})}),
         make(t, {2}, {0, 0})},
    });
  }
  const Tensor large = f64({2}, {1e200, 1e200});
  check_rows({{"far from overflow in float32", call("LpNormalization", {}, {f32({2}, {3e30f, 4e30f})}),
               f32({2}, {0.6f, 0.8f}), 1e-6}});
  check_failures({
      {"p", call("LpNormalization", {attr("p", 3)}, {large}), ErrorCode::kModel, "3"},
      {"axis", call("LpNormalization", {attr("axis", 1)}, {large}), ErrorCode::kShape},
      {"rank", call("MeanVarianceNormalization", {}, {large}), ErrorCode::kShape},
      {"axis twice", call("MeanVarianceNormalization", {attr_ints("axes", {0, -1})}, {large}),
       ErrorCode::kShape, "twice"},
  });
}

}  // namespace
}  // namespace kinglet::test
