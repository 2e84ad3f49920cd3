// Col2Im (ONNX 18): the sum of blocks [N, C * block elements, L], each added where it lies in the image.

#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

/// The block's shape is an input, so `kernel` is not known before infer() and run().
Spatial parse(const NodeView& n) { return parse_spatial(n); }

Spatial with_block(const Spatial& op, std::span<const int64_t> block) {
  return with_kernel(op, block.size(), block);
}

void infer(const Spatial& op, InferContext& c) {
  check_type(c.dtype(0), kNumbers | kBools);
  const SymShape& x = c.shape(0);
  c.require(!x.has_rank() || x.rank() == 3, "expected [N, C * block, L], got {}", x);
  c.in(1);
  c.in(2);
  require_non_negative(c, 1);
  const auto image = known_dims(c, 1);
  const auto block = known_ints(c, 2);
  if (!image) return c.out(0, c.dtype(0), {});
  std::vector<Dim> out = {x.has_rank() ? x[0] : Dim(), Dim()};
  out.insert(out.end(), image->begin(), image->end());
  if (block) {
    const Spatial s = with_block(op, *block);
    c.require(block->size() == image->size(), "a block of {} dims for an image of {}", block->size(),
              image->size());
    int64_t elements = 1;
    Dim blocks = 1;
    for (size_t i = 0; i < block->size(); ++i) {
      elements = multiply(elements, (*block)[i]);
      blocks = blocks.known() && (*image)[i].known()
                   ? multiply(blocks.value(), output_size(s, i, (*image)[i].value()))
                   : Dim();
    }
    if (x.has_rank() && x[1].known()) {
      c.require(x[1].value() % elements == 0, "{} rows do not make blocks of {}", x[1].value(), elements);
      out[1] = x[1].value() / elements;
    }
    if (x.has_rank()) unify(blocks, x[2]);
  }
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

/// Sums in A: float64, or 64-bit integers that wrap.
template <class A>
void run_as(const Spatial& s, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const size_t rank = s.kernel.size(), blocks = static_cast<size_t>(x.dim(2));
  const Shape kernel(s.kernel);
  Shape grid;
  std::array<int64_t, kMaxRank> none{}, begins{};
  for (size_t i = 0; i < rank; ++i) {
    grid.push_back(output_size(s, i, y.dim(i + 2)));
    begins[i] = pads_of(s, i, y.dim(i + 2)).begin;
  }
  const size_t taps = kernel.count(), pixels = y.shape().count(2, y.rank());
  const auto strides = strides_of(y.shape());
  A* sums = c.scratch<A>(y.count());
  std::fill_n(sums, y.count(), A{0});
  A* row = c.scratch<A>(blocks);
  const size_t rows = x.count() / std::max<size_t>(1, blocks);
  Odometer tap(kernel.dims(), std::span(none).first(rank));
  for (size_t r = 0; r < rows && blocks != 0; ++r, tap.next()) {
    convert(x.dtype(), element(x, r * blocks), dtype_of<A>, row, blocks);
    A* plane = sums + r / taps * pixels;
    Odometer block(grid.dims(), std::span(none).first(rank));
    for (size_t b = 0; b < blocks; ++b, block.next()) {
      int64_t offset = 0;
      bool inside = true;
      for (size_t i = 0; i < rank; ++i) {
        const int64_t at = block.index()[i] * s.stride(i) + tap.index()[i] * s.dilation(i) - begins[i];
        inside = inside && at >= 0 && at < y.dim(i + 2);
        offset += at * strides[i + 2];
      }
      if (inside) plane[offset] += row[b];
    }
  }
  convert(dtype_of<A>, sums, y.dtype(), y.raw(), y.count());
}

void run(const Spatial& op, RunContext& c) {
  const std::vector<int64_t> block = to_int64s(c.in(2));
  const Spatial s = with_block(op, block);
  if (c.out(0).count() == 0) return;
  if (is_float(c.in(0).dtype())) return run_as<double>(s, c);
  run_as<uint64_t>(s, c);
}

}  // namespace

KINGLET_OP(Col2Im, op<Spatial, parse, infer, run>(since(18)));

}  // namespace kinglet::ops
