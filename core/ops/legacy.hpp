#pragma once
// What opsets 1 to 6 did in another way, where several operators share it.

#include "ops/op.hpp"

namespace kinglet::ops {

/// The broadcasting of two operands. Since opset 7 it is NumPy's. Before, input 1 took the shape of input 0
/// when the attribute `broadcast` said so: a single element always, else a run of input 0's dims that starts
/// at `axis`, or its last dims where no axis is given.
struct LegacyBroadcast {
  bool legacy = false, enabled = false;
  std::optional<int64_t> axis;

  /// Reads the two attributes when the opset has them.
  static LegacyBroadcast of(const NodeView& n);

  /// Shape of the result; throws kShape when the operands do not fit.
  SymShape infer(const InferContext& c) const;
  /// Input 1 under the shape that NumPy's rules spread over input 0 as is meant.
  Tensor operand(const RunContext& c) const;
};

/// The numbers of a tensor of any numeric type: Split 1 and Tile 1 had lengths and counts of the data's own
/// type. Throws kModel for a tensor without numbers.
std::vector<int64_t> integers_of(const Tensor& t);

}  // namespace kinglet::ops
