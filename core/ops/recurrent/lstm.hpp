#pragma once
// What LSTM and DynamicQuantizeLSTM share.

#include "ops/recurrent/recurrent.hpp"

namespace kinglet::ops {

struct Lstm : Recurrent {
  bool input_forget = false;
};

Lstm parse_lstm(const NodeView& n);

/// One time step (StepFn); `r` is an Lstm.
void lstm_step(const Recurrent& r, const Direction& d, float* gates, const float* h_before, float* h, float* cell,
               float* scratch);

}  // namespace kinglet::ops
