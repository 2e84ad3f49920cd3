// GridSample: an image [N, C, spatial...] sampled at the positions of a grid [N, out..., rank], which run from -1 to 1
// and name the innermost dim first: [N, C, out...].

#include <algorithm>
#include <cmath>

#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/image/resize_axis.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum class Padding : uint8_t { kZeros, kBorder, kReflection };

struct GridSample {
  Interpolation interpolation;
  Padding padding;
  bool align_corners;  // -1 and 1 are the centres of the outermost pixels, else their outer edges
};

/// Inputs that one output takes; 4 to the power of 6 dims.
constexpr size_t kMaxTaps = 4096;

GridSample parse(const NodeView& n) {
  std::string mode = n.attr_string("mode", "linear");
  if (mode == "bilinear") mode = "linear";  // before opset 20
  if (mode == "bicubic") mode = "cubic";
  const std::string padding = n.attr_string("padding_mode", "zeros");
  GridSample op{parse_interpolation(mode), Padding::kZeros, n.attr_int("align_corners", 0) != 0};
  if (padding == "border") {
    op.padding = Padding::kBorder;
  } else if (padding == "reflection") {
    op.padding = Padding::kReflection;
  } else if (padding != "zeros") {
    throw_error(ErrorCode::kModel, "padding_mode '{}' is not known", padding);
  }
  return op;
}

void infer(const GridSample&, InferContext& c) {
  check_type(c.dtype(1), kFloats);
  const SymShape &in = c.shape(0), &grid = c.shape(1);
  if (in.has_rank()) c.require(in.rank() >= 3, "needs [N, C, spatial...], got {}", in);
  if (in.has_rank() && grid.has_rank()) {
    c.require(grid.rank() == in.rank(), "a grid {} for an image {}", grid, in);
    unify(grid[grid.rank() - 1], static_cast<int64_t>(in.rank()) - 2);
  }
  if (!grid.has_rank()) return c.out(0, c.dtype(0), in.has_rank() ? SymShape::of_rank(in.rank()) : SymShape());
  c.require(grid.rank() >= 3, "needs a grid [N, out..., rank], got {}", grid);
  SymShape out = SymShape::of_rank(grid.rank());
  out[0] = in.has_rank() ? unify(in[0], grid[0]) : grid[0];
  if (in.has_rank()) out[1] = in[1];
  for (size_t d = 2; d < grid.rank(); ++d) out[d] = grid[d - 1];
  c.out(0, c.dtype(0), std::move(out));
}

/// Mirrors x at both ends of [low, high] until it is inside.
template <class T>
T reflect(T x, T low, T high) {
  const T range = high - low;
  if (!(range > 0) || !std::isfinite(x)) return low;
  const T rest = std::fmod(std::abs(x - low), 2 * range);
  return low + (rest > range ? 2 * range - rest : rest);
}

/// What an output takes of one dim: inputs [0, count), their offsets in elements or kOutside.
template <class T>
struct Taps {
  size_t count;
  std::array<int64_t, 4> offset;
  std::array<T, 4> weight;
};

/// Keys' cubic kernel with a = -0.75, for inputs from one before to two behind.
template <class T>
std::array<T, 4> cubic_weights(T t) {
  const T a = T(-0.75), u = 1 - t;
  const auto near = [a](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [a](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(t + 1), near(t), near(u), far(u + 1)};
}

/// T is float or double.
template <class T>
class Sampler {
 public:
  Sampler(const GridSample& op, const Shape& in) : op_(op), rank_(in.rank() - 2), strides_(strides_of(in)), in_(in) {}

  size_t rank() const { return rank_; }

  /// Sets the inputs of the output at `position`, and returns their number. `offset` and `weight` hold kMaxTaps.
  size_t taps(const T* position, int64_t* offset, T* weight) const {
    size_t count = 1;
    offset[0] = 0;
    weight[0] = 1;
    for (size_t d = 0; d < rank_; ++d) {
      const Taps<T> axis = axis_taps(position[rank_ - 1 - d], in_[d + 2], strides_[d + 2]);
      // From behind, so that what is still to be read is not overwritten.
      for (size_t i = count; i-- > 0;) {
        const int64_t base = offset[i];
        const T factor = weight[i];
        for (size_t k = axis.count; k-- > 0;) {
          const bool outside = base == kOutside || axis.offset[k] == kOutside;
          offset[i * axis.count + k] = outside ? kOutside : base + axis.offset[k];
          weight[i * axis.count + k] = factor * axis.weight[k];
        }
      }
      count *= axis.count;
    }
    return count;
  }

 private:
  /// The offset of input i under the padding.
  int64_t offset_of(T i, int64_t length, int64_t stride) const {
    const T last = static_cast<T>(length - 1);
    if (op_.padding == Padding::kReflection) {
      i = op_.align_corners ? reflect(i, T(0), last) : reflect(i, T(-0.5), last + T(0.5));
    } else if (op_.padding == Padding::kZeros && !(i >= 0 && i <= last)) {
      return kOutside;
    }
    return static_cast<int64_t>(i > 0 ? std::min(i, last) : T(0)) * stride;
  }

  Taps<T> axis_taps(T position, int64_t length, int64_t stride) const {
    const T size = static_cast<T>(length);
    T x = op_.align_corners ? (position + 1) / 2 * (size - 1) : ((position + 1) * size - 1) / 2;
    const bool nearest = op_.interpolation == Interpolation::kNearest;
    if (nearest) x = std::nearbyint(x);
    const T low = op_.align_corners ? T(0) : T(-0.5), high = size - 1 - low;
    if (!(x >= low && x <= high)) {
      // Cubic taps are clamped one by one instead, as PyTorch and ONNX Runtime do.
      if (op_.padding == Padding::kBorder && op_.interpolation != Interpolation::kCubic) {
        x = x > 0 ? std::min(x, size - 1) : T(0);
      }
      if (op_.padding == Padding::kReflection) x = reflect(x, low, high);
    }
    const T base = std::floor(x);
    const T rest = std::isfinite(x) ? x - base : T(0);
    Taps<T> out;
    switch (op_.interpolation) {
      case Interpolation::kNearest:
        out.count = 1;
        out.weight = {1};
        out.offset = {offset_of(x, length, stride)};
        break;
      case Interpolation::kLinear:
        out.count = 2;
        out.weight = {1 - rest, rest};
        break;
      case Interpolation::kCubic:
        out.count = 4;
        out.weight = cubic_weights(rest);
        break;
    }
    for (size_t k = 0; k < out.count && !nearest; ++k) {
      const T first = out.count == 4 ? base - 1 : base;
      out.offset[k] = offset_of(first + static_cast<T>(k), length, stride);
    }
    return out;
  }

  const GridSample& op_;
  size_t rank_;
  std::array<int64_t, kMaxRank> strides_;
  const Shape& in_;
};

template <class T>
const T* as_wide(RunContext& c, const Tensor& t) {
  if (t.dtype() == dtype_of<T>) return reinterpret_cast<const T*>(t.raw());
  T* copy = c.scratch<T>(t.count());
  convert(t.dtype(), t.raw(), dtype_of<T>, copy, t.count());
  return copy;
}

/// Calls f(batch, index of the output pixel, offsets, weights, count) for every position of the grid.
template <class T, class F>
void for_each_position(const GridSample& op, RunContext& c, F f) {
  const Tensor &in = c.in(0), &out = c.out(0);
  const Sampler<T> sampler(op, in.shape());
  const T* position = as_wide<T>(c, c.in(1));
  int64_t* offset = c.scratch<int64_t>(kMaxTaps);
  T* weight = c.scratch<T>(kMaxTaps);
  const size_t pixels = out.shape().count(2, out.rank());
  for (size_t n = 0; n < out.shape().count(0, 1); ++n) {
    for (size_t p = 0; p < pixels; ++p, position += sampler.rank()) {
      f(n, p, offset, weight, sampler.taps(position, offset, weight));
    }
  }
}

template <class T>
void run_as(const GridSample& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const auto channels = static_cast<size_t>(in.dim(1));
  const size_t plane = in.shape().count(2, in.rank()), pixels = out.shape().count(2, out.rank());
  const T* image = as_wide<T>(c, in);
  const bool direct = out.dtype() == dtype_of<T>;
  T* const result = direct ? reinterpret_cast<T*>(out.raw()) : c.scratch<T>(out.count());
  for_each_position<T>(op, c, [&](size_t n, size_t p, const int64_t* offset, const T* weight, size_t count) {
    for (size_t channel = n * channels; channel < (n + 1) * channels; ++channel) {
      const T* from = image + channel * plane;
      T sum = 0;
      for (size_t k = 0; k < count; ++k) sum += offset[k] == kOutside ? 0 : weight[k] * from[offset[k]];
      result[channel * pixels + p] = sum;
    }
  });
  if (!direct) convert(dtype_of<T>, result, out.dtype(), out.raw(), out.count());
}

/// Elements of any type, moved as they are.
template <class T>
void run_nearest(const GridSample& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const auto channels = static_cast<size_t>(in.dim(1));
  const size_t plane = in.shape().count(2, in.rank()), pixels = out.shape().count(2, out.rank());
  for_each_position<T>(op, c, [&](size_t n, size_t p, const int64_t* offset, const T*, size_t) {
    for (size_t channel = n * channels; channel < (n + 1) * channels; ++channel) {
      std::byte* to = element(out, channel * pixels + p);
      if (offset[0] == kOutside) {
        fill_elements(in.dtype(), to, nullptr, 1);
      } else {
        copy_elements(in.dtype(), to, element(in, channel * plane + static_cast<size_t>(offset[0])), 1);
      }
    }
  });
}

void run(const GridSample& op, RunContext& c) {
  const Tensor &in = c.in(0), &grid = c.in(1);
  if (c.out(0).count() == 0) return;
  c.require(in.count() > 0, "an image {} has no pixels", in.shape());
  size_t taps = 1;
  for (size_t d = 2; d < in.rank() && op.interpolation != Interpolation::kNearest; ++d) {
    taps *= op.interpolation == Interpolation::kLinear ? 2 : 4;
  }
  c.require(taps <= kMaxTaps, "{} inputs for each output are too many", taps);
  const bool exact = grid.dtype() == DType::kFloat64;
  if (op.interpolation == Interpolation::kNearest) return exact ? run_nearest<double>(op, c) : run_nearest<float>(op, c);
  const bool narrow = dtype_size(in.dtype()) == 1 || wide_type(in.dtype()) == DType::kFloat32;
  narrow && !exact ? run_as<float>(op, c) : run_as<double>(op, c);
}

}  // namespace

KINGLET_OP(GridSample, op<GridSample, parse, infer, run>(since(16)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", GridSample, op<GridSample, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
