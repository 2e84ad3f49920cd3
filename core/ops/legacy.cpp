#include "ops/legacy.hpp"

#include "ops/convert.hpp"

namespace kinglet::ops {
namespace {

/// Dims of 1 that input 1, of this rank and count, needs behind its own to stand at `axis`; none for a single
/// element.
size_t trailing_ones(const LegacyBroadcast& l, size_t rank, size_t own_rank, bool single) {
  if (!l.axis || !l.enabled || single) return 0;
  const size_t first = normalize_axis(*l.axis, rank);
  if (first + own_rank > rank) {
    throw_error(ErrorCode::kShape, "{} dims do not fit rank {} from axis {} on", own_rank, rank, first);
  }
  return rank - first - own_rank;
}

}  // namespace

LegacyBroadcast LegacyBroadcast::of(const NodeView& n) {
  LegacyBroadcast out;
  out.legacy = n.opset() < 7;
  if (!out.legacy) return out;
  out.enabled = n.attr_int("broadcast", 0) != 0;
  if (n.has("axis")) out.axis = n.attr_int("axis");
  return out;
}

SymShape LegacyBroadcast::infer(const InferContext& c) const {
  const SymShape &a = c.shape(0), &b = c.shape(1);
  if (!legacy) return broadcast(a, b);
  if (!a.has_rank()) return {};
  if (!b.has_rank()) return a;
  c.require(enabled || a.rank() == b.rank(), "shapes {} and {} differ, and 'broadcast' is not set", a, b);
  // Whether the operand is a single element decides where it goes.
  if (!b.is_concrete()) return a;
  SymShape aligned = b;
  const bool single = b.concrete().count() == 1;
  for (size_t i = trailing_ones(*this, a.rank(), b.rank(), single); i > 0; --i) aligned.push_back(1);
  const SymShape out = broadcast(a, aligned);
  if (a.is_concrete()) {
    const bool fits = out.concrete() == a.concrete() && (enabled || a.concrete() == b.concrete());
    c.require(fits, "{} does not broadcast to {}", b, a);
  }
  return a;
}

Tensor LegacyBroadcast::operand(const RunContext& c) const {
  const Tensor& b = c.in(1);
  if (!axis) return b;
  Shape shape = b.shape();
  for (size_t i = trailing_ones(*this, c.in(0).rank(), b.rank(), b.count() == 1); i > 0; --i)
    shape.push_back(1);
  return b.reshaped(shape);
}

std::vector<int64_t> integers_of(const Tensor& t) {
  std::vector<int64_t> out(t.count());
  convert(t.dtype(), t.raw(), DType::kInt64, out.data(), out.size());
  return out;
}

}  // namespace kinglet::ops
