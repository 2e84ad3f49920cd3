#pragma once
// The elementwise part of an LSTM's step, in one pass.

#include <cstddef>

namespace kinglet::kernels {

/// Of `n` units: `gates` [4, n] holds the sums of i, o, f and g (the order of ONNX LSTM), `cell` [n] becomes
/// sigmoid(f) * cell + sigmoid(i) * tanh(g), `h` [n] sigmoid(o) * tanh(cell).
void lstm_units(const float* gates, float* cell, float* h, size_t n);

}  // namespace kinglet::kernels
