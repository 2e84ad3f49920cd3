// MaxRoiPool (ONNX 1, 22): the greatest element of each cell of a grid laid over a region, as Fast R-CNN has
// it. A cell without a pixel gives 0.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"

namespace kinglet::ops {
namespace {

struct MaxRoiPool {
  int64_t height, width;  ///< of the grid
  float scale;
};

constexpr int64_t kMaxGrid = int64_t{1} << 24;

MaxRoiPool parse(const NodeView& n) {
  const std::vector<int64_t> shape = n.attr_ints("pooled_shape");
  if (shape.size() != 2 || std::min(shape[0], shape[1]) < 1 || std::max(shape[0], shape[1]) > kMaxGrid) {
    throw_error(ErrorCode::kModel, "attribute 'pooled_shape' is no height and width");
  }
  return {shape[0], shape[1], n.attr_float("spatial_scale", 1)};
}

void infer(const MaxRoiPool& op, InferContext& c) {
  const SymShape &x = c.shape(0), &rois = c.shape(1);
  c.require(!x.has_rank() || x.rank() == 4, "expected [N, C, H, W], got {}", x);
  c.require(!rois.has_rank() || (rois.rank() == 2 && (!rois[1].known() || rois[1].value() == 5)),
            "expected regions [count, 5], got {}", rois);
  c.out(0, common_type(c, 0, 2, kFloats),
        SymShape({rois.has_rank() ? rois[0] : Dim(), x.has_rank() ? x[1] : Dim(), op.height, op.width}));
}

/// The pixels of one cell along one dim.
struct Cells {
  int64_t first, length;  ///< of the region, in pixels
  int64_t cells, size;    ///< of the grid and of the image

  /// Corners are rounded halves away from zero and lie within the region.
  Cells(float from, float to, float scale, int64_t cells, int64_t size) : cells(cells), size(size) {
    const auto pixel = [&](float v) {
      const float at = std::round(v * scale);
      RunContext::require(std::fabs(at) < 0x1p30f, "a region's corner is {}", v);
      return static_cast<int64_t>(at);
    };
    first = pixel(from);
    length = std::max<int64_t>(1, pixel(to) - first + 1);
  }
  float step() const { return static_cast<float>(length) / static_cast<float>(cells); }
  int64_t begin(int64_t i) const { return clamped(std::floor(static_cast<float>(i) * step())); }
  int64_t end(int64_t i) const { return clamped(std::ceil(static_cast<float>(i + 1) * step())); }

 private:
  int64_t clamped(float at) const { return std::clamp<int64_t>(first + static_cast<int64_t>(at), 0, size); }
};

template <class T>
void run_as(const MaxRoiPool& op, const Shape& shape, const T* x, const float* roi, const float* end, T* y) {
  const int64_t channels = shape[1], height = shape[2], width = shape[3];
  for (; roi != end; roi += 5) {
    RunContext::require(roi[0] >= 0 && roi[0] < static_cast<float>(shape[0]), "image {} of {}", roi[0],
                        shape[0]);
    const Cells columns(roi[1], roi[3], op.scale, op.width, width),
        rows(roi[2], roi[4], op.scale, op.height, height);
    const T* image = x + static_cast<int64_t>(roi[0]) * channels * height * width;
    for (int64_t ch = 0; ch < channels; ++ch, image += height * width) {
      for (int64_t i = 0; i < op.height; ++i) {
        for (int64_t j = 0; j < op.width; ++j) {
          const int64_t left = columns.begin(j), right = columns.end(j);
          T best{};
          bool any = false;
          for (int64_t row = rows.begin(i); row < rows.end(i) && left < right; ++row) {
            const T greatest = *std::max_element(image + row * width + left, image + row * width + right);
            best = any && !(greatest > best) ? best : greatest;
            any = true;
          }
          *y++ = best;
        }
      }
    }
  }
}

void run(const MaxRoiPool& op, RunContext& c) {
  const Tensor &x = c.in(0), &rois = c.in(1);
  const float *first = as_f32(c, rois), *end = first + rois.count();
  if (x.dtype() == DType::kFloat64) {
    return run_as(op, x.shape(), x.data<double>(), first, end, c.out(0).data<double>());
  }
  F32Output y(c, c.out(0));
  run_as(op, x.shape(), as_f32(c, x), first, end, y.data());
  y.store();
}

}  // namespace

KINGLET_OP(MaxRoiPool, op<MaxRoiPool, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
