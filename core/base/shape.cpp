#include "base/shape.hpp"

#include <algorithm>

namespace kinglet {
namespace {

constexpr uint64_t kMaxElements = uint64_t{1} << 48;

void check_rank(size_t rank) {
  if (rank > kMaxRank) throw_error(ErrorCode::kShape, "rank {} is above the limit of {}", rank, kMaxRank);
}

Dim broadcast_dim(Dim a, Dim b) {
  if (a.same(b)) return a;
  if (a.known() && a.value() == 1) return b;
  if (b.known() && b.value() == 1) return a;
  if (a.known() && b.known()) {
    throw_error(ErrorCode::kShape, "dims {} and {} do not broadcast", a.value(), b.value());
  }
  if (a.known()) return a;  // the other must be 1 or the same
  if (b.known()) return b;
  return {};
}

}  // namespace

Shape::Shape(std::span<const int64_t> dims) : rank_(dims.size()) {
  check_rank(dims.size());
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

void Shape::push_back(int64_t dim) {
  check_rank(rank_ + 1);
  dims_[rank_++] = dim;
}

size_t Shape::count() const { return count(0, rank_); }

size_t Shape::count(size_t begin, size_t end) const {
  const uint64_t product = elements(begin, end);
  if (product > SIZE_MAX / 16) throw_error(ErrorCode::kShape, "shape {} does not fit the address space", *this);
  return static_cast<size_t>(product);
}

uint64_t Shape::elements(size_t begin, size_t end) const {
  uint64_t product = 1;
  bool empty = false;
  for (size_t i = begin; i < end; ++i) {
    if (dims_[i] < 0) throw_error(ErrorCode::kShape, "shape {} has a negative dim", *this);
    if (dims_[i] == 0) {
      empty = true;
    } else if (product > kMaxElements / static_cast<uint64_t>(dims_[i])) {
      throw_error(ErrorCode::kShape, "shape {} has more than 2^48 elements", *this);
    } else {
      product *= static_cast<uint64_t>(dims_[i]);
    }
  }
  return empty ? 0 : product;
}

void append_text(std::string& out, const Shape& shape) {
  out += '[';
  for (size_t i = 0; i < shape.rank(); ++i) {
    if (i != 0) out += ',';
    append_text(out, shape[i]);
  }
  out += ']';
}

size_t normalize_axis(int64_t axis, size_t rank) {
  const auto r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) throw_error(ErrorCode::kShape, "axis {} is outside of rank {}", axis, rank);
  return static_cast<size_t>(axis < 0 ? axis + r : axis);
}

Shape broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.rank(), b.rank());
  Shape out;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t x = i + a.rank() < rank ? 1 : a[i + a.rank() - rank];
    const int64_t y = i + b.rank() < rank ? 1 : b[i + b.rank() - rank];
    if (x != y && x != 1 && y != 1) throw_error(ErrorCode::kShape, "shapes {} and {} do not broadcast", a, b);
    out.push_back(x == 1 ? y : x);
  }
  return out;
}

SymShape::SymShape(std::vector<Dim> dims) : known_rank_(true), dims_(std::move(dims)) { check_rank(dims_.size()); }

bool SymShape::is_concrete() const {
  return known_rank_ && std::all_of(dims_.begin(), dims_.end(), [](Dim d) { return d.known(); });
}

Shape SymShape::concrete() const {
  Shape out;
  for (const Dim d : dims_) out.push_back(d.value());
  return out;
}

void append_text(std::string& out, const SymShape& shape) {
  if (!shape.has_rank()) return void(out += "[...]");
  out += '[';
  for (size_t i = 0; i < shape.rank(); ++i) {
    if (i != 0) out += ',';
    if (shape[i].known()) {
      append_text(out, shape[i].value());
    } else {
      out += '?';
    }
  }
  out += ']';
}

SymShape broadcast(const SymShape& a, const SymShape& b) {
  if (!a.has_rank() || !b.has_rank()) return {};
  const size_t rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    const Dim x = i + a.rank() < rank ? Dim(1) : a[i + a.rank() - rank];
    const Dim y = i + b.rank() < rank ? Dim(1) : b[i + b.rank() - rank];
    dims[i] = broadcast_dim(x, y);
  }
  return SymShape(std::move(dims));
}

}  // namespace kinglet
