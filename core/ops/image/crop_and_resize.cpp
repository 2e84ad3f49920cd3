// CropAndResize of com.microsoft: boxes [y1, x1, y2, x2] of images [N, C, H, W], in shares of their last row and column,
// sampled to one size; what lies outside takes a given value.

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kX, kBoxes, kImages, kSize };

struct CropAndResize {
  bool nearest;
  float outside;
};

CropAndResize parse(const NodeView& n) {
  const std::string mode = n.attr_string("mode", "bilinear");
  if (mode != "bilinear" && mode != "nearest") throw_error(ErrorCode::kModel, "attribute '{}' is '{}'", "mode", mode);
  return {mode == "nearest", n.attr_float("extrapolation_value", 0)};
}

void infer(const CropAndResize&, InferContext& c) {
  const TypeSet floats = kFloats & ~type_set(DType::kFloat64);
  check_type(c.dtype(kX), floats);
  check_type(c.dtype(kBoxes), floats);
  const SymShape &x = c.shape(kX), &boxes = c.shape(kBoxes), &images = c.shape(kImages);
  c.require(!x.has_rank() || x.rank() == 4, "expected [N, C, H, W], got {}", x);
  c.require(!boxes.has_rank() || boxes.rank() == 2, "expected boxes [n, 4], got {}", boxes);
  c.require(!images.has_rank() || images.rank() == 1, "expected images [n], got {}", images);
  Dim count = boxes.has_rank() ? boxes[0] : Dim();
  if (boxes.has_rank()) unify(boxes[1], 4);
  if (images.has_rank()) count = unify(count, images[0]);
  std::vector<Dim> size(2);
  if (const auto known = known_ints(c, kSize)) {
    c.require(known->size() == 2 && (*known)[0] > 0 && (*known)[1] > 0, "a crop size {}", Shape(*known));
    size = {(*known)[0], (*known)[1]};
  }
  c.out(0, c.dtype(kX), SymShape({count, x.has_rank() ? x[1] : Dim(), size[0], size[1]}));
}

/// Position i of `count` between the shares `from` and `to` of a dim.
float position(float from, float to, int64_t i, int64_t count, int64_t dim) {
  const auto last = static_cast<float>(dim - 1);
  if (count == 1) return 0.5f * (from + to) * last;
  if (i == count - 1) return to * last;
  return from * last + static_cast<float>(i) * ((to - from) * last / static_cast<float>(count - 1));
}

void run(const CropAndResize& op, RunContext& c) {
  const Tensor& x = c.in(kX);
  Tensor& y = c.out(0);
  const float *const pixels = as_f32(c, x), *const boxes = as_f32(c, c.in(kBoxes));
  const Indices images(c.in(kImages));
  const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3), rows = y.dim(2), columns = y.dim(3);
  F32Output out(c, y);
  for (int64_t n = 0; n < y.dim(0); ++n) {
    const float* const box = boxes + 4 * n;
    const auto plane = static_cast<int64_t>(images.in(static_cast<size_t>(n), x.dim(0))) * channels;
    for (int64_t i = 0; i < rows * columns; ++i) {
      const float at_y = position(box[0], box[2], i / columns, rows, height),
                  at_x = position(box[1], box[3], i % columns, columns, width);
      // Written so that NaN is outside.
      const bool inside = at_y >= 0 && at_y <= static_cast<float>(height - 1) && at_x >= 0 && at_x <= static_cast<float>(width - 1);
      float* to = out.data() + n * channels * rows * columns + i;
      for (int64_t ch = 0; ch < channels; ++ch, to += rows * columns) {
        const float* const from = pixels + (plane + ch) * height * width;
        // A float has no room for the last row of very large images.
        const auto pixel = [&](float r, float k) {
          return from[std::min(static_cast<int64_t>(r), height - 1) * width + std::min(static_cast<int64_t>(k), width - 1)];
        };
        if (!inside) {
          *to = op.outside;
        } else if (op.nearest) {
          *to = pixel(std::round(at_y), std::round(at_x));
        } else {
          const float top = std::floor(at_y), left = std::floor(at_x), bottom = std::ceil(at_y), right = std::ceil(at_x);
          const float above = pixel(top, left) + (pixel(top, right) - pixel(top, left)) * (at_x - left);
          const float below = pixel(bottom, left) + (pixel(bottom, right) - pixel(bottom, left)) * (at_x - left);
          *to = above + (below - above) * (at_y - top);
        }
      }
    }
  }
  out.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", CropAndResize, op<CropAndResize, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
