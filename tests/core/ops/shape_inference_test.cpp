#include <catch2/catch_amalgamated.hpp>

#include "ops/support/op_test.hpp"
#include "ops/shape_inputs.hpp"

// What the shape operators infer when names stand for dims: the subgraphs that compute shapes in exported
// models.

namespace kinglet::test {
namespace {

using ops::ValueInfo;

const Dim kBatch = Dim::symbol(0), kLength = Dim::symbol(1), kUnknown;

ValueInfo value(std::vector<Dim> dims, DType type = DType::kFloat32) {
  ValueInfo info;
  info.dtype = type;
  info.shape = SymShape(std::move(dims));
  return info;
}

ValueInfo constant(Tensor t) {
  ValueInfo info;
  info.dtype = t.dtype();
  info.shape = t.shape();
  info.constant = std::move(t);
  return info;
}

ValueInfo ints(std::initializer_list<int64_t> values) {
  return constant(i64({static_cast<int64_t>(values.size())}, values));
}

std::vector<ValueInfo> infer_all(const char* op, std::vector<Attribute> attributes,
                                 std::vector<ValueInfo> inputs, size_t outputs, int64_t opset = 21) {
  Node node;
  node.op_type = op;
  node.opset = opset;
  node.attributes = std::move(attributes);
  std::vector<const ValueInfo*> in;
  for (const ValueInfo& input : inputs) {
    const bool absent = input.dtype == DType::kUndefined && !input.shape.has_rank();
    node.inputs.push_back(absent ? kNoValue : static_cast<ValueId>(in.size()));
    in.push_back(absent ? nullptr : &input);
  }
  node.own_inputs = in.size();
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(static_cast<ValueId>(in.size() + i));
  const ops::OpDef* def = ops::find_op("", op);
  REQUIRE(def != nullptr);
  const std::shared_ptr<void> parsed = def->parse(ops::NodeView(node));
  std::vector<ValueInfo> out(outputs);
  ops::InferContext context(in, in.size(), out, nullptr);
  def->infer(parsed.get(), context);
  return out;
}

ValueInfo infer(const char* op, std::vector<Attribute> attributes, std::vector<ValueInfo> inputs,
                int64_t opset = 21) {
  return infer_all(op, std::move(attributes), std::move(inputs), 1, opset)[0];
}

/// "[s0,128,?]"
std::string show(const std::vector<Dim>& dims) {
  std::string out = "[";
  for (const Dim d : dims) {
    if (out.size() > 1) out += ",";
    out += d.known() ? text("{}", d.value()) : d.is_symbol() ? text("s{}", d.symbol_index()) : "?";
  }
  return out + "]";
}

std::string shape(const ValueInfo& info) {
  return info.shape.has_rank() ? show(info.shape.dims()) : "unknown";
}

}  // namespace

TEST_CASE("A reshape by pieces of a shape keeps the names") {
  const ValueInfo x = value({kBatch, 128, 384});
  const ValueInfo all = infer("Shape", {}, {x});
  REQUIRE(show(all.dims) == "[s0,128,384]");
  const ValueInfo first = infer("Gather", {}, {all, constant(i64({}, {0}))});
  REQUIRE(show(first.dims) == "[s0]");
  CHECK(shape(first) == "[]");
  const ValueInfo batch = infer("Unsqueeze", {}, {first, ints({0})});
  CHECK(shape(batch) == "[1]");
  const ValueInfo target = infer("Concat", {attr("axis", 0)}, {batch, ints({128}), ints({12}), ints({32})});
  REQUIRE(show(target.dims) == "[s0,128,12,32]");
  CHECK(shape(infer("Reshape", {}, {x, target})) == "[s0,128,12,32]");
  CHECK(shape(infer("Expand", {}, {value({1, 1, 1, 1}), target})) == "[s0,128,12,32]");
  CHECK(shape(infer("ConstantOfShape", {}, {target})) == "[s0,128,12,32]");
}

TEST_CASE("Reshape with names") {
  struct Row {
    const char* label;
    std::vector<Dim> input;
    ValueInfo target;
    const char* want;
  };
  ValueInfo named = value({3}, DType::kInt64), vector = value({4}, DType::kInt64),
            unknown = value({kUnknown}, DType::kInt64);
  named.dims = {kLength, kBatch, kUnknown};
  const Row rows[] = {
      {"0 copies a name", {kBatch, 6}, ints({0, 2, 3}), "[s0,2,3]"},
      {"-1 takes a name", {kBatch, 6}, ints({-1, 6}), "[s0,6]"},
      {"-1 takes what is left beside a name", {kBatch, 6}, ints({0, -1}), "[s0,6]"},
      {"-1 cannot be said", {kBatch, 6}, ints({-1, 3}), "[?,3]"},
      {"-1 of two names", {kBatch, kLength, 6}, ints({-1, 6}), "[?,6]"},
      {"names in another order", {kBatch, kLength, 8}, named, "[s1,s0,8]"},
      {"only the rank is known", {kBatch, 6}, vector, "[?,?,?,?]"},
      {"nothing is known", {kBatch, 6}, unknown, "unknown"},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    CHECK(shape(infer("Reshape", {}, {value(row.input), row.target})) == row.want);
  }
}

TEST_CASE("Elements of shape vectors") {
  ValueInfo dims = value({3}, DType::kInt64);
  dims.dims = {kBatch, 3, kLength};
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return show(infer("Slice", {}, {dims, ints({start}), ints({end}), ints({0}), ints({step})}).dims);
  };
  CHECK(slice(1, INT64_MAX, 1) == "[3,s1]");
  CHECK(slice(0, -1, 1) == "[s0,3]");
  CHECK(slice(-1, INT64_MIN, -1) == "[s1,3,s0]");
  CHECK(slice(0, 3, 2) == "[s0,s1]");
  CHECK(show(infer("Gather", {}, {dims, ints({2, -3})}).dims) == "[s1,s0]");
  const std::vector<ValueInfo> parts = infer_all("Split", {attr("axis", 0)}, {dims, ints({1, 2})}, 2);
  CHECK(show(parts[0].dims) == "[s0]");
  CHECK(show(parts[1].dims) == "[3,s1]");
  CHECK(show(infer("Squeeze", {}, {parts[0], ints({0})}).dims) == "[s0]");
  const ValueInfo part_unknown = value({2}, DType::kInt64);
  CHECK(show(infer("Concat", {attr("axis", 0)}, {parts[0], part_unknown}).dims) == "[s0,?,?]");
  CHECK(show(infer("Shape", {attr("start", 1), attr("end", 2)}, {value({kBatch, kLength})}).dims) == "[s1]");
  CHECK(show(infer("Size", {}, {value({1, kLength})}).dims) == "[s1]");
  CHECK(show(infer("Size", {}, {value({2, kLength})}).dims) == "[?]");
}

TEST_CASE("Dims with names") {
  const ValueInfo x = value({kBatch, kLength, 8});
  ValueInfo length = value({1}, DType::kInt64), scalar = value({}, DType::kInt64);
  length.dims = {kLength};
  scalar.dims = {kLength};
  const ValueInfo absent;

  CHECK(shape(infer("Slice", {}, {x, ints({0}), ints({4}), ints({2})})) == "[s0,s1,4]");
  CHECK(shape(infer("Slice", {}, {x, ints({0}), length, ints({1})})) == "[s0,s1,8]");
  CHECK(shape(infer("Slice", {}, {x, ints({0}), ints({INT64_MAX}), ints({1})})) == "[s0,s1,8]");
  CHECK(shape(infer("Slice", {}, {x, ints({1}), ints({INT64_MAX}), ints({1})})) == "[s0,?,8]");
  CHECK(shape(infer("Slice", {}, {x, value({1}, DType::kInt64), ints({4}), ints({1})})) == "[s0,?,8]");
  CHECK(shape(infer("Concat", {attr("axis", 2)}, {x, x})) == "[s0,s1,16]");
  CHECK(shape(infer("Concat", {attr("axis", 1)}, {x, x})) == "[s0,?,8]");
  CHECK(shape(infer("Concat", {attr("axis", 2)}, {value({kUnknown, kLength, 2}), x})) == "[s0,s1,10]");
  CHECK(shape(infer("Transpose", {attr_ints("perm", {1, 2, 0})}, {x})) == "[s1,8,s0]");
  CHECK(shape(infer("Flatten", {attr("axis", 2)}, {value({1, kLength, 8})})) == "[s1,8]");
  CHECK(shape(infer("Squeeze", {}, {value({kBatch, 1})})) == "unknown");
  CHECK(shape(infer("Squeeze", {}, {value({kBatch, 1}), ints({1})})) == "[s0]");
  CHECK(shape(infer("Gather", {}, {value({100, 8}), value({kBatch, kLength}, DType::kInt64)})) ==
        "[s0,s1,8]");
  CHECK(shape(infer("Tile", {}, {value({1, 8}), [&] {
                                   ValueInfo repeats = value({2}, DType::kInt64);
                                   repeats.dims = {kBatch, 2};
                                   return repeats;
                                 }()})) == "[s0,16]");
  CHECK(shape(infer("Pad", {}, {x, ints({0, 0, 1, 0, 0, 1})})) == "[s0,s1,10]");
  CHECK(shape(infer("Pad", {}, {x, ints({0, 1, 0, 0, 0, 0})})) == "[s0,?,8]");
  CHECK(shape(infer("Range", {}, {constant(i64({}, {0})), scalar, constant(i64({}, {1}))})) == "[s1]");
  CHECK(shape(infer("Range", {}, {constant(i64({}, {1})), scalar, constant(i64({}, {1}))})) == "[?]");
  CHECK(shape(infer("OneHot", {},
                    {value({kBatch}, DType::kInt64), constant(i64({}, {5})), constant(f32({2}, {0, 1}))})) ==
        "[s0,5]");
  CHECK(shape(infer("NonZero", {}, {x})) == "[3,?]");

  const ValueInfo image = value({kBatch, 3, kLength, 8});
  CHECK(shape(infer("Resize", {}, {image, absent, constant(f32({4}, {1, 1, 2, 2}))})) == "[s0,3,?,16]");
  ValueInfo sizes = value({4}, DType::kInt64);
  sizes.dims = {kBatch, 3, 32, kLength};
  CHECK(shape(infer("Resize", {}, {image, absent, absent, sizes})) == "[s0,3,32,s1]");
  CHECK(shape(infer("Resize", {attr_ints("axes", {3})}, {image, absent, absent, ints({5})})) ==
        "[s0,3,s1,5]");
  CHECK(shape(infer("Upsample", {attr_floats("scales", {1, 1, 2, 2})}, {image}, 7)) == "[s0,3,?,16]");
}

TEST_CASE("Certain contradictions are found with names around them") {
  const auto fails = [](const char* op, std::vector<Attribute> attributes, std::vector<ValueInfo> inputs) {
    try {
      infer(op, std::move(attributes), std::move(inputs));
      return false;
    } catch (const Error& e) {
      return e.code == ErrorCode::kShape;
    }
  };
  CHECK(fails("Concat", {attr("axis", 0)}, {value({kBatch, 2}), value({kBatch, 3})}));
  CHECK(fails("Squeeze", {}, {value({kBatch, 2}), ints({1})}));
  CHECK(fails("Reshape", {}, {value({4, 6}), ints({5, -1})}));
  CHECK(fails("Expand", {}, {value({kBatch, 2}), ints({1, 3})}));
  CHECK(fails("Tile", {}, {value({kBatch, 2}), ints({1})}));
  CHECK(fails("Split", {attr("axis", 1)}, {value({kBatch, 2}), ints({1, 2})}));
  CHECK(fails("Resize", {}, {value({kBatch, 2}), ValueInfo(), constant(f32({3}, {1, 1, 1}))}));
  CHECK_FALSE(fails("Concat", {attr("axis", 0)}, {value({kBatch, 2}), value({kBatch, kLength})}));
  CHECK_FALSE(fails("Squeeze", {}, {value({kBatch, kLength}), ints({1})}));
}

TEST_CASE("Layouts add up") {
  Node node;
  const std::vector<int64_t> to_last = {0, 2, 3, 1}, swap = {0, 2, 1, 3};
  REQUIRE(ops::permute_layout(node, to_last));
  CHECK(ops::NodeView(node).attr_ints("layout") == to_last);
  CHECK(ops::layout_positions(to_last, 4) == std::vector<size_t>{0, 3, 1, 2});
  REQUIRE(ops::permute_layout(node, swap));
  CHECK(ops::NodeView(node).attr_ints("layout") == std::vector<int64_t>{0, 3, 2, 1});
  CHECK_FALSE(ops::permute_layout(node, std::vector<int64_t>{1, 0}));
  CHECK(ops::layout_positions({}, 2) == std::vector<size_t>{0, 1});
  CHECK_THROWS_AS(ops::layout_positions({0, 0}, 2), Error);
  CHECK_THROWS_AS(ops::layout_positions({0, 1}, 3), Error);
}

}  // namespace kinglet::test
