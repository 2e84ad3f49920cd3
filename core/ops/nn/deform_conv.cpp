// DeformConv (ONNX 19, 22): a convolution whose taps are moved by learned offsets and weighted by a mask.
// Between pixels the input is interpolated linearly, outside of it it is 0.

#include <cmath>

#include "kernels/gemm.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct DeformConv {
  Spatial spatial;
  int64_t groups, offset_groups;
};

/// Output pixels that are sampled before their products are summed.
constexpr size_t kPixels = 128;

DeformConv parse(const NodeView& n) {
  const DeformConv op{parse_spatial(n), n.attr_int("group", 1), n.attr_int("offset_group", 1)};
  if (op.groups < 1 || op.offset_groups < 1) {
    throw_error(ErrorCode::kModel, "{} groups and {} groups of offsets", op.groups, op.offset_groups);
  }
  return op;
}

std::vector<int64_t> kernel_of(const Shape& weights) { return {weights.begin() + 2, weights.end()}; }

void infer(const DeformConv& op, InferContext& c) {
  const DType type = common_type(c, 0, c.inputs(), kFloats);
  const SymShape &x = c.shape(0), &w = c.shape(1);
  if (!x.has_rank()) return c.out(0, type, {});
  ImageDims image = split_image(x, false);
  image.channels = w.has_rank() && w.rank() != 0 ? w[0] : Dim();
  if (w.is_concrete()) {
    c.require(w.rank() == x.rank(), "weights {} for an input {}", w, x);
    const Spatial s = with_kernel(op.spatial, image.size.size(), kernel_of(w.concrete()));
    for (size_t i = 0; i < image.size.size(); ++i) {
      image.size[i] = image.size[i].known() ? Dim(output_size(s, i, image.size[i].value())) : Dim();
    }
  } else {
    image.size.assign(image.size.size(), Dim());
  }
  c.out(0, type, join_image(image, false));
}

struct Sizes {
  Image in;
  Spatial s;
  kernels::SpatialSizes out = {1, 1, 1}, kernel = {1, 1, 1};
  size_t rank = 0, taps = 1, out_pixels = 1, out_channels = 0, groups = 0, offset_groups = 0;
};

Sizes check(const DeformConv& op, const RunContext& c, const Shape& y) {
  const Shape &x = c.in(0).shape(), &w = c.in(1).shape(), &offset = c.in(2).shape();
  Sizes z;
  z.in = image_of(x, false);
  z.rank = z.in.rank;
  z.s = with_kernel(op.spatial, z.rank, kernel_of(w));
  z.groups = static_cast<size_t>(op.groups);
  z.offset_groups = static_cast<size_t>(op.offset_groups);
  z.out_channels = static_cast<size_t>(w[0]);
  Shape offsets{x[0], 0}, masks{x[0], 0};
  for (size_t i = 0; i < z.rank; ++i) {
    z.kernel[i] = static_cast<size_t>(z.s.kernel[i]);
    z.out[i] = static_cast<size_t>(y[i + 2]);
    z.taps *= z.kernel[i];
    z.out_pixels *= z.out[i];
    offsets.push_back(y[i + 2]);
    masks.push_back(y[i + 2]);
  }
  c.require(x[1] % op.groups == 0 && x[1] / op.groups == w[1] && w[0] % op.groups == 0 &&
                op.offset_groups <= std::max<int64_t>(x[1], 1) && x[1] % op.offset_groups == 0,
            "weights {} in {} groups and {} groups of offsets do not fit an input {}", w, op.groups,
            op.offset_groups, x);
  masks[1] = static_cast<int64_t>(z.offset_groups * z.taps);
  offsets[1] = masks[1] * static_cast<int64_t>(z.rank);
  c.require(offset == offsets, "expected offsets {}, got {}", offsets, offset);
  c.require(!c.has(3) || c.in(3).count() == z.out_channels, "expected {} biases, got {}", z.out_channels,
            c.has(3) ? c.in(3).shape() : Shape());
  c.require(!c.has(4) || c.in(4).shape() == masks, "expected a mask {}, got {}", masks,
            c.has(4) ? c.in(4).shape() : Shape());
  return z;
}

/// Corners around a sampling point that lie inside the image, and what each weighs.
template <class T>
struct Corners {
  size_t count = 0;
  std::array<size_t, 8> at;
  std::array<T, 8> weight;

  Corners(const Sizes& z, const T* point) {
    int64_t low[3];
    T part[3];
    for (size_t i = 0; i < z.rank; ++i) {
      // Also false for NaN: nothing there.
      if (!(point[i] > -1 && point[i] < static_cast<T>(z.in.size[i]))) return;
      const T floor = std::floor(point[i]);
      low[i] = static_cast<int64_t>(floor);
      part[i] = point[i] - floor;
    }
    for (size_t corner = 0; corner < size_t{1} << z.rank; ++corner) {
      size_t offset = 0;
      T w = 1;
      bool inside = true;
      for (size_t i = 0; i < z.rank; ++i) {
        const int64_t high = corner >> i & 1, position = low[i] + high;
        inside = inside && position >= 0 && position < static_cast<int64_t>(z.in.size[i]);
        offset = offset * z.in.size[i] + static_cast<size_t>(position);
        w *= high != 0 ? part[i] : 1 - part[i];
      }
      if (!inside || w == 0) continue;
      at[count] = offset;
      weight[count++] = w;
    }
  }
};

/// rows[(channel * taps + tap) * kPixels + p] = the sample of a channel in [0, in.channels) for output pixel
/// first + p.
template <class T>
void sample(const Sizes& z, const T* x, const T* offsets, const T* mask, size_t first, size_t n, T* rows) {
  const size_t per_group = z.in.channels / z.offset_groups;
  for (size_t g = 0; g < z.offset_groups; ++g) {
    for (size_t tap = 0; tap < z.taps; ++tap) {
      const size_t row = g * z.taps + tap;
      for (size_t p = 0; p < n; ++p) {
        T point[3];
        for (size_t i = z.rank, rest = first + p, rest_tap = tap; i-- > 0;
             rest /= z.out[i], rest_tap /= z.kernel[i]) {
          const auto out = static_cast<int64_t>(rest % z.out[i]),
                     k = static_cast<int64_t>(rest_tap % z.kernel[i]);
          const int64_t base = out * z.s.stride(i) + k * z.s.dilation(i) -
                               pads_of(z.s, i, static_cast<int64_t>(z.in.size[i])).begin;
          point[i] = static_cast<T>(base) + offsets[(row * z.rank + i) * z.out_pixels + first + p];
        }
        const Corners<T> corners(z, point);
        const T factor = mask == nullptr ? T{1} : mask[row * z.out_pixels + first + p];
        for (size_t c = 0; c < per_group; ++c) {
          const size_t channel = g * per_group + c;
          const T* plane = x + channel * z.in.pixels;
          T sum = 0;
          for (size_t k = 0; k < corners.count; ++k) sum += plane[corners.at[k]] * corners.weight[k];
          rows[(channel * z.taps + tap) * kPixels + p] = sum * factor;
        }
      }
    }
  }
}

/// y[m, n] = w[m, k] * rows[k, n] + bias; rows lie kPixels apart, those of y out_pixels.
void multiply(const Sizes& z, size_t m, size_t n, size_t k, const float* w, const float* rows, float* packed,
              const float* bias, float* y) {
  const auto stride = static_cast<ptrdiff_t>(z.out_pixels);
  kernels::pack_b(packed, k, n, rows, kPixels, 1);
  kernels::gemm(m, n, k, w, static_cast<ptrdiff_t>(k), packed, y, stride);
  for (size_t i = 0; bias != nullptr && i < m; ++i) {
    for (size_t j = 0; j < n; ++j) y[i * z.out_pixels + j] += bias[i];
  }
}

void multiply(const Sizes& z, size_t m, size_t n, size_t k, const double* w, const double* rows, double*,
              const double* bias, double* y) {
  for (size_t i = 0; i < m; ++i) {
    double* out = y + i * z.out_pixels;
    std::fill_n(out, n, bias == nullptr ? 0.0 : bias[i]);
    for (size_t l = 0; l < k; ++l) {
      for (size_t j = 0; j < n; ++j) out[j] += w[i * k + l] * rows[l * kPixels + j];
    }
  }
}

template <class T>
struct Operands {
  const T *x, *w, *offsets, *bias, *mask;
  T* y;
};

template <class T>
void run_as(RunContext& c, const Sizes& z, Operands<T> t) {
  const size_t group_in = z.in.channels / z.groups, group_out = z.out_channels / z.groups,
               k = group_in * z.taps;
  T* rows = c.scratch<T>(z.in.channels * z.taps * kPixels);
  T* packed = c.scratch<T>(kernels::packed_b_size(k, kPixels));
  for (size_t b = 0; b < z.in.batch; ++b) {
    for (size_t first = 0; first < z.out_pixels; first += kPixels) {
      const size_t n = std::min(kPixels, z.out_pixels - first);
      sample(z, t.x, t.offsets, t.mask, first, n, rows);
      for (size_t g = 0; g < z.groups; ++g) {
        const size_t m = g * group_out;
        multiply(z, group_out, n, k, t.w + m * k, rows + g * k * kPixels, packed,
                 t.bias == nullptr ? nullptr : t.bias + m, t.y + m * z.out_pixels + first);
      }
    }
    t.x += z.in.channels * z.in.pixels;
    t.y += z.out_channels * z.out_pixels;
    t.offsets += z.offset_groups * z.taps * z.rank * z.out_pixels;
    if (t.mask != nullptr) t.mask += z.offset_groups * z.taps * z.out_pixels;
  }
}

void run(const DeformConv& op, RunContext& c) {
  Tensor& y = c.out(0);
  const Sizes z = check(op, c, y.shape());
  if (y.count() == 0) return;
  if (y.dtype() == DType::kFloat64) {
    const auto data = [&](size_t i) { return c.has(i) ? c.in(i).data<double>() : nullptr; };
    return run_as<double>(c, z, {data(0), data(1), data(2), data(3), data(4), y.data<double>()});
  }
  const auto data = [&](size_t i) { return c.has(i) ? as_f32(c, c.in(i)) : nullptr; };
  F32Output out(c, y);
  run_as<float>(c, z, {data(0), data(1), data(2), data(3), data(4), out.data()});
  out.store();
}

}  // namespace

KINGLET_OP(DeformConv, op<DeformConv, parse, infer, run>(since(19)));

}  // namespace kinglet::ops
