// RoiAlign: average or maximum of bilinear samples in each cell of a grid laid over regions of an image
// (He et al., Mask R-CNN, 2017): [regions, C, output_height, output_width].

#include <algorithm>
#include <cmath>

#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct RoiAlign {
  int64_t height, width, sampling_ratio;
  double scale, shift;
  bool takes_max;
};

/// Samples of a cell along one axis; no sensible region takes more.
constexpr double kMaxSamples = 4096;

RoiAlign parse(const NodeView& n) {
  const std::string mode = n.attr_string("mode", "avg");
  if (mode != "avg" && mode != "max") throw_error(ErrorCode::kModel, "mode '{}' is not known", mode);
  const bool shifts = n.opset() >= 16;
  const std::string coordinates =
      n.attr_string("coordinate_transformation_mode", shifts ? "half_pixel" : "output_half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel") {
    throw_error(ErrorCode::kModel, "coordinate_transformation_mode '{}' is not known", coordinates);
  }
  const RoiAlign op{n.attr_int("output_height", 1),
                    n.attr_int("output_width", 1),
                    n.attr_int("sampling_ratio", 0),
                    static_cast<double>(n.attr_float("spatial_scale", 1)),
                    coordinates == "half_pixel" ? 0.5 : 0.0,
                    mode == "max"};
  if (op.height < 1 || op.width < 1 || op.height > INT32_MAX || op.width > INT32_MAX) {
    throw_error(ErrorCode::kModel, "an output of {} by {}", op.height, op.width);
  }
  return op;
}

void infer(const RoiAlign& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  require_same_types(c, 0, 1);
  const SymShape &in = c.shape(0), &rois = c.shape(1), &batch = c.shape(2);
  SymShape out = SymShape::of_rank(4);
  out[2] = op.height;
  out[3] = op.width;
  if (in.has_rank()) {
    c.require(in.rank() == 4, "needs [N, C, H, W], got {}", in);
    out[1] = in[1];
  }
  if (rois.has_rank()) {
    c.require(rois.rank() == 2, "regions must be [n, 4], got {}", rois);
    unify(rois[1], 4);
    out[0] = rois[0];
  }
  if (batch.has_rank()) {
    c.require(batch.rank() == 1, "batch_indices must be a vector, got {}", batch);
    out[0] = unify(out[0], batch[0]);
  }
  c.out(0, c.dtype(0), std::move(out));
}

/// A sample between two rows (or columns).
struct Sample {
  size_t low, high;
  double low_weight, high_weight;  // both 0 outside of the image
};

/// The samples of all cells along one axis, cell by cell.
std::vector<Sample> samples_of(const RoiAlign& op, double start, double end, int64_t cells, int64_t length,
                               size_t& each) {
  double extent = end - start;
  if (op.shift == 0) extent = std::max(extent, 1.0);
  const double cell = extent / static_cast<double>(cells);
  const double count = op.sampling_ratio > 0 ? static_cast<double>(op.sampling_ratio) : std::ceil(cell);
  if (!(count <= kMaxSamples)) throw_error(ErrorCode::kShape, "a region takes {} samples a cell", count);
  each = count > 0 ? static_cast<size_t>(count) : 0;
  std::vector<Sample> out;
  const auto last = static_cast<double>(length - 1);
  for (int64_t c = 0; c < cells; ++c) {
    for (size_t i = 0; i < each; ++i) {
      double x = start + static_cast<double>(c) * cell + (static_cast<double>(i) + 0.5) * cell / count;
      if (!(x >= -1 && x <= last + 1)) {
        out.push_back({0, 0, 0, 0});
        continue;
      }
      x = std::clamp(x, 0.0, last);
      const auto low = static_cast<size_t>(x);
      const double rest = x - std::floor(x);
      out.push_back({low, std::min(low + 1, static_cast<size_t>(last)), 1 - rest, rest});
    }
  }
  return out;
}

template <class T>
struct Pooling {
  const T* plane;
  size_t width;
  bool takes_max;

  T cell(const Sample* rows, size_t row_count, const Sample* columns, size_t column_count) const {
    double sum = 0, greatest = -INFINITY;
    for (size_t y = 0; y < row_count; ++y) {
      const T *low = plane + rows[y].low * width, *high = plane + rows[y].high * width;
      for (size_t x = 0; x < column_count; ++x) {
        const Sample& s = columns[x];
        const auto weighted = [&](const T* row, double row_weight, size_t column, double weight) {
          return row_weight * weight * static_cast<double>(row[column]);
        };
        const double corners[] = {weighted(low, rows[y].low_weight, s.low, s.low_weight),
                                  weighted(low, rows[y].low_weight, s.high, s.high_weight),
                                  weighted(high, rows[y].high_weight, s.low, s.low_weight),
                                  weighted(high, rows[y].high_weight, s.high, s.high_weight)};
        // The reference takes the greatest of the weighted corners, not of the interpolated samples.
        if (takes_max) greatest = std::max(greatest, *std::max_element(corners, corners + 4));
        sum += corners[0] + corners[1] + corners[2] + corners[3];
      }
    }
    const size_t count = row_count * column_count;
    if (count == 0) return 0;
    return static_cast<T>(takes_max ? greatest : sum / static_cast<double>(count));
  }
};

template <class T>
void run_as(const RoiAlign& op, RunContext& c) {
  const Tensor &in = c.in(0), &rois = c.in(1);
  Tensor& out = c.out(0);
  const auto wide = [&](const Tensor& t) {
    if (t.dtype() == dtype_of<T>) return reinterpret_cast<const T*>(t.raw());
    T* copy = c.scratch<T>(t.count());
    convert(t.dtype(), t.raw(), dtype_of<T>, copy, t.count());
    return static_cast<const T*>(copy);
  };
  const T *image = wide(in), *region = wide(rois);
  const bool direct = out.dtype() == dtype_of<T>;
  T* const result = direct ? reinterpret_cast<T*>(out.raw()) : c.scratch<T>(out.count());
  T* to = result;
  const Indices batch(c.in(2));
  const auto channels = static_cast<size_t>(in.dim(1)), plane = static_cast<size_t>(in.dim(2) * in.dim(3));
  for (size_t r = 0; r < rois.shape().count(0, 1); ++r, region += 4) {
    const T* source = image + batch.in(r, in.dim(0)) * channels * plane;
    const auto at = [&](size_t i) { return static_cast<double>(region[i]) * op.scale - op.shift; };
    size_t columns_each = 0, rows_each = 0;
    const std::vector<Sample> columns = samples_of(op, at(0), at(2), op.width, in.dim(3), columns_each);
    const std::vector<Sample> rows = samples_of(op, at(1), at(3), op.height, in.dim(2), rows_each);
    for (size_t channel = 0; channel < channels; ++channel, source += plane) {
      const Pooling<T> pooling{source, static_cast<size_t>(in.dim(3)), op.takes_max};
      for (size_t y = 0; y < static_cast<size_t>(op.height); ++y) {
        for (size_t x = 0; x < static_cast<size_t>(op.width); ++x) {
          *to++ = pooling.cell(rows.data() + y * rows_each, rows_each, columns.data() + x * columns_each, columns_each);
        }
      }
    }
  }
  if (!direct) convert(dtype_of<T>, result, out.dtype(), out.raw(), out.count());
}

void run(const RoiAlign& op, RunContext& c) {
  c.require(c.in(2).count() == static_cast<size_t>(c.in(1).dim(0)), "{} batch indices for regions {}", c.in(2).count(),
            c.in(1).shape());
  if (c.out(0).count() == 0) return;
  c.require(c.in(0).count() > 0, "an image {} has no pixels", c.in(0).shape());
  if (c.in(0).dtype() == DType::kFloat64) return run_as<double>(op, c);
  run_as<float>(op, c);
}

}  // namespace

KINGLET_OP(RoiAlign, op<RoiAlign, parse, infer, run>(since(10)));

}  // namespace kinglet::ops
