// MaxpoolWithMask of com.microsoft: MaxPool of f32 whose windows are read line by line, each line up to where an int32
// mask of one plane is 0. The first pixel of an image of two dims or more always counts.

#include <algorithm>
#include <limits>

#include "ops/elementwise.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct MaxpoolWithMask {
  Spatial spatial;
};

MaxpoolWithMask parse(const NodeView& n) {
  MaxpoolWithMask op{parse_spatial(n)};
  for (const int64_t d : op.spatial.dilations)
    if (d != 1) throw_error(ErrorCode::kModel, "attribute '{}' is not supported", "dilations");
  return op;
}

void infer(const MaxpoolWithMask& op, InferContext& c) {
  check_type(c.dtype(0), type_set(DType::kFloat32));
  check_type(c.dtype(1), type_set(DType::kInt32));
  if (!c.shape(0).has_rank()) return c.out(0, c.dtype(0), SymShape::of_rank(op.spatial.kernel.size() + 2));
  ImageDims image = split_image(c.shape(0), false);
  const Spatial s = with_kernel(op.spatial, image.size.size(), {});
  for (size_t i = 0; i < image.size.size(); ++i)
    image.size[i] = image.size[i].known() ? Dim(output_size(s, i, image.size[i].value())) : Dim();
  c.out(0, c.dtype(0), join_image(image, false));
}

void run(const MaxpoolWithMask& op, RunContext& c) {
  const Tensor &x = c.in(0), &mask = c.in(1);
  Tensor& y = c.out(0);
  const Image image = image_of(x.shape(), false);
  const Spatial s = with_kernel(op.spatial, image.rank, {});
  Shape wanted = x.shape();
  wanted[0] = wanted[1] = 1;
  c.require(mask.shape() == wanted, "expected a mask {}, got {}", wanted, mask.shape());
  // Dims in front make three of fewer.
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, pad[3] = {};
  for (size_t i = 0; i < image.rank; ++i) {
    const size_t at = i + 3 - image.rank;
    in[at] = x.dim(i + 2);
    out[at] = y.dim(i + 2);
    kernel[at] = s.kernel[i];
    stride[at] = s.stride(i);
    pad[at] = pads_of(s, i, in[at]).begin;
  }
  const int32_t* const seen = mask.data<int32_t>();
  const auto pixels = static_cast<size_t>(in[0] * in[1] * in[2]);
  for (size_t i = 0; i < y.count(); ++i) {
    const auto at = static_cast<int64_t>(i % static_cast<size_t>(out[0] * out[1] * out[2]));
    const int64_t place[3] = {at / (out[1] * out[2]), at / out[2] % out[1], at % out[2]};
    int64_t begin[3], end[3];
    for (size_t d = 0; d < 3; ++d) {
      begin[d] = place[d] * stride[d] - pad[d];
      end[d] = std::min(begin[d] + kernel[d], in[d]);
      begin[d] = std::max<int64_t>(0, begin[d]);
    }
    const float* const plane = x.data<float>() + i / static_cast<size_t>(out[0] * out[1] * out[2]) * pixels;
    float highest = std::numeric_limits<float>::lowest();
    for (int64_t a = begin[0]; a < end[0]; ++a) {
      for (int64_t b = begin[1]; b < end[1]; ++b) {
        for (int64_t k = begin[2]; k < end[2]; ++k) {
          const int64_t pixel = (a * in[1] + b) * in[2] + k;
          if (seen[pixel] == 0 && (pixel > 0 || image.rank == 1)) break;
          if (plane[pixel] > highest) highest = plane[pixel];
        }
      }
    }
    y.data<float>()[i] = highest;
  }
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", MaxpoolWithMask, op<MaxpoolWithMask, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
