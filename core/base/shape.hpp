#pragma once
// Shapes: `Shape` with every dim known, and `SymShape` whose dims may be names ("batch") or unknown.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace kinglet {

/// Tensors of more dims are refused: no model in use comes near, and fixed arrays keep shapes off the heap.
inline constexpr size_t kMaxRank = 16;

/// The dims of a tensor, each >= 0. Rank 0 is a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  size_t rank() const { return rank_; }
  int64_t operator[](size_t i) const { return dims_[i]; }
  int64_t& operator[](size_t i) { return dims_[i]; }
  std::span<const int64_t> dims() const { return {dims_.data(), rank_}; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  int64_t back() const { return dims_[rank_ - 1]; }
  void push_back(int64_t dim);

  /// The product of the dims: 1 for a scalar. Throws kShape when a dim is negative or the product passes 2^48.
  size_t count() const;
  /// The product of dims [begin, end).
  size_t count(size_t begin, size_t end) const;
  /// As count(), but of shapes as well that are too large for this machine's memory.
  uint64_t elements() const { return elements(0, rank_); }

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  uint64_t elements(size_t begin, size_t end) const;

  std::array<int64_t, kMaxRank> dims_{};
  size_t rank_ = 0;
};

void append_text(std::string& out, const Shape& shape);  // [1,3,224,224]

/// Axis in [-rank, rank) to [0, rank); throws kShape otherwise.
size_t normalize_axis(int64_t axis, size_t rank);

/// NumPy broadcasting of two shapes; throws kShape when they do not fit.
Shape broadcast(const Shape& a, const Shape& b);

/// A dim known as a number, known by a name (index into a Graph's symbol table), or unknown.
class Dim {
 public:
  constexpr Dim() = default;
  constexpr Dim(int64_t value) : value_(value < 0 ? kUnknown : value) {}
  static constexpr Dim symbol(size_t index) {
    Dim d;
    d.value_ = kUnknown - 1 - static_cast<int64_t>(index);
    return d;
  }
  constexpr bool known() const { return value_ >= 0; }
  constexpr bool is_symbol() const { return value_ < kUnknown; }
  /// Only when known().
  constexpr int64_t value() const { return value_; }
  constexpr size_t symbol_index() const { return static_cast<size_t>(kUnknown - 1 - value_); }
  /// Certainly the same number: equal and not unknown.
  constexpr bool same(Dim other) const { return value_ == other.value_ && value_ != kUnknown; }

 private:
  static constexpr int64_t kUnknown = -1;
  int64_t value_ = kUnknown;
};

/// A shape during inference: no rank known, or a rank with dims that may be unknown.
class SymShape {
 public:
  SymShape() = default;  // rank unknown
  SymShape(const Shape& shape) : known_rank_(true), dims_(shape.begin(), shape.end()) {}
  explicit SymShape(std::vector<Dim> dims);
  /// `rank` dims, all unknown.
  static SymShape of_rank(size_t rank) { return SymShape(std::vector<Dim>(rank)); }

  bool has_rank() const { return known_rank_; }
  size_t rank() const { return dims_.size(); }
  bool is_concrete() const;
  /// Only when is_concrete().
  Shape concrete() const;
  Dim operator[](size_t i) const { return dims_[i]; }
  Dim& operator[](size_t i) { return dims_[i]; }
  const std::vector<Dim>& dims() const { return dims_; }
  void push_back(Dim d) { dims_.push_back(d); }

 private:
  bool known_rank_ = false;
  std::vector<Dim> dims_;
};

void append_text(std::string& out, const SymShape& shape);

/// NumPy broadcasting of symbolic dims; unknown where it cannot be said. Throws kShape on a certain contradiction.
SymShape broadcast(const SymShape& a, const SymShape& b);

}  // namespace kinglet
