#include "ops/shape_inputs.hpp"

namespace kinglet::ops {

std::optional<std::vector<int64_t>> known_ints(const InferContext& c, size_t i) {
  if (!c.has(i)) return std::nullopt;
  if (const Tensor* t = c.constant(i)) {
    c.require(t->rank() <= 1, "input {} must be a scalar or a vector, got {}", i, t->shape());
    return to_int64s(*t);
  }
  const std::optional<std::vector<Dim>> dims = c.dims(i);
  if (!dims) return std::nullopt;
  std::vector<int64_t> out;
  for (const Dim d : *dims) {
    if (!d.known()) return std::nullopt;
    out.push_back(d.value());
  }
  return out;
}

std::optional<std::vector<Dim>> known_dims(const InferContext& c, size_t i) {
  if (!c.has(i)) return std::nullopt;
  if (std::optional<std::vector<Dim>> dims = c.dims(i)) return dims;
  const SymShape& shape = c.shape(i);
  if (!shape.has_rank() || shape.rank() != 1 || !shape[0].known()) return std::nullopt;
  c.require(shape[0].value() <= static_cast<int64_t>(kMaxRank),
            "input {} has {} elements, more than the rank limit", i, shape[0].value());
  return std::vector<Dim>(static_cast<size_t>(shape[0].value()));
}

void require_non_negative(const InferContext& c, size_t i) {
  const std::optional<std::vector<int64_t>> values = known_ints(c, i);
  if (!values) return;
  for (const int64_t value : *values) c.require(value >= 0, "input {} has a negative element: {}", i, value);
}

Flags axis_mask(std::span<const int64_t> axes, size_t rank) {
  Flags mask(rank);
  for (const int64_t axis : axes) {
    const size_t a = normalize_axis(axis, rank);
    if (mask[a]) throw_error(ErrorCode::kShape, "axis {} is given twice", axis);
    mask[a] = true;
  }
  return mask;
}

int64_t multiply(int64_t a, int64_t b) {
  int64_t out;
  if (__builtin_mul_overflow(a, b, &out)) {
    throw_error(ErrorCode::kShape, "a dim of {} times {} does not fit", a, b);
  }
  return out;
}

int64_t add(int64_t a, int64_t b) {
  int64_t out;
  if (__builtin_add_overflow(a, b, &out)) {
    throw_error(ErrorCode::kShape, "a dim of {} plus {} does not fit", a, b);
  }
  return out;
}

Dim product(std::span<const Dim> dims) {
  int64_t known = 1;
  Dim other = 1;
  for (const Dim d : dims) {
    if (d.known()) {
      known = multiply(known, d.value());
    } else if (other.known()) {
      other = d;
    } else {
      other = Dim();
      break;
    }
  }
  if (other.known()) return known;
  return known == 1 ? other : Dim();
}

Dim unify(Dim a, Dim b) {
  if (a.known() && b.known() && a.value() != b.value()) {
    throw_error(ErrorCode::kShape, "dims {} and {} must be the same", a.value(), b.value());
  }
  if (a.known()) return a;
  return b.known() || !a.is_symbol() ? b : a;
}

void require_same_types(const InferContext& c, size_t i, size_t j) {
  const DType a = c.dtype(i), b = c.dtype(j);
  if (a != b && a != DType::kUndefined && b != DType::kUndefined) {
    throw_error(ErrorCode::kModel, "inputs {} and {} have different types: {} and {}", i, j, a, b);
  }
}

std::optional<int64_t> permuted_axis(int64_t axis, std::span<const int64_t> perm) {
  const auto rank = static_cast<int64_t>(perm.size());
  const int64_t wanted = axis < 0 ? axis + rank : axis;
  for (int64_t i = 0; i < rank; ++i) {
    if (perm[static_cast<size_t>(i)] == wanted) return i;
  }
  return std::nullopt;
}

bool permute_layout(Node& node, std::span<const int64_t> perm) {
  const std::vector<int64_t> old = NodeView(node).attr_ints("layout", {});
  std::vector<int64_t> layout(perm.begin(), perm.end());
  if (!old.empty()) {
    if (old.size() != perm.size()) return false;
    for (int64_t& dim : layout) dim = old[static_cast<size_t>(dim)];
  }
  node.set_ints("layout", std::move(layout));
  return true;
}

std::vector<size_t> layout_positions(const std::vector<int64_t>& layout, size_t rank) {
  std::vector<size_t> out(rank);
  for (size_t i = 0; i < rank; ++i) out[i] = i;
  if (layout.empty()) return out;
  if (layout.size() != rank) {
    throw_error(ErrorCode::kModel, "layout has {} dims, the input {}", layout.size(), rank);
  }
  axis_mask(layout, rank);
  for (size_t i = 0; i < rank; ++i) out[normalize_axis(layout[i], rank)] = i;
  return out;
}

}  // namespace kinglet::ops
