// AffineGrid: where the pixels of an image [N, C, (D,) H, W] come from under the affine maps theta, [N, 2, 3] or
// [N, 3, 4], in coordinates from -1 to 1: [N, (D,) H, W, 2 or 3], x first.

#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct AffineGrid {
  bool align_corners;  // -1 and 1 are the centres of the outermost pixels, else their outer edges
};

AffineGrid parse(const NodeView& n) { return {n.attr_int("align_corners", 0) != 0}; }

void infer(const AffineGrid&, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  c.in(1);
  require_non_negative(c, 1);
  const SymShape& theta = c.shape(0);
  const std::optional<std::vector<Dim>> size = known_dims(c, 1);
  if (!size) return c.out(0, c.dtype(0), {});
  c.require(size->size() == 4 || size->size() == 5, "size must be [N, C, (D,) H, W], got {} numbers", size->size());
  const auto rank = static_cast<int64_t>(size->size()) - 2;
  Dim batch = size->front();
  if (theta.has_rank()) {
    c.require(theta.rank() == 3, "theta must be [N, {}, {}], got {}", rank, rank + 1, theta);
    unify(theta[1], rank);
    unify(theta[2], rank + 1);
    batch = unify(batch, theta[0]);
  }
  std::vector<Dim> out(size->begin() + 2, size->end());
  out.insert(out.begin(), batch);
  out.push_back(rank);
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

/// Coordinate i of n. A single aligned pixel is in the middle.
double coordinate(bool align_corners, int64_t i, int64_t n) {
  const auto at = static_cast<double>(i), count = static_cast<double>(n);
  if (!align_corners) return (2 * at + 1) / count - 1;
  return n == 1 ? 0 : 2 * at / (count - 1) - 1;
}

void run(const AffineGrid& op, RunContext& c) {
  const Tensor& theta = c.in(0);
  Tensor& out = c.out(0);
  if (out.count() == 0) return;
  const size_t rank = out.rank() - 2, size = dtype_size(out.dtype());
  const int64_t depth = rank == 3 ? out.dim(1) : 1, height = out.dim(rank - 1), width = out.dim(rank);
  std::byte* to = out.raw();
  for (int64_t n = 0; n < out.dim(0); ++n) {
    double map[12], point[4], moved[3];
    const size_t elements = rank * (rank + 1);
    convert(theta.dtype(), theta.raw() + static_cast<size_t>(n) * elements * size, DType::kFloat64, map, elements);
    for (int64_t pixel = 0; pixel < depth * height * width; ++pixel, to += rank * size) {
      point[0] = coordinate(op.align_corners, pixel % width, width);
      point[1] = coordinate(op.align_corners, pixel / width % height, height);
      if (rank == 3) point[2] = coordinate(op.align_corners, pixel / width / height, depth);
      point[rank] = 1;
      for (size_t row = 0; row < rank; ++row) {
        moved[row] = 0;
        for (size_t i = 0; i <= rank; ++i) moved[row] += map[row * (rank + 1) + i] * point[i];
      }
      convert(DType::kFloat64, moved, out.dtype(), to, rank);
    }
  }
}

}  // namespace

KINGLET_OP(AffineGrid, op<AffineGrid, parse, infer, run>(since(20)));

}  // namespace kinglet::ops
