#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall call(const char* op, std::vector<Attribute> attributes, Tensor data, Tensor indices) {
  return {.op = op, .attributes = std::move(attributes), .inputs = {std::move(data), std::move(indices)}};
}

}  // namespace

TEST_CASE("Gather") {
  const Tensor m = iota({3, 2});
  check_rows({
      {"rows", call("Gather", {}, m, i64({2}, {2, 0})), {f32({2, 2}, {4, 5, 0, 1})}},
      {"columns, negative axis",
       call("Gather", {attr("axis", -1)}, m, i64({1}, {1})),
       {f32({3, 1}, {1, 3, 5})}},
      {"a scalar index drops the dim",
       call("Gather", {attr("axis", 1)}, m, i64({}, {0})),
       {f32({3}, {0, 2, 4})}},
      {"negative indices, int32",
       call("Gather", {}, m, i32({1, 2}, {-1, -3})),
       {f32({1, 2, 2}, {4, 5, 0, 1})}},
      {"middle axis",
       call("Gather", {attr("axis", 1)}, iota({2, 2, 2}), i64({1}, {1})),
       {f32({2, 1, 2}, {2, 3, 6, 7})}},
      {"no indices", call("Gather", {}, m, i64({0}, {})), {f32({0, 2}, {})}},
      {"no indices of nothing", call("Gather", {}, f32({0, 2}, {}), i64({0}, {})), {f32({0, 2}, {})}},
      {"a shape element", call("Gather", {}, i64({3}, {7, 8, 9}), i64({}, {-1})), {i64({}, {9})}},
      {"shape elements", call("Gather", {}, i64({3}, {7, 8, 9}), i64({2}, {2, 0})), {i64({2}, {9, 7})}},
  });
  check_failures({
      {"index past the end", call("Gather", {}, m, i64({2}, {0, 3})), ErrorCode::kShape,
       "index 3 is outside of [-3, 3)"},
      {"index before the start", call("Gather", {}, m, i64({1}, {-4})), ErrorCode::kShape, "index -4"},
      {"extreme index", call("Gather", {attr("axis", 1)}, m, i64({1}, {INT64_MIN})), ErrorCode::kShape,
       "[-2, 2)"},
      {"of nothing", call("Gather", {}, f32({0, 2}, {}), i64({1}, {0}))},
      {"float indices", call("Gather", {}, m, f32({1}, {0})), ErrorCode::kModel},
      {"a scalar", call("Gather", {}, f32({}, {1}), i64({1}, {0}))},
      {"shape element out of range", call("Gather", {}, i64({1}, {7}), i64({}, {1})), ErrorCode::kShape,
       "index 1"},
  });
}

TEST_CASE("GatherElements") {
  const Tensor m = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  check_rows({
      {"rows", call("GatherElements", {}, m, i64({1, 3}, {1, 0, -1})), {f32({1, 3}, {4, 2, 6})}},
      {"columns",
       call("GatherElements", {attr("axis", 1)}, m, i64({2, 2}, {2, 0, 1, 1})),
       {f32({2, 2}, {3, 1, 5, 5})}},
      {"more indices than data along the axis",
       call("GatherElements", {attr("axis", -1)}, m, i32({1, 4}, {0, 0, -3, 2})),
       {f32({1, 4}, {1, 1, 1, 3})}},
      {"middle axis",
       call("GatherElements", {attr("axis", 1)}, iota({2, 2, 2}), i64({2, 1, 2}, {1, 0, 0, 1})),
       {f32({2, 1, 2}, {2, 1, 4, 7})}},
      {"no indices", call("GatherElements", {}, m, i64({0, 3}, {})), {f32({0, 3}, {})}},
  });
  check_failures({
      {"index past the end", call("GatherElements", {}, m, i64({1, 1}, {2})), ErrorCode::kShape,
       "index 2 is outside of [-2, 2)"},
      {"indices wider than data", call("GatherElements", {}, m, i64({1, 4}, {0, 0, 0, 0}))},
      {"ranks differ", call("GatherElements", {}, m, i64({1}, {0}))},
  });
}

TEST_CASE("GatherND") {
  const Tensor m = iota({2, 2}), cube = iota({2, 2, 2});
  check_rows({
      {"elements", call("GatherND", {}, m, i64({2, 2}, {0, 0, 1, 1})), {f32({2}, {0, 3})}},
      {"rows", call("GatherND", {}, m, i64({2, 1}, {1, 0})), {f32({2, 2}, {2, 3, 0, 1})}},
      {"one tuple", call("GatherND", {}, cube, i64({2}, {1, -2})), {f32({2}, {4, 5})}},
      {"batch_dims 1",
       call("GatherND", {attr("batch_dims", 1)}, cube, i64({2, 1}, {1, 0})),
       {f32({2, 2}, {2, 3, 4, 5})}},
      {"batch_dims 2",
       call("GatherND", {attr("batch_dims", 2)}, cube, i64({2, 2, 1}, {0, 1, 1, 0})),
       {f32({2, 2}, {0, 3, 5, 6})}},
      {"no tuples", call("GatherND", {}, m, i64({0, 1}, {})), {f32({0, 2}, {})}},
  });
  check_failures({
      {"index past the end", call("GatherND", {}, m, i64({1, 2}, {0, 2})), ErrorCode::kShape,
       "index 2 is outside of [-2, 2)"},
      {"tuples longer than the rank", call("GatherND", {}, m, i64({1, 3}, {0, 0, 0}))},
      {"tuples of nothing", call("GatherND", {}, m, i64({1, 0}, {}))},
      {"batch dims differ", call("GatherND", {attr("batch_dims", 1)}, cube, i64({3, 1}, {0, 0, 0})),
       ErrorCode::kShape, "3 and 2"},
      {"batch_dims too large", call("GatherND", {attr("batch_dims", 2)}, m, i64({2, 2}, {0, 0, 0, 0}))},
      {"batch_dims negative", call("GatherND", {attr("batch_dims", -1)}, m, i64({1, 1}, {0})),
       ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
