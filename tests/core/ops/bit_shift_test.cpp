// BitShift and CumProd.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("BitShift") {
  const auto shift = [](const char* direction, Tensor x, Tensor by) {
    return OpCall{.op = "BitShift",
                  .opset = 28,
                  .attributes = {attr("direction", direction)},
                  .inputs = {std::move(x), std::move(by)}};
  };
  for (const DType t : {DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64, DType::kInt8,
                        DType::kInt16, DType::kInt32, DType::kInt64}) {
    const Tensor x = make(t, {3}, {1, 2, 100}), by = make(t, {3}, {1, 0, 3});
    const auto bits = static_cast<double>(8 * dtype_size(t));
    INFO(dtype_name(t));
    check_rows({
        {"right", shift("RIGHT", x, by), make(t, {3}, {0, 2, 12})},
        {"left by one for all", shift("LEFT", make(t, {2}, {1, 3}), make(t, {}, {1})), make(t, {2}, {2, 6})},
        {"as many as it has", shift("LEFT", make(t, {2}, {1, 3}), make(t, {}, {bits})), make(t, {2}, {0, 0})},
        {"more than it has", shift("RIGHT", make(t, {2}, {1, 3}), make(t, {}, {bits + 1})),
         make(t, {2}, {0, 0})},
    });
  }
  check_rows({
      {"into the sign", shift("LEFT", make(DType::kInt8, {2}, {64, 65}), make(DType::kInt8, {2}, {1, 2})),
       make(DType::kInt8, {2}, {-128, 4})},
      {"the sign is copied", shift("RIGHT", i64({3}, {-8, -1, INT64_MIN}), i64({3}, {1, 5, 63})),
       i64({3}, {-4, -1, -1})},
      {"too far", shift("RIGHT", i32({3}, {-8, 8, -8}), i32({3}, {32, 32, 100})), i32({3}, {-1, 0, -1})},
      {"negative counts", shift("RIGHT", i32({2}, {-8, 8}), i32({}, {-1})), i32({2}, {-1, 0})},
      {"negative counts to the left", shift("LEFT", i32({2}, {-8, 8}), i32({}, {-1})), i32({2}, {0, 0})},
  });
  check_failures({
      {"direction", shift("UP", i32({1}, {1}), i32({1}, {1})), ErrorCode::kModel, "UP"},
      {"floats", shift("LEFT", f32({1}, {1}), f32({1}, {1})), ErrorCode::kModel, "float32"},
      {"two types", shift("LEFT", i32({1}, {1}), i64({1}, {1})), ErrorCode::kModel},
  });
}

TEST_CASE("CumProd") {
  const auto product = [](Tensor x, int64_t axis, std::vector<Attribute> attributes = {}) {
    return OpCall{.op = "CumProd",
                  .opset = 26,
                  .attributes = std::move(attributes),
                  .inputs = {std::move(x), i64({}, {axis})}};
  };
  for (const DType t : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16, DType::kInt32,
                        DType::kInt64, DType::kUint32, DType::kUint64}) {
    const Tensor x = make(t, {2, 3}, {1, 2, 3, 4, 5, 6});
    INFO(dtype_name(t));
    check_rows({
        {"rows", product(x, 1), make(t, {2, 3}, {1, 2, 6, 4, 20, 120})},
        {"columns", product(x, -2), make(t, {2, 3}, {1, 2, 3, 4, 10, 18})},
        {"exclusive", product(x, 1, {attr("exclusive", 1)}), make(t, {2, 3}, {1, 1, 2, 1, 4, 20})},
        {"reverse", product(x, 0, {attr("reverse", 1)}), make(t, {2, 3}, {4, 10, 18, 4, 5, 6})},
        {"both", product(x, 1, {attr("reverse", 1), attr("exclusive", 1)}),
         make(t, {2, 3}, {6, 3, 1, 30, 6, 1})},
    });
  }
  check_rows({{"wraps", product(i32({3}, {65536, 65536, 3}), 0), i32({3}, {65536, 0, 0})}});
  check_failures({{"axis", product(f32({1}, {1}), 1), ErrorCode::kShape}});
}

}  // namespace
}  // namespace kinglet::test
