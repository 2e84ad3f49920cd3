// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall loss(std::vector<Attribute> attributes, std::vector<Tensor> inputs) {
  return {.op = "NegativeLogLikelihoodLoss",
          .opset = 22,
          .attributes = std::move(attributes),
          .inputs = std::move(inputs)};
}

TEST_CASE("losses") {
  const Tensor weights = f32({3}, {1, 2, 4});
  const Attribute none = attr("reduction", "none"), sum = attr("reduction", "sum");
  for (const DType t : kFloatDTypes) {
    const Tensor x = make(t, {2, 3}, {-1, -2, -3, -4, -5, -6}), labels = i64({2}, {0, 2}),
                 w = make(t, {3}, {1, 2, 4});
    INFO(dtype_name(t));
    check_rows({
        {"none", loss({none}, {x, labels}), make(t, {2}, {1, 6})},
        {"sum", loss({sum}, {x, labels}), make(t, {}, {7})},
        {"mean", loss({}, {x, labels}), make(t, {}, {3.5})},
        {"weighted", loss({none}, {x, labels, w}), make(t, {2}, {1, 24})},
        {"weighted mean", loss({}, {x, labels, w}), make(t, {}, {5})},
        {"ignored", loss({attr("ignore_index", 2)}, {x, labels}), make(t, {}, {1})},
        {"ignored outside of the classes", loss({none, attr("ignore_index", -7)}, {x, i32({2}, {-7, 1})}),
         make(t, {2}, {0, 5})},
        {"all ignored", loss({attr("ignore_index", 0)}, {x, i64({2}, {0, 0})}),
         make(t, {}, {static_cast<double>(kNaN)})},
        {"no samples", loss({sum}, {make(t, {0, 3}, {}), i64({0}, {})}), make(t, {}, {0})},
    });
  }
  const Tensor x = f32({1, 2, 2}, {0, 1000, 0, 0}), labels = i64({1, 2}, {1, 0});
  const auto softmax = [](std::vector<Attribute> attributes, std::vector<Tensor> inputs) {
    return OpCall{.op = "SoftmaxCrossEntropyLoss",
                  .opset = 13,
                  .attributes = std::move(attributes),
                  .inputs = std::move(inputs),
                  .outputs = 2};
  };
  const float log_half = std::log(0.5f);
  check_rows({
      {"softmax",
       softmax({none}, {x, labels}),
       {f32({1, 2}, {-log_half, 0}), f32({1, 2, 2}, {log_half, 0, log_half, -1000})},
       1e-6},
      {"softmax, mean",
       softmax({}, {x, labels}),
       {f32({}, {-log_half / 2}), f32({1, 2, 2}, {log_half, 0, log_half, -1000})},
       1e-6},
  });
  check_failures({
      {"label", loss({}, {f32({1, 3}, {1, 2, 3}), i64({1}, {3})}), ErrorCode::kShape, "3"},
      {"negative label", loss({}, {f32({1, 3}, {1, 2, 3}), i64({1}, {-1})}), ErrorCode::kShape, "-1"},
      {"labels", loss({}, {f32({2, 3}, {1, 2, 3, 4, 5, 6}), i64({1}, {0})}), ErrorCode::kShape},
      {"weights", loss({}, {f32({1, 2}, {1, 2}), i64({1}, {0}), weights}), ErrorCode::kShape, "weights"},
      {"weights of another type", loss({}, {f64({1, 3}, {1, 2, 3}), i64({1}, {0}), weights}),
       ErrorCode::kModel},
      {"rank 1", loss({}, {f32({2}, {1, 2}), i64({}, {0})}), ErrorCode::kShape},
      {"reduction", loss({attr("reduction", "max")}, {f32({1, 2}, {1, 2}), i64({1}, {0})}), ErrorCode::kModel,
       "max"},
      {"float labels", loss({}, {f32({1, 2}, {1, 2}), f32({1}, {0})}), ErrorCode::kModel},
  });
}

}  // namespace
}  // namespace kinglet::test
