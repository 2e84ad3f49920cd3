#pragma once
// What RNN, GRU and LSTM share (ONNX): attributes, shapes, gate activations, packed weights, and the walk over time.

#include "ops/op.hpp"
#include "ops/in_f32.hpp"

namespace kinglet::ops {

/// A gate's activation with its parameters (ONNX RNN "activations").
struct GateActivation {
  enum class Kind : uint8_t {
    kSigmoid, kTanh, kRelu, kAffine, kLeakyRelu, kThresholdedRelu, kScaledTanh, kHardSigmoid, kElu, kSoftsign, kSoftplus,
  };
  Kind kind = Kind::kSigmoid;
  float alpha = 0, beta = 0;
  /// x[0, n) in place.
  void apply(float* x, size_t n) const;
};

struct Recurrent {
  size_t gates = 1;            ///< rows of weights per hidden unit: 1 RNN, 3 GRU, 4 LSTM
  size_t hidden = 0;           ///< 0: take it from R
  size_t directions = 1;
  bool first_reversed = false;  ///< direction = reverse
  bool batch_first = false;     ///< layout = 1
  float clip = 0;               ///< 0: no clipping
  std::vector<GateActivation> activations;  ///< per direction: f, g (, h)
  /// Per direction: W' [input, gates * hidden] and R' [hidden, gates * hidden], packed for gemm.
  std::shared_ptr<std::byte[]> packed_w, packed_r;
  size_t packed_input = 0;
  bool inputs_first = false;  ///< W is [directions, input, gates * hidden], R [directions, hidden, gates * hidden]
};

/// `defaults` are the activations of one direction.
Recurrent parse_recurrent(const NodeView& n, size_t gates, std::span<const std::string_view> defaults);

/// Y [seq, directions, batch, hidden], Y_h (and Y_c for a third output) [directions, batch, hidden], or batch first.
void infer_recurrent(const Recurrent& r, InferContext& c);

void prepare_recurrent(Recurrent& r, PrepareContext& c);

class GateProducts;

/// One direction's run in f32, all pointers to its own part.
struct Direction {
  size_t index = 0, seq = 0, batch = 0, input = 0, hidden = 0;
  const float* w = nullptr;       ///< packed, or null with `products`
  const float* r = nullptr;       ///< packed, or null with `products`
  const float* w_bias = nullptr;  ///< [gates * hidden] or null
  const float* r_bias = nullptr;
  const float* peephole = nullptr;  ///< LSTM input 7, [3 * hidden] or null
  std::span<const GateActivation> activations;
  const GateProducts* products = nullptr;
  std::span<const int64_t> lengths = {};  ///< of the sequences of the batch
  size_t time = 0;                        ///< of the step
};

/// Products with weights that are not floats.
class GateProducts {
 public:
  explicit GateProducts(size_t hidden) : hidden_(hidden) {}
  virtual ~GateProducts() = default;
  size_t hidden() const { return hidden_; }
  /// gates [seq * batch, gates * hidden] = x W', without a bias.
  virtual void of_inputs(const Direction& d, const float* x, float* gates) const = 0;
  /// gates [batch, gates * hidden] += h R' + Wb + Rb; `scratch` is as large.
  virtual void of_states(const Direction& d, const float* h, float* gates, float* scratch) const = 0;

 private:
  size_t hidden_;
};

/// Advances one step: `gates` is [batch, gates * hidden], x W' + Wb computed already; updates h (and c) [batch, hidden]
/// from h_before. `scratch` has batch * gates * hidden floats.
using StepFn = void (*)(const Recurrent& r, const Direction& d, float* gates, const float* h_before, float* h, float* cell, float* scratch);

/// Runs all directions and time steps. With `products`, W and R are not read.
void run_recurrent(const Recurrent& r, RunContext& c, StepFn step, const GateProducts* products = nullptr);

}  // namespace kinglet::ops
