// LpPool (ONNX 1, 2, 11, 18, 22) and GlobalLpPool (1, 2, 22): (sum of |x|^p over a window)^(1/p). Pads count
// as zeros.

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct LpPool {
  Spatial spatial;
  bool global;
  double p;
};

LpPool parse(const NodeView& n) {
  LpPool op{parse_spatial(n), n.op_type() == "GlobalLpPool", 2};
  if (n.has("p"))
    op.p = n.opset() < 2 ? static_cast<double>(n.attr_float("p")) : static_cast<double>(n.attr_int("p"));
  if (!(op.p > 0) || std::isinf(op.p)) throw_error(ErrorCode::kModel, "p = {} is not a norm", op.p);
  if (!op.global && op.spatial.kernel.empty())
    throw_error(ErrorCode::kModel, "attribute 'kernel_shape' is missing");
  return op;
}

/// The pooling of an image whose sizes are known: a global one has a window of the whole image.
Spatial window_of(const LpPool& op, std::span<const Dim> size) {
  Spatial s = op.spatial;
  if (op.global) {
    s = {};
    for (const Dim d : size) s.kernel.push_back(std::max<int64_t>(1, d.value()));
  }
  return with_kernel(s, size.size(), {});
}

void infer(const LpPool& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  const SymShape& x = c.shape(0);
  if (!x.has_rank()) return c.out(0, c.dtype(0), {});
  ImageDims image = split_image(x, false);
  const Spatial s = op.global ? Spatial{} : window_of(op, image.size);
  for (size_t i = 0; i < image.size.size(); ++i) {
    Dim& d = image.size[i];
    d = op.global ? Dim(1) : d.known() ? Dim(output_size(s, i, d.value())) : Dim();
  }
  c.out(0, c.dtype(0), join_image(image, false));
}

/// The taps of one output position along dim i that lie inside the image: input begin + t * dilation, t in
/// [0, count).
struct Taps {
  size_t begin, step, count;
};

Taps taps_of(const Spatial& s, size_t i, int64_t in, int64_t at) {
  const int64_t first = at * s.stride(i) - pads_of(s, i, in).begin, step = s.dilation(i);
  const int64_t skipped = first < 0 ? (-first + step - 1) / step : 0;
  const int64_t end = first >= in ? 0 : std::min(s.kernel[i], (in - 1 - first) / step + 1);
  if (end <= skipped) return {0, 0, 0};
  return {static_cast<size_t>(first + skipped * step), static_cast<size_t>(step),
          static_cast<size_t>(end - skipped)};
}

double power(double x, double p) {
  return p == 2 ? x * x : p == 1 ? std::fabs(x) : std::pow(std::fabs(x), p);
}

void run(const LpPool& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const Image image = image_of(x.shape(), false);
  const SymShape known(x.shape());
  const Spatial s = window_of(op, std::span(known.dims()).subspan(2));
  if (y.count() == 0) return;

  const size_t planes = image.batch * image.channels, pixels = image.pixels, out_pixels = y.count() / planes;
  double* powers = c.scratch<double>(pixels);
  double* sums = c.scratch<double>(out_pixels);
  kernels::SpatialSizes out = {1, 1, 1};
  std::array<std::vector<Taps>, kernels::kMaxSpatialRank> taps;
  for (size_t i = 0; i < taps.size(); ++i) {
    if (i < image.rank) out[i] = static_cast<size_t>(y.dim(i + 2));
    for (size_t o = 0; o < out[i]; ++o) {
      taps[i].push_back(i < image.rank ? taps_of(s, i, x.dim(i + 2), static_cast<int64_t>(o))
                                       : Taps{0, 0, 1});
    }
  }
  for (size_t plane = 0; plane < planes; ++plane) {
    convert(x.dtype(), x.raw() + plane * pixels * dtype_size(x.dtype()), DType::kFloat64, powers, pixels);
    for (size_t i = 0; i < pixels; ++i) powers[i] = power(powers[i], op.p);
    for (size_t o = 0; o < out_pixels; ++o) {
      const Taps &a = taps[0][o / (out[1] * out[2])], &b = taps[1][o / out[2] % out[1]],
                 &d = taps[2][o % out[2]];
      double sum = 0;
      for (size_t i = 0; i < a.count; ++i) {
        for (size_t j = 0; j < b.count; ++j) {
          const double* line =
              powers + ((a.begin + i * a.step) * image.size[1] + b.begin + j * b.step) * image.size[2];
          for (size_t k = 0; k < d.count; ++k) sum += line[d.begin + k * d.step];
        }
      }
      sums[o] = op.p == 2 ? std::sqrt(sum) : op.p == 1 ? sum : std::pow(sum, 1 / op.p);
    }
    convert(DType::kFloat64, sums, y.dtype(), y.raw() + plane * out_pixels * dtype_size(y.dtype()),
            out_pixels);
  }
}

}  // namespace

KINGLET_OP(LpPool, op<LpPool, parse, infer, run>(since(1)));
KINGLET_OP(GlobalLpPool, op<LpPool, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
