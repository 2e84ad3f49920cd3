#pragma once
// Convolutions by the definition, in double precision, over [N, C, spatial...] of one to three spatial dims.

#include <cmath>

#include "ops/support/op_test.hpp"

namespace kinglet::test {

struct ConvOptions {
  std::vector<int64_t> strides = {}, dilations = {}, pads = {}, output_padding = {};
  int64_t group = 1;

  int64_t stride(size_t i) const { return strides.empty() ? 1 : strides[i]; }
  int64_t dilation(size_t i) const { return dilations.empty() ? 1 : dilations[i]; }
  int64_t pad(size_t i) const { return pads.empty() ? 0 : pads[i]; }
};

/// Elements between -1 and 1 that a float16 holds exactly, in no simple order.
inline Tensor numbers(DType dtype, const Shape& shape, int seed) {
  std::vector<double> values(shape.count());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = (static_cast<double>((i * 37 + i / 7 * 11 + static_cast<size_t>(seed) * 13) % 31) - 15) / 16;
  }
  return make(dtype, shape, values);
}

/// Calls f(index) for each multi-index below `dims`.
template <class F>
void for_each_index(const std::vector<int64_t>& dims, F&& f) {
  std::vector<int64_t> at(dims.size(), 0);
  for (const int64_t d : dims) {
    if (d == 0) return;
  }
  while (true) {
    f(at);
    size_t i = dims.size();
    while (i-- > 0) {
      if (++at[i] < dims[i]) break;
      at[i] = 0;
      if (i == 0) return;
    }
    if (dims.empty()) return;
  }
}

inline size_t flat_index(const Shape& shape, int64_t n, int64_t c, const std::vector<int64_t>& at) {
  int64_t flat = n * shape[1] + c;
  for (size_t i = 0; i < at.size(); ++i) flat = flat * shape[i + 2] + at[i];
  return static_cast<size_t>(flat);
}

inline std::vector<int64_t> spatial_dims(const Shape& s) { return {s.begin() + 2, s.end()}; }

/// Visits each product of a convolution: f(n, group, small, large, tap), where `large` = small * stride + tap
/// * dilation - pad lies inside `large_dims`.
template <class F>
void for_each_tap(const std::vector<int64_t>& small_dims, const std::vector<int64_t>& large_dims,
                  const std::vector<int64_t>& kernel, const ConvOptions& o, F&& f) {
  for_each_index(small_dims, [&](const std::vector<int64_t>& small) {
    for_each_index(kernel, [&](const std::vector<int64_t>& tap) {
      std::vector<int64_t> large(small.size());
      for (size_t i = 0; i < large.size(); ++i) {
        large[i] = small[i] * o.stride(i) + tap[i] * o.dilation(i) - o.pad(i);
        if (large[i] < 0 || large[i] >= large_dims[i]) return;
      }
      f(small, large, tap);
    });
  });
}

inline Tensor conv_reference(const std::vector<Tensor>& in, const ConvOptions& o) {
  const Shape &xs = in[0].shape(), &ws = in[1].shape();
  Shape ys{xs[0], ws[0]};
  const size_t rank = xs.rank() - 2;
  for (size_t i = 0; i < rank; ++i) {
    ys.push_back((xs[i + 2] + o.pad(i) + o.pad(i + (o.pads.empty() ? 0 : rank)) -
                  (ws[i + 2] - 1) * o.dilation(i) - 1) /
                     o.stride(i) +
                 1);
  }
  const std::vector<double> x = to_doubles(in[0]), w = to_doubles(in[1]);
  std::vector<double> y(ys.count(), 0);
  const int64_t group_in = ws[1], group_out = ws[0] / o.group;
  for (int64_t n = 0; n < xs[0]; ++n) {
    for (int64_t m = 0; m < ws[0]; ++m) {
      for_each_tap(spatial_dims(ys), spatial_dims(xs), spatial_dims(ws), o,
                   [&](const auto& out, const auto& at, const auto& tap) {
                     for (int64_t c = 0; c < group_in; ++c) {
                       y[flat_index(ys, n, m, out)] +=
                           x[flat_index(xs, n, m / group_out * group_in + c, at)] *
                           w[flat_index(ws, m, c, tap)];
                     }
                   });
    }
  }
  if (in.size() > 2) {
    const std::vector<double> b = to_doubles(in[2]);
    const size_t pixels = ys.count(2, ys.rank());
    for (size_t i = 0; i < y.size(); ++i) y[i] += b[i / pixels % b.size()];
  }
  return make(in[0].dtype(), ys, y);
}

inline Tensor conv_transpose_reference(const std::vector<Tensor>& in, const ConvOptions& o) {
  const Shape &xs = in[0].shape(), &ws = in[1].shape();
  const int64_t group_out = ws[1], group_in = ws[0] / o.group;
  Shape ys{xs[0], group_out * o.group};
  const size_t rank = xs.rank() - 2;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extra = o.output_padding.empty() ? 0 : o.output_padding[i];
    ys.push_back((xs[i + 2] - 1) * o.stride(i) + (ws[i + 2] - 1) * o.dilation(i) + 1 + extra - o.pad(i) -
                 o.pad(i + (o.pads.empty() ? 0 : rank)));
  }
  const std::vector<double> x = to_doubles(in[0]), w = to_doubles(in[1]);
  std::vector<double> y(ys.count(), 0);
  for (int64_t n = 0; n < xs[0]; ++n) {
    for (int64_t c = 0; c < ws[0]; ++c) {
      for_each_tap(spatial_dims(xs), spatial_dims(ys), spatial_dims(ws), o,
                   [&](const auto& at, const auto& out, const auto& tap) {
                     for (int64_t m = 0; m < group_out; ++m) {
                       y[flat_index(ys, n, c / group_in * group_out + m, out)] +=
                           x[flat_index(xs, n, c, at)] * w[flat_index(ws, c, m, tap)];
                     }
                   });
    }
  }
  if (in.size() > 2) {
    const std::vector<double> b = to_doubles(in[2]);
    const size_t pixels = ys.count(2, ys.rank());
    for (size_t i = 0; i < y.size(); ++i) y[i] += b[i / pixels % b.size()];
  }
  return make(in[0].dtype(), ys, y);
}

}  // namespace kinglet::test
