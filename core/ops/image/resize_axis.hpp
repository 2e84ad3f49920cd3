#pragma once
// Where the outputs of Resize lie on the input, one dim at a time (ONNX Resize, sections
// coordinate_transformation_mode, nearest_mode, mode, antialias). Positions are computed in float32 where the model
// gives scales and in float64 where it gives sizes, as the reference implementation does: what rounds to a tie there
// rounds to a tie here.

#include <cstdint>
#include <string_view>
#include <vector>

namespace kinglet::ops {

enum class Interpolation : uint8_t { kNearest, kLinear, kCubic };

enum class Coordinates : uint8_t {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize,
  kTfHalfPixelForNn,
};

enum class Rounding : uint8_t {
  kRoundPreferFloor,
  kRoundPreferCeil,
  kFloor,
  kCeil,
  kBeforeOpset11,  ///< down when enlarging, up when reducing
};

struct ResizeMode {
  Interpolation interpolation = Interpolation::kNearest;
  Coordinates coordinates = Coordinates::kHalfPixel;
  Rounding rounding = Rounding::kRoundPreferFloor;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;
};

/// The attributes' names for these; each throws kModel for an unknown one.
Interpolation parse_interpolation(std::string_view name);
Coordinates parse_coordinates(std::string_view name);
Rounding parse_rounding(std::string_view name);

/// One dim of a Resize.
struct ResizeAxis {
  int64_t in = 1, out = 1;
  double scale = 1;
  bool by_size = false;                ///< the scale is the exact quotient of two sizes, not a float32 of the model
  float length = 1;                    ///< of the output before it was cut to an integer
  float crop_start = 0, crop_end = 1;  ///< of kTfCropAndResize, as fractions of the input
  bool resized = false;                ///< false: every output element is the input element of its index

  bool operator==(const ResizeAxis&) const = default;
};

/// The input index of each output, or kOutside (see move.hpp) where it falls outside of the input and is to
/// be the extrapolation value.
std::vector<int64_t> nearest_indices(const ResizeMode& mode, const ResizeAxis& axis);

/// Weighted inputs of each output: output o is the sum of weight[o * taps + k] * in[index[o * taps + k]].
struct ResizeTaps {
  size_t taps = 0;
  std::vector<uint32_t> index;
  std::vector<float> weight;
  std::vector<uint32_t> outside;  ///< outputs that are to be the extrapolation value
};

/// For linear and cubic interpolation, of at least one output: the scale is not less than about 1 / in.
ResizeTaps resize_taps(const ResizeMode& mode, const ResizeAxis& axis);

}  // namespace kinglet::ops
