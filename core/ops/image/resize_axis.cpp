#include "ops/image/resize_axis.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

int find_name(std::string_view what, std::string_view name, std::span<const std::string_view> names) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) throw_error(ErrorCode::kModel, "{} '{}' is not known", what, name);
  return static_cast<int>(at - names.begin());
}

/// The position on the input of output `o`, computed in T.
template <class T>
T position_in(const ResizeMode& mode, const ResizeAxis& a, int64_t o) {
  const auto x = static_cast<T>(o), in = static_cast<T>(a.in), out = static_cast<T>(a.out), half = T(0.5);
  const auto scale = static_cast<T>(a.scale), length = static_cast<T>(a.length);
  const auto crop_start = static_cast<T>(a.crop_start), crop_end = static_cast<T>(a.crop_end);
  switch (mode.coordinates) {
    case Coordinates::kHalfPixel: break;
    case Coordinates::kHalfPixelSymmetric: {
      // Keeps the centre in place when the output was cut to an integer.
      const T offset = in / 2 * (1 - out / length);
      return offset + (x + half) / scale - half;
    }
    case Coordinates::kPytorchHalfPixel:
      if (a.out == 1) return 0;
      break;
    case Coordinates::kAlignCorners: return length == 1 || a.out == 1 ? 0 : x * (in - 1) / (length - 1);
    case Coordinates::kAsymmetric: return x / scale;
    case Coordinates::kTfCropAndResize:
      if (a.out == 1) return half * (crop_start + crop_end) * (in - 1);
      return crop_start * (in - 1) + x * (crop_end - crop_start) * (in - 1) / (out - 1);
    case Coordinates::kTfHalfPixelForNn: return (x + half) / scale;
  }
  return (x + half) / scale - half;
}

double position(const ResizeMode& mode, const ResizeAxis& a, int64_t o) {
  return a.by_size ? position_in<double>(mode, a, o) : static_cast<double>(position_in<float>(mode, a, o));
}

bool is_outside(const ResizeMode& mode, const ResizeAxis& a, double x) {
  return mode.coordinates == Coordinates::kTfCropAndResize && !(x >= 0 && x <= static_cast<double>(a.in - 1));
}

/// A position as an integer that later arithmetic cannot overflow.
int64_t to_index(double x) {
  constexpr double kFar = 0x1p40;
  return x > -kFar ? static_cast<int64_t>(std::min(x, kFar)) : -static_cast<int64_t>(kFar);
}

double round(Rounding rounding, double x, double scale) {
  switch (rounding) {
    case Rounding::kRoundPreferFloor: return std::ceil(x - 0.5);
    case Rounding::kRoundPreferCeil: return std::floor(x + 0.5);
    case Rounding::kFloor: return std::floor(x);
    case Rounding::kCeil: return std::ceil(x);
    case Rounding::kBeforeOpset11: break;
  }
  return scale < 1 ? std::ceil(x) : std::floor(x);
}

/// The weight of an input at distance x. Cubic: Keys' convolution kernel with parameter a.
float filter(const ResizeMode& mode, float x) {
  x = std::abs(x);
  if (mode.interpolation == Interpolation::kLinear) return std::max(0.0f, 1 - x);
  const float a = mode.cubic_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

}  // namespace

Interpolation parse_interpolation(std::string_view name) {
  static constexpr std::string_view kNames[] = {"nearest", "linear", "cubic"};
  return static_cast<Interpolation>(find_name("mode", name, kNames));
}

Coordinates parse_coordinates(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",  "align_corners",
      "asymmetric", "tf_crop_and_resize",   "tf_half_pixel_for_nn"};
  return static_cast<Coordinates>(find_name("coordinate_transformation_mode", name, kNames));
}

Rounding parse_rounding(std::string_view name) {
  static constexpr std::string_view kNames[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  return static_cast<Rounding>(find_name("nearest_mode", name, kNames));
}

std::vector<int64_t> nearest_indices(const ResizeMode& mode, const ResizeAxis& axis) {
  std::vector<int64_t> map(static_cast<size_t>(axis.out));
  for (int64_t o = 0; o < axis.out; ++o) {
    int64_t& index = map[static_cast<size_t>(o)];
    if (!axis.resized) {
      index = o;
      continue;
    }
    const double x = position(mode, axis, o);
    index = std::clamp<int64_t>(to_index(round(mode.rounding, x, axis.scale)), 0, axis.in - 1);
    if (is_outside(mode, axis, x)) index = kOutside;
  }
  return map;
}

ResizeTaps resize_taps(const ResizeMode& mode, const ResizeAxis& axis) {
  if (axis.in > INT32_MAX) throw_error(ErrorCode::kShape, "dim {} is too large to resize", axis.in);
  const float support = mode.interpolation == Interpolation::kLinear ? 1.0f : 2.0f;
  // Reducing with antialias stretches the filter over all inputs that an output stands for.
  const float stretch = mode.antialias ? static_cast<float>(std::min(axis.scale, 1.0)) : 1.0f;
  const float reach = std::floor(-support / stretch) + 1;
  const auto first = static_cast<int64_t>(reach);
  ResizeTaps out;
  out.taps = static_cast<size_t>(2 - 2 * first);
  out.index.reserve(out.taps * static_cast<size_t>(axis.out));
  out.weight.reserve(out.index.capacity());
  for (int64_t o = 0; o < axis.out; ++o) {
    const double x = position(mode, axis, o);
    if (is_outside(mode, axis, x)) out.outside.push_back(static_cast<uint32_t>(o));
    const int64_t base = to_index(std::floor(x));
    const float fraction = std::isfinite(x) ? static_cast<float>(x - std::floor(x)) : 0;
    float sum = 0;
    const size_t begin = out.weight.size();
    for (size_t k = 0; k < out.taps; ++k) {
      const int64_t tap = first + static_cast<int64_t>(k), index = base + tap;
      float weight = filter(mode, stretch * (static_cast<float>(tap) - fraction));
      if (mode.exclude_outside && (index < 0 || index >= axis.in)) weight = 0;
      sum += weight;
      out.weight.push_back(weight);
      out.index.push_back(static_cast<uint32_t>(std::clamp<int64_t>(index, 0, axis.in - 1)));
    }
    if ((mode.antialias || mode.exclude_outside) && sum != 0) {
      for (size_t k = begin; k < out.weight.size(); ++k) out.weight[k] /= sum;
    }
  }
  return out;
}

}  // namespace kinglet::ops
