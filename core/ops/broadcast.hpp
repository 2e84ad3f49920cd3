#pragma once
// NumPy broadcasting at run time: walks an output with its operands in runs that are as long as can be.
//
//   for (Broadcast b(y.shape(), {&p.shape(), &q.shape()}); b.more(); b.next()) {
//     loop(p + b.offset[0], q + b.offset[1], y + b.out_offset, b.run, b.step[0], b.step[1]);
//   }

#include <array>
#include <initializer_list>

#include "base/shape.hpp"

namespace kinglet::ops {

class Broadcast {
 public:
  static constexpr size_t kMaxOperands = 3;
  using PerOperand = std::array<size_t, kMaxOperands>;

  /// Every operand broadcasts to `out`: the caller has checked that.
  Broadcast(const Shape& out, std::initializer_list<const Shape*> operands);

  /// Dims that neighbours could not be merged into; 0 for a single element.
  size_t rank() const { return rank_; }
  /// Dim `level` counted from the innermost, and the operands' strides along it in elements.
  size_t dim(size_t level) const { return dims_[level]; }
  const PerOperand& stride(size_t level) const { return strides_[level]; }

  /// Takes the two innermost dims as one run of `dim(1)` rows of `dim(0)` elements; before the first next().
  void walk_matrices() { first_level_ = 2; }
  bool more() const { return more_; }
  void next();

  size_t run = 1;          ///< elements of a run: dim(0)
  PerOperand step = {};    ///< 0 or 1: elements an operand advances within a run
  PerOperand offset = {};  ///< where the current run starts, in elements
  size_t out_offset = 0;

 private:
  size_t rank_ = 0;
  size_t operands_ = 0;
  size_t first_level_ = 1;
  bool more_ = true;
  std::array<size_t, kMaxRank> dims_{};
  std::array<PerOperand, kMaxRank> strides_{};
  std::array<size_t, kMaxRank> index_{};
};

}  // namespace kinglet::ops
