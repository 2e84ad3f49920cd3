#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall call(const char* op, Tensor x, int64_t blocksize, std::vector<Attribute> more = {}) {
  more.push_back(attr("blocksize", blocksize));
  return {.op = op, .attributes = std::move(more), .inputs = {std::move(x)}};
}

Tensor transposed(Tensor x, std::vector<int64_t> perm) {
  return run_op(
      {.op = "Transpose", .attributes = {attr_ints("perm", std::move(perm))}, .inputs = {std::move(x)}})[0];
}

}  // namespace

TEST_CASE("DepthToSpace and SpaceToDepth") {
  const Tensor deep = iota({1, 8, 1, 2});
  // numpy: x.reshape(1, 2, 2, 2, 1, 2).transpose(0, 3, 4, 1, 5, 2).reshape(1, 2, 2, 4)
  const Tensor dcr = f32({1, 2, 2, 4}, {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15});
  // numpy: x.reshape(1, 2, 2, 2, 1, 2).transpose(0, 1, 4, 2, 5, 3).reshape(1, 2, 2, 4)
  const Tensor crd = f32({1, 2, 2, 4}, {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15});
  check_rows({
      {"DCR is the default", call("DepthToSpace", deep, 2), {dcr}},
      {"CRD", call("DepthToSpace", deep, 2, {attr("mode", "CRD")}), {crd}},
      {"back", call("SpaceToDepth", dcr, 2), {deep}},
      {"blocks of 1", call("DepthToSpace", deep, 1), {deep}},
      {"nothing", call("SpaceToDepth", f32({0, 1, 2, 2}, {}), 2), {f32({0, 4, 1, 1}, {})}},
  });
  check_failures({
      {"channels that do not divide", call("DepthToSpace", iota({1, 6, 1, 1}), 2), ErrorCode::kShape, "6"},
      {"rows that do not divide", call("SpaceToDepth", iota({1, 1, 3, 2}), 2), ErrorCode::kShape, "3"},
      {"rank", call("DepthToSpace", iota({4, 1, 1}), 2)},
      {"blocksize 0", call("DepthToSpace", deep, 0), ErrorCode::kModel},
      {"blocksize that overflows", call("DepthToSpace", deep, int64_t{1} << 40), ErrorCode::kModel},
      {"no blocksize", {.op = "DepthToSpace", .inputs = {deep}}, ErrorCode::kModel},
      {"unknown mode", call("DepthToSpace", deep, 2, {attr("mode", "RCD")}), ErrorCode::kModel},
  });
}

TEST_CASE("DepthToSpace and SpaceToDepth, channels last") {
  const Tensor deep = iota({2, 18, 2, 3}), wide = iota({2, 2, 6, 3});
  struct Case {
    const char *op, *mode;
    Tensor x;
  };
  for (const Case& row :
       {Case{"DepthToSpace", "DCR", deep}, {"DepthToSpace", "CRD", deep}, {"SpaceToDepth", "DCR", wide}}) {
    INFO(row.op << " " << row.mode);
    const Tensor want = run_op(call(row.op, row.x, 3, {attr("mode", row.mode)}))[0];
    const Tensor last = transposed(row.x, {0, 2, 3, 1});
    const Tensor got = run_op(call(row.op, last, 3, {attr("mode", row.mode), attr("channels_last", 1)}))[0];
    CHECK(difference(got, transposed(want, {0, 2, 3, 1})) == "");
  }
}

}  // namespace kinglet::test
