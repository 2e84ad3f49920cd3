// Resize (opset 10 on) and Upsample (1 to 9): scale any dims by nearest, linear or cubic interpolation.

#include <algorithm>
#include <cmath>

#include "ops/convert.hpp"
#include "ops/move.hpp"
#include "ops/image/resize_axis.hpp"
#include "ops/image/resize_filter.hpp"
#include "ops/image/resize_image.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum class Policy : uint8_t { kStretch, kNotLarger, kNotSmaller };

/// An input that this version of the operator does not have.
constexpr size_t kNoInput = 99;

struct Resize {
  ResizeMode mode;
  float extrapolation = 0;
  std::vector<float> scales;  // of Upsample 7; else an input
  size_t roi_input = kNoInput, scales_input = kNoInput, sizes_input = kNoInput;
  std::optional<std::vector<int64_t>> axes;
  Policy policy = Policy::kStretch;
  bool channels_last = false;
};

Resize parse(const NodeView& n) {
  Resize op;
  const std::string interpolation = n.attr_string("mode", "nearest");
  op.mode.interpolation = parse_interpolation(interpolation == "bilinear" ? "linear" : interpolation);
  op.channels_last = n.attr_int("channels_last", 0) != 0;
  if (n.op_type() == "Upsample" || n.opset() < 11) {
    op.mode.coordinates = Coordinates::kAsymmetric;
    op.mode.rounding = Rounding::kBeforeOpset11;
    if (n.op_type() == "Upsample" && n.opset() < 7) {
      op.scales = {1, 1, n.attr_float("height_scale"), n.attr_float("width_scale")};
    } else if (n.op_type() == "Upsample" && n.opset() < 9) {
      op.scales = n.attr_floats("scales", {});
    } else {
      op.scales_input = 1;
    }
    return op;
  }
  op.roi_input = 1;
  op.scales_input = 2;
  op.sizes_input = 3;
  op.mode.coordinates = parse_coordinates(n.attr_string("coordinate_transformation_mode", "half_pixel"));
  op.mode.rounding = parse_rounding(n.attr_string("nearest_mode", "round_prefer_floor"));
  op.mode.cubic_a = n.attr_float("cubic_coeff_a", -0.75f);
  op.mode.exclude_outside = n.attr_int("exclude_outside", 0) != 0;
  op.mode.antialias = n.attr_int("antialias", 0) != 0;
  op.extrapolation = n.attr_float("extrapolation_value", 0);
  if (n.has("axes")) op.axes = n.attr_ints("axes");
  const std::string policy = n.attr_string("keep_aspect_ratio_policy", "stretch");
  if (policy == "not_larger") {
    op.policy = Policy::kNotLarger;
  } else if (policy == "not_smaller") {
    op.policy = Policy::kNotSmaller;
  } else if (policy != "stretch") {
    throw_error(ErrorCode::kModel, "keep_aspect_ratio_policy '{}' is not known", policy);
  }
  return op;
}

/// The dim of the tensor that dim d of [N, C, spatial...] is.
size_t physical(const Resize& op, size_t d, size_t rank) {
  if (!op.channels_last || d == 0 || rank < 2) return d;
  return d == 1 ? rank - 1 : d - 1;
}

/// The tensor's dims that scales, sizes and roi speak of, in their order.
std::vector<size_t> target_dims(const Resize& op, size_t rank) {
  std::vector<size_t> out;
  if (!op.axes) {
    for (size_t d = 0; d < rank; ++d) out.push_back(physical(op, d, rank));
    return out;
  }
  axis_mask(*op.axes, rank);
  for (const int64_t axis : *op.axes) out.push_back(physical(op, normalize_axis(axis, rank), rank));
  return out;
}

std::vector<float> to_floats(const Tensor& t) {
  std::vector<float> out(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat32, out.data(), out.size());
  return out;
}

/// What the inputs say; empty when they are absent.
struct Request {
  std::vector<float> scales;
  std::vector<int64_t> sizes;
};

void require_length(size_t got, size_t want, std::string_view what) {
  if (got != want) throw_error(ErrorCode::kShape, "{} has {} elements for {} dims", what, got, want);
}

int64_t cut(float length) {
  if (!(length >= 0 && length < 0x1p40f)) {
    throw_error(ErrorCode::kShape, "a dim of {} is out of range", static_cast<double>(length));
  }
  return static_cast<int64_t>(length);
}

void set_scale(const Resize& op, ResizeAxis& a, float scale) {
  if (!(scale > 0) || std::isinf(scale)) {
    throw_error(ErrorCode::kShape, "a scale of {}", static_cast<double>(scale));
  }
  a.scale = scale;
  a.resized = scale != 1 || op.mode.coordinates == Coordinates::kTfCropAndResize;
  // The specification multiplies by the extent of the roi too; its shape inference, its reference and ONNX Runtime
  // do not, and models rely on those.
  a.length = static_cast<float>(a.in) * scale;
  a.out = a.resized ? cut(std::floor(a.length)) : a.in;
}

void set_size(const Resize& op, ResizeAxis& a, int64_t size) {
  if (size < 0) throw_error(ErrorCode::kShape, "a size of {}", size);
  a.out = size;
  a.length = static_cast<float>(size);
  a.scale = static_cast<double>(size) / static_cast<double>(a.in);
  a.by_size = true;
  a.resized = size != a.in || op.mode.coordinates == Coordinates::kTfCropAndResize;
}

/// Each dim of the tensor `in` under the request.
std::vector<ResizeAxis> resolve(const Resize& op, const Shape& in, const Request& request) {
  std::vector<ResizeAxis> out(in.rank());
  for (size_t d = 0; d < in.rank(); ++d) {
    out[d].in = out[d].out = in[d];
    out[d].length = static_cast<float>(in[d]);
  }
  const std::vector<size_t> dims = target_dims(op, in.rank());
  if (!request.scales.empty()) {
    require_length(request.scales.size(), dims.size(), "scales");
    for (size_t i = 0; i < dims.size(); ++i) set_scale(op, out[dims[i]], request.scales[i]);
    return out;
  }
  require_length(request.sizes.size(), dims.size(), "sizes");
  for (size_t i = 0; i < dims.size(); ++i) set_size(op, out[dims[i]], request.sizes[i]);
  if (op.policy == Policy::kStretch || dims.empty()) return out;
  // One scale for all dims, the one that keeps within (or covers) every size.
  double common = out[dims[0]].scale;
  for (const size_t d : dims) {
    common =
        op.policy == Policy::kNotLarger ? std::min(common, out[d].scale) : std::max(common, out[d].scale);
  }
  for (const size_t d : dims) {
    const int64_t size = cut(static_cast<float>(std::floor(common * static_cast<double>(out[d].in) + 0.5)));
    set_size(op, out[d], size);
    out[d].scale = common;
    out[d].length = static_cast<float>(common * static_cast<double>(out[d].in));
  }
  return out;
}

/// Sets the part of the input that each dim of `axes` takes.
void crop(const Resize& op, const std::vector<float>& roi, std::vector<ResizeAxis>& axes) {
  if (op.mode.coordinates != Coordinates::kTfCropAndResize) return;
  const std::vector<size_t> dims = target_dims(op, axes.size());
  require_length(roi.size(), 2 * dims.size(), "roi");
  for (size_t i = 0; i < dims.size(); ++i) {
    axes[dims[i]].crop_start = roi[i];
    axes[dims[i]].crop_end = roi[dims.size() + i];
  }
}

/// The shape as far as it is known when the input's or the request is not.
SymShape partial_shape(const Resize& op, const SymShape& in, const Request& request,
                       const std::optional<std::vector<Dim>>& sizes) {
  const std::vector<size_t> dims = target_dims(op, in.rank());
  if (!request.scales.empty()) require_length(request.scales.size(), dims.size(), "scales");
  if (sizes) require_length(sizes->size(), dims.size(), "sizes");
  SymShape out = in;
  for (size_t i = 0; i < dims.size(); ++i) {
    Dim& dim = out[dims[i]];
    if (!request.scales.empty()) {
      ResizeAxis axis;
      axis.in = dim.known() ? dim.value() : 1;
      set_scale(op, axis, request.scales[i]);
      if (axis.resized) dim = dim.known() ? Dim(axis.out) : Dim();
    } else if (sizes && op.policy == Policy::kStretch) {
      dim = (*sizes)[i];
    } else {
      dim = Dim();
    }
  }
  return out;
}

/// An input of no elements is as good as absent.
bool is_given(const InferContext& c, size_t i) {
  if (!c.has(i)) return false;
  const SymShape& shape = c.shape(i);
  return std::none_of(shape.dims().begin(), shape.dims().end(), [](Dim d) { return d.same(0); });
}

void infer(const Resize& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  c.require(!op.channels_last || in.rank() >= 3, "channels_last needs rank >= 3, got {}", in.rank());
  const bool by_size = is_given(c, op.sizes_input);
  const bool by_scale = !by_size && (!op.scales.empty() || is_given(c, op.scales_input));
  c.require(by_size || by_scale || in.rank() == 0, "needs scales or sizes");
  Request request;
  request.scales = op.scales;
  if (const Tensor* t = c.constant(op.scales_input); t != nullptr && by_scale) request.scales = to_floats(*t);
  std::optional<std::vector<Dim>> sizes;
  if (by_size) {
    if (const auto known = known_ints(c, op.sizes_input)) request.sizes = *known;
    sizes = known_dims(c, op.sizes_input);
  }
  if (in.is_concrete() && (!request.scales.empty() || !request.sizes.empty())) {
    Shape out;
    for (const ResizeAxis& axis : resolve(op, in.concrete(), request)) out.push_back(axis.out);
    return c.out(0, c.dtype(0), out);
  }
  c.out(0, c.dtype(0), partial_shape(op, in, request, sizes));
}

void run(const Resize& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  Request request;
  request.scales = op.scales;
  if (c.has(op.scales_input)) request.scales = to_floats(c.in(op.scales_input));
  if (c.has(op.sizes_input)) request.sizes = to_int64s(c.in(op.sizes_input));
  c.require(request.scales.empty() != request.sizes.empty() || in.rank() == 0,
            "needs scales or sizes, not both: got {} and {}", request.scales.size(), request.sizes.size());
  std::vector<ResizeAxis> axes = resolve(op, in.shape(), request);
  crop(op, c.has(op.roi_input) ? to_floats(c.in(op.roi_input)) : std::vector<float>(), axes);
  if (out.count() == 0) return;
  c.require(in.count() > 0, "cannot make {} out of nothing", out.shape());
  if (std::none_of(axes.begin(), axes.end(), [](const ResizeAxis& a) { return a.resized; })) {
    return out.copy_from(in);
  }
  if (resize_image(op.mode, axes, in, out, c)) return;
  if (op.mode.interpolation != Interpolation::kNearest) {
    return resize_filtered(op.mode, axes, op.extrapolation, in, out, c);
  }
  IndexMaps maps;
  for (const ResizeAxis& axis : axes) maps.push_back(nearest_indices(op.mode, axis));
  if (op.extrapolation == 0) return copy_mapped(in, out, maps, nullptr);
  copy_mapped(in, out, maps, element_of(in.dtype(), static_cast<double>(op.extrapolation)).data());
}

}  // namespace

KINGLET_OP(Resize, op<Resize, parse, infer, run>(since(10)).with_traits(kChannelsLast));
KINGLET_OP(Upsample, op<Resize, parse, infer, run>(since(1)).with_traits(kChannelsLast));

}  // namespace kinglet::ops
