// ImageScaler (scale * x + bias[channel]) and Crop of [N, C, H, W]: experimental operators of ai.onnx 1 to 9,
// which models converted from Core ML begin with.

#include <algorithm>
#include <array>

#include "ops/elementwise.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

struct ImageScaler {
  double scale;
  std::vector<float> bias;
};

ImageScaler parse_scaler(const NodeView& n) {
  return {static_cast<double>(n.attr_float("scale", 1)), n.attr_floats("bias", {})};
}

void check_image(const SymShape& x) {
  RunContext::require(!x.has_rank() || x.rank() == 4, "expected [N, C, H, W], got {}", x);
}

void infer_scaler(const ImageScaler& op, InferContext& c) {
  check_image(c.shape(0));
  if (c.shape(0).has_rank() && c.shape(0)[1].known()) {
    c.require(op.bias.empty() || c.shape(0)[1].value() == static_cast<int64_t>(op.bias.size()),
              "{} biases for {}", op.bias.size(), c.shape(0));
  }
  infer_unary(c, kFloats);
}

void run_scaler(const ImageScaler& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const size_t pixels = x.shape().count(2, 4), width = dtype_size(x.dtype());
  double values[kBlock];
  for (size_t plane = 0, planes = x.shape().count(0, 2); plane < planes; ++plane) {
    const double bias = op.bias.empty() ? 0 : static_cast<double>(op.bias[plane % op.bias.size()]);
    for (size_t start = 0; start < pixels; start += kBlock) {
      const size_t n = std::min(kBlock, pixels - start), at = (plane * pixels + start) * width;
      convert(x.dtype(), x.raw() + at, DType::kFloat64, values, n);
      for (size_t i = 0; i < n; ++i) values[i] = values[i] * op.scale + bias;
      convert(DType::kFloat64, values, y.dtype(), y.raw() + at, n);
    }
  }
}

struct Crop {
  std::vector<int64_t> border;  ///< left, top, right, bottom
  std::vector<int64_t> size;    ///< height and width, or empty: up to the right and bottom borders
};

Crop parse_crop(const NodeView& n) {
  Crop op{n.attr_ints("border"), n.attr_ints("scale", {})};
  if (op.border.size() != 4 || (!op.size.empty() && op.size.size() != 2)) {
    throw_error(ErrorCode::kModel, "{} borders and {} sizes, expected 4 and 2", op.border.size(),
                op.size.size());
  }
  for (const int64_t b : op.border) {
    if (b < 0 || b > INT32_MAX) throw_error(ErrorCode::kModel, "a border of {}", b);
  }
  for (const int64_t s : op.size) {
    if (s < 0 || s > INT32_MAX) throw_error(ErrorCode::kModel, "a size of {}", s);
  }
  return op;
}

Dim cropped(const Crop& op, size_t i, Dim dim) {
  if (!dim.known()) return {};
  const int64_t begin = op.border[1 - i],
                end = op.size.empty() ? dim.value() - op.border[3 - i] : begin + op.size[i];
  RunContext::require(begin <= end && end <= dim.value(), "[{}, {}) is not within {}", begin, end,
                      dim.value());
  return end - begin;
}

void infer_crop(const Crop& op, InferContext& c) {
  const SymShape& x = c.shape(0);
  check_image(x);
  check_type(c.dtype(0), kNumbers);
  if (!x.has_rank()) return c.out(0, c.dtype(0), SymShape::of_rank(4));
  c.out(0, c.dtype(0), SymShape({x[0], x[1], cropped(op, 0, x[2]), cropped(op, 1, x[3])}));
}

void run_crop(const Crop& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (y.count() == 0) return;
  const auto src = strides_of(x.shape()), dst = strides_of(y.shape());
  std::array<CopyAxis, 4> loops;
  for (size_t i = 0; i < 4; ++i) loops[i] = {y.dim(i), dst[i], src[i]};
  copy_strided(x.dtype(), loops, y.raw(),
               element(x, static_cast<size_t>(op.border[1] * src[2] + op.border[0])));
}

}  // namespace

KINGLET_OP(ImageScaler,
           op<ImageScaler, parse_scaler, infer_scaler, run_scaler>(since(1)).with_traits(kInPlace));
KINGLET_OP(Crop, op<Crop, parse_crop, infer_crop, run_crop>(since(1)));

}  // namespace kinglet::ops
