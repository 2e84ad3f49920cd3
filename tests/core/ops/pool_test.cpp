// MaxPool and AveragePool against plain loops, their global kin, and Indices.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

struct PoolRow {
  std::string label;
  Shape x;
  std::vector<int64_t> kernel;
  ConvOptions options = {};
  bool ceil = false;
  bool include_pad = false;
  std::vector<int64_t> out = {};  ///< the spatial sizes, where ceil_mode or auto_pad decide
  std::string auto_pad = "";
};

struct Pooled {
  Tensor largest, mean, row_major, column_major;
};

Pooled reference(const PoolRow& row, const Tensor& x) {
  const Shape& xs = x.shape();
  const size_t rank = row.kernel.size();
  const ConvOptions& o = row.options;
  Shape ys{xs[0], xs[1]};
  for (size_t i = 0; i < rank; ++i) {
    const int64_t room = xs[i + 2] + o.pad(i) + o.pad(i + (o.pads.empty() ? 0 : rank)) -
                         (row.kernel[i] - 1) * o.dilation(i) - 1;
    ys.push_back(row.out.empty() ? room / o.stride(i) + 1 : row.out[i]);
  }
  const std::vector<double> in = to_doubles(x);
  std::vector<double> largest(ys.count(), -INFINITY), mean(ys.count(), 0);
  std::vector<int64_t> row_major(ys.count(), -1), column_major(ys.count(), -1);
  for (int64_t n = 0; n < xs[0]; ++n) {
    for (int64_t c = 0; c < xs[1]; ++c) {
      for_each_index(spatial_dims(ys), [&](const std::vector<int64_t>& at) {
        const size_t to = flat_index(ys, n, c, at);
        double sum = 0;
        int64_t count = 0;
        for_each_index(row.kernel, [&](const std::vector<int64_t>& tap) {
          std::vector<int64_t> from(rank);
          bool inside = true, padded = true;
          for (size_t i = 0; i < rank; ++i) {
            from[i] = at[i] * o.stride(i) + tap[i] * o.dilation(i) - o.pad(i);
            inside = inside && from[i] >= 0 && from[i] < xs[i + 2];
            padded = padded && from[i] < xs[i + 2] + o.pad(i + (o.pads.empty() ? 0 : rank));
          }
          count += inside || (row.include_pad && padded) ? 1 : 0;
          if (!inside) return;
          const size_t source = flat_index(xs, n, c, from);
          sum += in[source];
          if (row_major[to] >= 0 && in[source] <= largest[to]) return;
          largest[to] = in[source];
          row_major[to] = static_cast<int64_t>(source);
          int64_t column = 0;
          for (size_t i = rank; i-- > 0;) column = column * xs[i + 2] + from[i];
          column_major[to] = (n * xs[1] + c) * static_cast<int64_t>(xs.count(2, xs.rank())) + column;
        });
        mean[to] = count == 0 ? 0 : sum / static_cast<double>(count);
      });
    }
  }
  return {make(x.dtype(), ys, largest), make(x.dtype(), ys, mean), Tensor::from<int64_t>(ys, row_major),
          Tensor::from<int64_t>(ys, column_major)};
}

std::vector<Attribute> attributes_of(const PoolRow& row) {
  std::vector<Attribute> out{attr_ints("kernel_shape", row.kernel)};
  if (!row.options.strides.empty()) out.push_back(attr_ints("strides", row.options.strides));
  if (!row.options.dilations.empty()) out.push_back(attr_ints("dilations", row.options.dilations));
  if (!row.options.pads.empty() && row.auto_pad.empty()) out.push_back(attr_ints("pads", row.options.pads));
  if (row.ceil) out.push_back(attr("ceil_mode", 1));
  if (!row.auto_pad.empty()) out.push_back(attr("auto_pad", row.auto_pad.c_str()));
  return out;
}

const std::vector<PoolRow>& rows() {
  static const std::vector<PoolRow> kRows = {
      {"plain", {1, 3, 5, 7}, {2, 3}},
      {"one pixel", {2, 2, 1, 1}, {1, 1}},
      {"strides, many channels", {1, 19, 7, 6}, {3, 2}, {.strides = {2, 3}}},
      {"dilations", {1, 3, 8, 9}, {3, 2}, {.dilations = {2, 4}}},
      {"pads", {2, 3, 5, 4}, {3, 3}, {.strides = {2, 1}, .pads = {1, 2, 2, 0}}},
      {"pads, counted", {2, 3, 5, 4}, {3, 3}, {.strides = {2, 1}, .pads = {1, 2, 2, 0}}, false, true},
      {"ceil_mode", {1, 2, 6, 7}, {3, 3}, {.strides = {2, 3}}, true, false, {3, 3}},
      {"ceil_mode, counted",
       {1, 2, 6, 7},
       {3, 3},
       {.strides = {2, 3}, .pads = {0, 1, 0, 1}},
       true,
       true,
       {3, 3}},
      {"ceil_mode without a window in the end pad",
       {1, 1, 4, 4},
       {1, 2},
       {.strides = {2, 3}, .pads = {0, 0, 1, 1}},
       true,
       true,
       {2, 2}},
      {"SAME_UPPER",
       {1, 2, 5, 6},
       {2, 3},
       {.strides = {2, 2}, .pads = {0, 0, 1, 1}},
       false,
       false,
       {3, 3},
       "SAME_UPPER"},
      {"SAME_LOWER",
       {1, 2, 5, 6},
       {2, 3},
       {.strides = {2, 2}, .pads = {1, 1, 0, 0}},
       false,
       false,
       {3, 3},
       "SAME_LOWER"},
      {"one dim", {2, 3, 9}, {4}, {.strides = {3}, .pads = {1, 2}}},
      {"three dims",
       {1, 2, 4, 3, 5},
       {2, 1, 3},
       {.strides = {1, 2, 2}, .pads = {1, 0, 1, 0, 0, 1}},
       false,
       true},
      {"a kernel as large as the picture", {1, 5, 4, 3}, {4, 3}},
  };
  return kRows;
}

}  // namespace

TEST_CASE("MaxPool against plain loops", "[op]") {
  for (const PoolRow& row : rows()) {
    for (const DType type : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
      INFO(row.label << " " << dtype_name(type));
      const Tensor x = numbers(type, row.x, 4);
      const Pooled want = reference(row, x);
      OpCall call{.op = "MaxPool", .attributes = attributes_of(row), .inputs = {x}};
      CHECK(difference(run_op(call)[0], want.largest) == "");
      call.outputs = 2;
      CHECK(difference(run_op(call)[0], want.largest) == "");
      CHECK(difference(run_op(call)[1], want.row_major) == "");
      call.attributes.push_back(attr("storage_order", 1));
      CHECK(difference(run_op(call)[1], want.column_major) == "");
    }
  }
}

TEST_CASE("AveragePool against plain loops", "[op]") {
  for (const PoolRow& row : rows()) {
    for (const auto& [type, tolerance] :
         {std::pair{DType::kFloat32, 1e-6}, {DType::kFloat64, 1e-6}, {DType::kFloat16, 2e-3}}) {
      INFO(row.label << " " << dtype_name(type));
      const Tensor x = numbers(type, row.x, 4);
      OpCall call{.op = "AveragePool", .attributes = attributes_of(row), .inputs = {x}};
      if (row.include_pad) call.attributes.push_back(attr("count_include_pad", 1));
      CHECK(difference(run_op(call)[0], reference(row, x).mean, tolerance) == "");
    }
  }
}

TEST_CASE("pools of bytes, NaN and the whole picture", "[op]") {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  check_rows({
      {"bytes",
       {.op = "MaxPool",
        .attributes = {attr_ints("kernel_shape", {2})},
        .inputs = {u8({1, 1, 4}, {3, 200, 7, 1})}},
       {u8({1, 1, 3}, {200, 200, 7})}},
      {"negative bytes and a pad",
       {.op = "MaxPool",
        .attributes = {attr_ints("kernel_shape", {2}), attr_ints("pads", {1, 1})},
        .inputs = {make(DType::kInt8, {1, 1, 2}, {-5, -7})}},
       {make(DType::kInt8, {1, 1, 3}, {-5, -5, -7})}},
      {"a pad is no 0",
       {.op = "MaxPool",
        .attributes = {attr_ints("kernel_shape", {3}), attr_ints("pads", {1, 1})},
        .inputs = {f32({1, 1, 2}, {-5, -7})}},
       {f32({1, 1, 2}, {-5, -5})}},
      {"global maximum",
       {.op = "GlobalMaxPool", .inputs = {f32({1, 2, 2, 2}, {1, 5, 2, 3, -4, -1, -2, -3})}},
       {f32({1, 2, 1, 1}, {5, -1})}},
      {"global mean",
       {.op = "GlobalAveragePool", .inputs = {f32({1, 2, 2, 2}, {1, 5, 2, 4, -4, -1, -2, -3})}},
       {f32({1, 2, 1, 1}, {3, -2.5})}},
      {"global mean, double",
       {.op = "GlobalAveragePool", .inputs = {f64({1, 1, 3}, {1, 2, 6})}},
       {f64({1, 1, 1}, {3})}},
      {"no pictures",
       {.op = "GlobalMaxPool", .inputs = {Tensor(DType::kFloat32, {0, 2, 3})}},
       {Tensor(DType::kFloat32, {0, 2, 1})}},
      {"NaN stays",
       {.op = "GlobalAveragePool", .inputs = {f32({1, 1, 2}, {1, nan})}},
       {f32({1, 1, 1}, {nan})}},
  });
}

TEST_CASE("what pools refuse", "[op]") {
  const Tensor x = numbers(DType::kFloat32, {1, 1, 4, 4}, 1);
  const auto with = [&](std::vector<Attribute> a) {
    return OpCall{.op = "MaxPool", .attributes = std::move(a), .inputs = {x}};
  };
  check_failures(std::vector<BadRow>{
      {"no kernel", with({}), ErrorCode::kModel, "kernel_shape"},
      {"kernel of one dim", with({attr_ints("kernel_shape", {2})}), ErrorCode::kShape, "kernel"},
      {"kernel 0", with({attr_ints("kernel_shape", {0, 2})}), ErrorCode::kModel, "kernel_shape"},
      {"kernel too large", with({attr_ints("kernel_shape", {5, 5})}), ErrorCode::kShape, "does not fit"},
      {"rank 2",
       {.op = "MaxPool",
        .attributes = {attr_ints("kernel_shape", {2})},
        .inputs = {f32({2, 2}, {1, 2, 3, 4})}},
       ErrorCode::kShape,
       "spatial"},
      {"Indices of AveragePool",
       {.op = "AveragePool", .attributes = {attr_ints("kernel_shape", {2, 2})}, .inputs = {x}, .outputs = 2},
       ErrorCode::kModel,
       "outputs"},
      {"auto_pad", with({attr_ints("kernel_shape", {2, 2}), attr("auto_pad", "SAME")}), ErrorCode::kModel,
       "auto_pad"},
  });
}
