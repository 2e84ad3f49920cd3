// MaxPool, AveragePool (ONNX 1 to 22), and com.microsoft NhwcMaxPool.
// f32 runs on the channels-last kernels; other types and MaxPool's Indices through plain loops over [N, C, ...].

#include <algorithm>
#include <limits>

#include "kernels/max_pool_i8.hpp"
#include "kernels/pooling.hpp"
#include "kernels/transpose.hpp"
#include "ops/spatial.hpp"
#include "ops/in_f32.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

struct Pool {
  Spatial spatial;
  bool is_max = false;
  bool count_include_pad = false;
  bool column_major = false;  // storage_order of MaxPool's Indices
};

Pool parse(const NodeView& n) {
  Pool op;
  op.spatial = parse_spatial(n);
  op.is_max = n.op_type().ends_with("MaxPool");
  if (n.op_type() == "NhwcMaxPool") op.spatial.channels_last = true;
  op.count_include_pad = n.attr_int("count_include_pad", 0) != 0;
  op.column_major = n.attr_int("storage_order", 0) != 0;
  if (op.spatial.kernel.empty()) throw_error(ErrorCode::kModel, "attribute 'kernel_shape' is missing");
  return op;
}

void infer(const Pool& op, InferContext& c) {
  if (!op.is_max && c.outputs() > 1) throw_error(ErrorCode::kModel, "has {} outputs, expected 1", c.outputs());
  const SymShape& x = c.shape(0);
  if (!x.has_rank()) {
    c.out(0, c.dtype(0), SymShape::of_rank(op.spatial.kernel.size() + 2));
    return c.out(1, DType::kInt64, {});
  }
  ImageDims image = split_image(x, op.spatial.channels_last);
  const Spatial s = with_kernel(op.spatial, image.size.size(), {});
  for (size_t i = 0; i < image.size.size(); ++i) {
    image.size[i] = image.size[i].known() ? Dim(output_size(s, i, image.size[i].value())) : Dim();
  }
  const SymShape out = join_image(image, op.spatial.channels_last);
  c.out(0, c.dtype(0), out);
  c.out(1, DType::kInt64, out);
}

kernels::PoolShape shape_of(const Pool& op, const Image& x) {
  kernels::PoolShape shape;
  shape.rank = x.rank;
  shape.batch = x.batch;
  shape.channels = x.channels;
  const Spatial s = with_kernel(op.spatial, x.rank, {});
  for (size_t i = 0; i < x.rank; ++i) {
    const auto in = static_cast<int64_t>(x.size[i]);
    const Pads pads = pads_of(s, i, in);
    shape.in[i] = x.size[i];
    shape.out[i] = static_cast<size_t>(output_size(s, i, in));
    shape.kernel[i] = static_cast<size_t>(s.kernel[i]);
    shape.stride[i] = static_cast<size_t>(s.stride(i));
    shape.dilation[i] = static_cast<size_t>(s.dilation(i));
    shape.pad_begin[i] = static_cast<ptrdiff_t>(pads.begin);
    shape.pad_end[i] = static_cast<ptrdiff_t>(pads.end);
  }
  return shape;
}

/// x and y are channels-last.
void run_f32(const Pool& op, const Image& image, const float* x, float* y) {
  const auto stride = static_cast<ptrdiff_t>(image.channels);
  const kernels::PoolShape shape = shape_of(op, image);
  const size_t lines = kernels::output_lines(shape);
  size_t line = shape.out[shape.rank - 1] * shape.channels;
  for (size_t i = 0; i < shape.rank; ++i) line *= shape.kernel[i];
  parallel(lines, worth_a_thread(4 * line), [&](size_t begin, size_t end, size_t) {
    if (op.is_max) {
      kernels::max_pool(shape, x, stride, y, stride, begin, end);
    } else {
      kernels::average_pool(shape, op.count_include_pad, x, stride, y, stride, begin, end);
    }
  });
}

/// Plain loops over planes of [N, C, ...]; `indices` (may be null) receives where each maximum was.
template <class T>
void run_plain(const Pool& op, const kernels::PoolShape& s, const T* x, T* y, int64_t* indices) {
  const size_t in_pixels = s.in[0] * s.in[1] * s.in[2], out_pixels = s.out[0] * s.out[1] * s.out[2];
  const size_t taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
  for (size_t plane = 0; plane < s.batch * s.channels; ++plane, x += in_pixels) {
    for (size_t p = 0; p < out_pixels; ++p) {
      const size_t at[3] = {p / (s.out[1] * s.out[2]), p / s.out[2] % s.out[1], p % s.out[2]};
      T best = std::numeric_limits<T>::has_infinity ? static_cast<T>(-std::numeric_limits<T>::infinity()) : std::numeric_limits<T>::lowest();
      int64_t best_index = -1;
      double sum = 0;
      size_t counted = 0;
      for (size_t t = 0; t < taps; ++t) {
        const size_t tap[3] = {t / (s.kernel[1] * s.kernel[2]), t / s.kernel[2] % s.kernel[1], t % s.kernel[2]};
        ptrdiff_t pos[3];
        bool inside = true, padded = true;
        for (size_t i = 0; i < 3; ++i) {
          pos[i] = static_cast<ptrdiff_t>(at[i] * s.stride[i] + tap[i] * s.dilation[i]) - s.pad_begin[i];
          inside = inside && pos[i] >= 0 && pos[i] < static_cast<ptrdiff_t>(s.in[i]);
          padded = padded && pos[i] < static_cast<ptrdiff_t>(s.in[i]) + s.pad_end[i];
        }
        if (inside || (op.count_include_pad && padded)) ++counted;
        if (!inside) continue;
        const auto flat = (static_cast<size_t>(pos[0]) * s.in[1] + static_cast<size_t>(pos[1])) * s.in[2] + static_cast<size_t>(pos[2]);
        const T v = x[flat];
        sum += static_cast<double>(v);
        if (best_index >= 0 && !(v > best)) continue;
        best = v;
        best_index = static_cast<int64_t>(plane * in_pixels);
        if (!op.column_major) {
          best_index += static_cast<int64_t>(flat);
        } else {
          size_t column_flat = 0;  // the first spatial dim runs fastest; dims past the rank are 1
          for (size_t i = s.rank; i-- > 0;) column_flat = column_flat * s.in[i] + static_cast<size_t>(pos[i]);
          best_index += static_cast<int64_t>(column_flat);
        }
      }
      *y++ = op.is_max ? best : static_cast<T>(static_cast<float>(counted == 0 ? 0.0 : sum / static_cast<double>(counted)));
      if (indices != nullptr) *indices++ = best_index;
    }
  }
}

/// MaxPool of bytes.
void run_codes(const Pool& op, RunContext& c, const Image& image) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const kernels::PoolShape shape = shape_of(op, image);
  const bool is_signed = x.dtype() == DType::kInt8;
  if (op.spatial.channels_last) return kernels::max_pool_i8(shape, {x.raw(), is_signed}, y.raw());
  std::byte* x_last = c.scratch<std::byte>(x.count());
  std::byte* y_last = c.scratch<std::byte>(y.count());
  kernels::transpose_matrices(x.raw(), x_last, 1, image.batch, image.channels, image.pixels);
  kernels::max_pool_i8(shape, {x_last, is_signed}, y_last);
  kernels::transpose_matrices(y_last, y.raw(), 1, image.batch, y.shape().count(2, y.rank()), image.channels);
}

void run(const Pool& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const Image image = image_of(x.shape(), op.spatial.channels_last);
  int64_t* indices = op.is_max && c.wants(1) ? c.out(1).data<int64_t>() : nullptr;
  if (y.count() == 0) return;
  const bool is_byte = x.dtype() == DType::kInt8 || x.dtype() == DType::kUint8;
  if (is_byte && op.is_max && indices == nullptr) return run_codes(op, c, image);
  if (op.spatial.channels_last && x.dtype() != DType::kFloat64 && indices == nullptr) {
    const float* const from = as_f32(c, x);
    F32Output out(c, y);
    run_f32(op, image, from, out.data());
    return out.store();
  }
  if (x.dtype() == DType::kFloat32 && indices == nullptr) {
    float* x_last = c.scratch<float>(x.count());
    float* y_last = c.scratch<float>(y.count());
    const size_t out_pixels = y.shape().count(2, y.rank());
    kernels::transpose_matrices(x.raw(), x_last, sizeof(float), image.batch, image.channels, image.pixels);
    run_f32(op, image, x_last, y_last);
    return kernels::transpose_matrices(y_last, y.raw(), sizeof(float), image.batch, out_pixels, image.channels);
  }
  c.require(!op.spatial.channels_last, "channels-last pooling is without Indices and not of float64");
  dispatch(x.dtype(), TypeList<float, double, Float16, BFloat16, int8_t, uint8_t>{}, [&]<class T>() {
    run_plain<T>(op, shape_of(op, image), x.data<T>(), y.data<T>(), indices);
  });
}

constexpr OpDef kNhwcPool = op<Pool, parse, infer, run>(since(1));
constexpr OpDef kPool = kNhwcPool.with_traits(kChannelsLast);

}  // namespace

KINGLET_OP(MaxPool, kPool);
KINGLET_OP_IN(com_microsoft, "com.microsoft", NhwcMaxPool, kNhwcPool);
KINGLET_OP(AveragePool, kPool);

}  // namespace kinglet::ops
