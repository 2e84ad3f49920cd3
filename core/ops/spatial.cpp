#include "ops/spatial.hpp"

#include <algorithm>

namespace kinglet::ops {
namespace {

/// Strides, dilations, kernel sizes and pads beyond this are no model's; the bound keeps every product in int64.
constexpr int64_t kMaxAttribute = int64_t{1} << 30;

/// No tensor has more elements; below it, sizes plus pads and reach stay in int64 as well.
constexpr int64_t kMaxSize = int64_t{1} << 48;

void check_range(std::span<const int64_t> values, int64_t lowest, std::string_view name) {
  for (const int64_t v : values) {
    if (v < lowest || v > kMaxAttribute) throw_error(ErrorCode::kModel, "attribute '{}' has an element {}", name, v);
  }
}

void check_length(const std::vector<int64_t>& values, size_t wanted, std::string_view name) {
  if (!values.empty() && values.size() != wanted) {
    throw_error(ErrorCode::kShape, "attribute '{}' has {} elements, expected {}", name, values.size(), wanted);
  }
}

}  // namespace

Spatial parse_spatial(const NodeView& n) {
  Spatial s;
  s.kernel = n.attr_ints("kernel_shape", {});
  s.strides = n.attr_ints("strides", {});
  s.dilations = n.attr_ints("dilations", {});
  s.pads = n.attr_ints("pads", {});
  s.ceil_mode = n.attr_int("ceil_mode", 0) != 0;
  s.channels_last = n.attr_int("channels_last", 0) != 0;
  check_range(s.kernel, 1, "kernel_shape");
  check_range(s.strides, 1, "strides");
  check_range(s.dilations, 1, "dilations");
  check_range(s.pads, -kMaxAttribute, "pads");
  const std::string auto_pad = n.attr_string("auto_pad", "NOTSET");
  if (auto_pad == "VALID") {
    s.auto_pad = Spatial::AutoPad::kValid;
  } else if (auto_pad == "SAME_UPPER") {
    s.auto_pad = Spatial::AutoPad::kSameUpper;
  } else if (auto_pad == "SAME_LOWER") {
    s.auto_pad = Spatial::AutoPad::kSameLower;
  } else if (auto_pad != "NOTSET" && !auto_pad.empty()) {
    throw_error(ErrorCode::kModel, "attribute 'auto_pad' is '{}'", auto_pad);
  }
  return s;
}

Spatial with_kernel(const Spatial& s, size_t rank, std::span<const int64_t> weights_kernel) {
  Spatial out = s;
  if (out.kernel.empty()) out.kernel.assign(weights_kernel.begin(), weights_kernel.end());
  check_length(out.kernel, rank, "kernel_shape");
  check_length(out.strides, rank, "strides");
  check_length(out.dilations, rank, "dilations");
  check_length(out.pads, 2 * rank, "pads");
  if (out.kernel.size() != rank) throw_error(ErrorCode::kShape, "kernel of {} dims for an image of {}", out.kernel.size(), rank);
  if (!weights_kernel.empty() && !std::equal(out.kernel.begin(), out.kernel.end(), weights_kernel.begin(), weights_kernel.end())) {
    throw_error(ErrorCode::kShape, "attribute 'kernel_shape' {} differs from the weights' {}", Shape(out.kernel), Shape(weights_kernel));
  }
  check_range(out.kernel, 1, "kernel_shape");
  return out;
}

Pads pads_of(const Spatial& s, size_t i, int64_t in) {
  const size_t rank = s.kernel.size();
  switch (s.auto_pad) {
    case Spatial::AutoPad::kValid: return {};
    case Spatial::AutoPad::kNotSet:
      if (s.pads.empty()) return {};
      return {s.pads[i], s.pads[rank + i]};
    case Spatial::AutoPad::kSameUpper:
    case Spatial::AutoPad::kSameLower: break;
  }
  const int64_t stride = s.stride(i);
  const int64_t out = (in + stride - 1) / stride;
  const int64_t total = std::max<int64_t>(0, (out - 1) * stride + s.reach(i) - in);
  const int64_t small = total / 2;
  return s.auto_pad == Spatial::AutoPad::kSameUpper ? Pads{small, total - small} : Pads{total - small, small};
}

int64_t output_size(const Spatial& s, size_t i, int64_t in) {
  if (in > kMaxSize) throw_error(ErrorCode::kShape, "an image size of {} is too large", in);
  const Pads pads = pads_of(s, i, in);
  const int64_t stride = s.stride(i);
  const int64_t room = in + pads.begin + pads.end - s.reach(i);
  if (room < 0) {
    throw_error(ErrorCode::kShape, "a kernel reaching over {} does not fit the padded size {}", s.reach(i), in + pads.begin + pads.end);
  }
  if (!s.ceil_mode) return room / stride + 1;
  const int64_t out = (room + stride - 1) / stride + 1;
  // A window that would start in the end padding is left out (ONNX *Pool, ceil_mode).
  return (out - 1) * stride >= in + pads.begin ? out - 1 : out;
}

ImageDims split_image(const SymShape& shape, bool channels_last) {
  const size_t rank = shape.rank();
  if (rank < 3) throw_error(ErrorCode::kShape, "expected [N, C, spatial...], got {}", shape);
  ImageDims out;
  out.batch = shape[0];
  out.channels = channels_last ? shape[rank - 1] : shape[1];
  for (size_t i = 0; i < rank - 2; ++i) out.size.push_back(shape[channels_last ? i + 1 : i + 2]);
  return out;
}

SymShape join_image(const ImageDims& dims, bool channels_last) {
  std::vector<Dim> out{dims.batch};
  if (!channels_last) out.push_back(dims.channels);
  out.insert(out.end(), dims.size.begin(), dims.size.end());
  if (channels_last) out.push_back(dims.channels);
  return SymShape(std::move(out));
}

Image image_of(const Shape& shape, bool channels_last) {
  const size_t rank = shape.rank();
  if (rank < 3 || rank > 2 + kernels::kMaxSpatialRank) {
    throw_error(ErrorCode::kShape, "expected 1 to {} spatial dims, got shape {}", kernels::kMaxSpatialRank, shape);
  }
  Image out;
  out.rank = rank - 2;
  out.batch = static_cast<size_t>(shape[0]);
  out.channels = static_cast<size_t>(channels_last ? shape[rank - 1] : shape[1]);
  for (size_t i = 0; i < out.rank; ++i) {
    out.size[i] = static_cast<size_t>(shape[channels_last ? i + 1 : i + 2]);
    out.pixels *= out.size[i];
  }
  return out;
}

}  // namespace kinglet::ops
