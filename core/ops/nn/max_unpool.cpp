// MaxUnpool (ONNX 9, 11, 22): puts each element of a MaxPool's result back where its maximum was, zeros
// elsewhere.

#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

Spatial parse(const NodeView& n) {
  Spatial s = parse_spatial(n);
  if (s.kernel.empty()) throw_error(ErrorCode::kModel, "attribute 'kernel_shape' is missing");
  return s;
}

/// The size that a pooling of these attributes made `in` of, as far as the attributes can tell.
int64_t unpooled_size(const Spatial& s, size_t i, int64_t in) {
  const Pads pads = pads_of(s, i, in);
  const int64_t out = add(multiply(in - 1, s.stride(i)), s.kernel[i] - add(pads.begin, pads.end));
  if (out < 0) throw_error(ErrorCode::kShape, "pads leave {} elements of dim {}", out, i + 2);
  return out;
}

SymShape inferred_shape(const Spatial& op, const SymShape& x) {
  ImageDims image = split_image(x, false);
  const Spatial s = with_kernel(op, image.size.size(), {});
  for (size_t i = 0; i < image.size.size(); ++i) {
    image.size[i] = image.size[i].known() ? Dim(unpooled_size(s, i, image.size[i].value())) : Dim();
  }
  return join_image(image, false);
}

void infer(const Spatial& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  check_type(c.dtype(1), type_set(DType::kInt64));
  const SymShape& x = c.shape(0);
  if (!x.has_rank()) return c.out(0, c.dtype(0), {});
  SymShape out = inferred_shape(op, x);
  if (c.has(2)) {
    require_non_negative(c, 2);
    const auto given = known_dims(c, 2);
    c.require(!given || given->size() == x.rank(), "output_shape has {} dims for rank {}",
              given ? given->size() : 0, x.rank());
    out = given ? SymShape(*given) : SymShape::of_rank(x.rank());
  }
  c.out(0, c.dtype(0), std::move(out));
}

/// Can a pooling over a tensor of this shape have given these indices: does each lie in its own window?
bool are_indices_into(const Shape& unpooled, const Spatial& s, const Tensor& indices) {
  const auto* at = indices.data<int64_t>();
  const auto strides = strides_of(unpooled);
  const auto total = static_cast<int64_t>(unpooled.count());
  std::array<int64_t, kMaxRank> none{};
  Odometer walk(indices.shape().dims(), std::span(none).first(indices.rank()));
  for (size_t i = 0, count = indices.count(); i < count; ++i, walk.next()) {
    if (at[i] < 0 || at[i] >= total) return false;
    int64_t rest = at[i];
    for (size_t d = 0; d < unpooled.rank(); ++d) {
      const int64_t own = walk.index()[d], position = rest / strides[d];
      rest %= strides[d];
      if (d < 2 && position != own) return false;
      if (d < 2) continue;
      const int64_t begin = own * s.stride(d - 2) - pads_of(s, d - 2, indices.dim(d)).begin;
      if (position < begin || position >= begin + s.kernel[d - 2]) return false;
    }
  }
  return true;
}

void run(const Spatial& op, RunContext& c) {
  const Tensor &x = c.in(0), &indices = c.in(1);
  Tensor& y = c.out(0);
  c.require(indices.shape() == x.shape(), "the indices are {}, the input {}", indices.shape(), x.shape());
  const Spatial s = with_kernel(op, x.rank() - 2, {});
  fill_elements(y.dtype(), y.raw(), nullptr, y.count());

  // An output_shape names the tensor that was pooled, but ONNX's own implementation takes the indices as
  // those of the shape that the attributes tell, and puts that one into the corner of the output. The indices
  // say which is meant.
  Shape from = y.shape();
  if (c.has(2) && !are_indices_into(from, s, indices)) from = inferred_shape(op, x.shape()).concrete();
  const auto from_strides = strides_of(from), to_strides = strides_of(y.shape());
  const auto total = static_cast<int64_t>(from.count());
  for (size_t i = 0, count = x.count(); i < count; ++i) {
    int64_t rest = indices.data<int64_t>()[i], offset = 0;
    c.require(rest >= 0 && rest < total, "index {} is outside of [0, {})", rest, total);
    bool inside = true;
    for (size_t d = 0; d < from.rank(); ++d) {
      const int64_t position = rest / from_strides[d];
      rest %= from_strides[d];
      inside = inside && position < y.dim(d);
      offset += position * to_strides[d];
    }
    if (inside) copy_elements(x.dtype(), element(y, static_cast<size_t>(offset)), element(x, i), 1);
  }
}

}  // namespace

KINGLET_OP(MaxUnpool, op<Spatial, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
