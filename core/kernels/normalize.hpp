#pragma once
// Softmax and normalisations over f32. An output may be the input.

#include <cstddef>

#include "kernels/activation.hpp"

namespace kinglet::kernels {

/// Softmax of each row of x[rows, columns]. A row whose greatest value is -inf gives NaN, as the formula
/// does.
void softmax(const float* x, float* y, size_t rows, size_t columns);
void log_softmax(const float* x, float* y, size_t rows, size_t columns);

/// The same along the middle dimension of x[outer, n, inner].
void softmax_strided(const float* x, float* y, size_t outer, size_t n, size_t inner);
void log_softmax_strided(const float* x, float* y, size_t outer, size_t n, size_t inner);

/// Each row of x[rows, columns]: (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c]; scale and bias
/// may be null. Where not null, mean_out[rows] and inv_std_out[rows] receive the statistics.
void layer_norm(const float* x, float* y, size_t rows, size_t columns, const float* scale, const float* bias,
                float epsilon, float* mean_out = nullptr, float* inv_std_out = nullptr);

/// Each row of x[rows, columns]: x / sqrt(mean(x^2) + epsilon) * scale[c]; scale may be null.
void rms_norm(const float* x, float* y, size_t rows, size_t columns, const float* scale, float epsilon);

/// Mean and population variance of n > 0 values, in two passes.
void mean_variance(const float* x, size_t n, float* mean, float* variance);

/// Mean and population variance of each channel of x[pixels, channels], pixels > 0. Two passes.
void channel_mean_variance(const float* x, size_t pixels, size_t channels, float* mean, float* variance);

/// y[i] = x[i] * scale + shift
void scale_shift(const float* x, float* y, size_t n, float scale, float shift);

/// y[p, c] = activation(x[p, c] * scale[c] + shift[c])
void channel_scale_shift(const float* x, float* y, size_t pixels, size_t channels, const float* scale,
                         const float* shift, Activation activation = {});

/// Sum of n values, accumulated in several lanes; greatest and least of n > 0 values (NaN if any is NaN).
float sum(const float* x, size_t n);
float max(const float* x, size_t n);
float min(const float* x, size_t n);

/// Inner product of n values.
float dot(const float* a, const float* b, size_t n);

}  // namespace kinglet::kernels
