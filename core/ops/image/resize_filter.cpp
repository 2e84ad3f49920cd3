#include "ops/image/resize_filter.hpp"

#include <algorithm>
#include <cmath>

#include "ops/convert.hpp"

namespace kinglet::ops {
namespace {

/// dst[outer, outputs of the taps, inner] from src[outer, length, inner].
template <class T>
void filter_dim(const ResizeTaps& taps, const T* src, T* dst, size_t outer, size_t length, size_t inner) {
  const size_t outputs = taps.index.size() / taps.taps;
  for (size_t o = 0; o < outer; ++o, src += length * inner) {
    for (size_t j = 0; j < outputs; ++j, dst += inner) {
      std::fill_n(dst, inner, T(0));
      for (size_t k = 0; k < taps.taps; ++k) {
        const auto weight = static_cast<T>(taps.weight[j * taps.taps + k]);
        const T* from = src + taps.index[j * taps.taps + k] * inner;
        for (size_t i = 0; i < inner; ++i) dst[i] += weight * from[i];
      }
    }
  }
}

/// Integers: to the nearest, ties to even, and no wrap around at the type's limits.
template <class T>
void fit_integers(DType type, T* values, size_t count) {
  const bool is_signed = wide_type(type) == DType::kInt64;
  const double range = std::ldexp(1.0, static_cast<int>(8 * dtype_size(type)) - (is_signed ? 1 : 0));
  const auto low = static_cast<T>(is_signed ? -range : 0), high = static_cast<T>(range - 1);
  for (size_t i = 0; i < count; ++i) values[i] = std::clamp(std::nearbyint(values[i]), low, high);
}

template <class T>
void resize(const ResizeMode& mode, std::span<const ResizeAxis> axes, float extrapolation, const Tensor& in,
            Tensor& out, RunContext& c) {
  const bool direct = in.dtype() == dtype_of<T>;
  const T* source = reinterpret_cast<const T*>(in.raw());
  if (!direct) {
    T* wide = c.scratch<T>(in.count());
    convert(in.dtype(), in.raw(), dtype_of<T>, wide, in.count());
    source = wide;
  }
  // Dims that shrink come first: less work for the rest.
  std::vector<size_t> order;
  for (size_t d = 0; d < axes.size(); ++d) {
    if (axes[d].resized) order.push_back(d);
  }
  const auto growth = [&](size_t d) {
    return static_cast<double>(axes[d].out) / static_cast<double>(axes[d].in);
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return growth(a) < growth(b); });

  T* const result = direct ? reinterpret_cast<T*>(out.raw()) : c.scratch<T>(out.count());
  Shape shape = in.shape();
  std::vector<std::pair<size_t, std::vector<uint32_t>>> outside;
  for (const size_t d : order) {
    const auto length = static_cast<size_t>(shape[d]);
    shape[d] = axes[d].out;
    T* const target = d == order.back() ? result : c.scratch<T>(shape.count());
    ResizeTaps taps = resize_taps(mode, axes[d]);
    filter_dim(taps, source, target, shape.count(0, d), length, shape.count(d + 1, shape.rank()));
    outside.emplace_back(d, std::move(taps.outside));
    source = target;
  }
  for (const auto& [d, outputs] : outside) {
    const size_t inner = shape.count(d + 1, shape.rank()), row = shape.count(d, shape.rank());
    for (const uint32_t o : outputs) {
      for (size_t at = o * inner; at < shape.count(); at += row) {
        std::fill_n(result + at, inner, static_cast<T>(extrapolation));
      }
    }
  }
  if (direct) return;
  if (!is_float(out.dtype()) && out.dtype() != DType::kBool) fit_integers(out.dtype(), result, out.count());
  convert(dtype_of<T>, result, out.dtype(), out.raw(), out.count());
}

}  // namespace

void resize_filtered(const ResizeMode& mode, std::span<const ResizeAxis> axes, float extrapolation,
                     const Tensor& in, Tensor& out, RunContext& c) {
  const bool narrow = dtype_size(in.dtype()) == 1 || wide_type(in.dtype()) == DType::kFloat32;
  if (narrow) {
    resize<float>(mode, axes, extrapolation, in, out, c);
  } else {
    resize<double>(mode, axes, extrapolation, in, out, c);
  }
}

}  // namespace kinglet::ops
