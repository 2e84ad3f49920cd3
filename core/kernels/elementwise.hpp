#pragma once
// Binary functions over f32, in the shapes that broadcasting comes down to. An output may be either input.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

/// kMin and kMax give NaN when either operand is NaN (numpy.minimum, as ONNX Min and Max).
enum class Binary : uint8_t { kAdd, kSub, kMul, kDiv, kMin, kMax };

/// y[i] = a[i] op b[i]
void binary(Binary op, const float* a, const float* b, float* y, size_t n);

/// y[i] = a[i] op b
void binary_scalar(Binary op, const float* a, float b, float* y, size_t n);

/// y[i] = a op b[i]
void scalar_binary(Binary op, float a, const float* b, float* y, size_t n);

/// y[r, c] = a[r, c] op b[c]
void binary_row(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns);

/// y[r, c] = a[c] op b[r, c]
void row_binary(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns);

/// y[r, c] = a[r, c] op b[r]
void binary_column(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns);

/// y[r, c] = a[r] op b[r, c]
void column_binary(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns);

}  // namespace kinglet::kernels
