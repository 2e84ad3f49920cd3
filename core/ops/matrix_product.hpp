#pragma once
// Shapes of matrix products by NumPy's rules: 1-D operands, and batches that broadcast (ONNX MatMul).

#include <vector>

#include "base/shape.hpp"

namespace kinglet::ops {

/// The shape of A * B; throws kShape when the two do not multiply.
SymShape product_shape(const SymShape& a, const SymShape& b);
/// The same for weights [k, n] whose sizes the node tells.
SymShape product_shape(SymShape a, size_t k, size_t n);

/// A product taken apart: `batches` products [m, k] x [k, n]; matrix i of an operand starts at offsets[i] matrices.
struct MatrixProduct {
  size_t m = 1, k = 1, n = 1;
  std::vector<size_t> a_matrix, b_matrix;  // per batch
  size_t b_matrices = 1;
};

MatrixProduct take_apart(const Shape& a, const Shape& b);

}  // namespace kinglet::ops
