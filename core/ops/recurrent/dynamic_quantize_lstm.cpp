// DynamicQuantizeLSTM of com.microsoft - an LSTM whose weights are 8 bit codes; inputs and states are quantized by
// their own range before each product.

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "ops/quantized/dynamic_quantization.hpp"
#include "ops/quantized/int8_matmul.hpp"
#include "ops/recurrent/lstm.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kX, kW, kR, kBias, kLengths, kH, kC, kPeephole, kWScale, kWZero, kRScale, kRZero };

struct DynamicLstm : Lstm {
  Int8Weights w, r;
};

DynamicLstm parse(const NodeView& n) {
  DynamicLstm op{parse_lstm(n), {}, {}};
  op.inputs_first = true;
  return op;
}

void infer(const DynamicLstm& op, InferContext& c) {
  for (const size_t i : {kX, kBias, kH, kC, kPeephole, kWScale, kRScale}) check_input(c, i, type_set(DType::kFloat32));
  for (const size_t i : {kW, kR, kWZero, kRZero}) check_input(c, i, kBytes);
  infer_recurrent(op, c);
}

void prepare(DynamicLstm& op, PrepareContext& c) {
  op.w.prepare(c, kW);
  op.r.prepare(c, kR);
}

/// W or R of all directions [k, n].
struct Codes {
  size_t k, n, each;
  const int8_t* packed;
  const int32_t* zeros;  // [directions, n], of packed codes
  Scales scales;

  float scale(size_t direction, size_t column) const {
    return scales.data[scales.count == 1 ? 0 : scales.count % n == 0 ? direction * n + column : direction];
  }
};

Shape shape_of(RunContext& c, const Int8Weights& weights, size_t i) {
  return weights.packed ? weights.shape : c.in(i).shape();
}

Codes codes_from(RunContext& c, const Int8Weights& weights, size_t i, size_t directions, size_t k, size_t n, size_t scale,
                 size_t zero) {
  const Shape shape = shape_of(c, weights, i), wanted{static_cast<int64_t>(directions), static_cast<int64_t>(k), static_cast<int64_t>(n)};
  c.require(shape == wanted, "expected weights {}, got {}", wanted, shape);
  Codes out{k, n, kernels::packed_b_i8_size(k, n), reinterpret_cast<const int8_t*>(weights.packed.get()), nullptr,
            scales_of(c, scale)};
  if (out.packed == nullptr) {
    int8_t* const fresh = c.scratch<int8_t>(directions * out.each);
    const kernels::Codes all = codes_of(c.in(i));
    for (size_t d = 0; d < directions; ++d) {
      const kernels::Codes own{static_cast<const std::byte*>(all.data) + d * k * n, all.is_signed};
      kernels::pack_b_i8(fresh + d * out.each, k, n, own, static_cast<ptrdiff_t>(n), 1);
    }
    out.packed = fresh;
  }
  const Zeros given = zeros_of(c, zero);
  for (const size_t count : {given.count, out.scales.count}) {
    c.require(count == 1 || count == directions || count == directions * n,
              "{} scales or zero points do not fit {} directions of {} columns", count, directions, n);
  }
  const bool is_signed = is_signed_byte(weights.packed ? weights.type : c.in(i).dtype());
  int32_t* const zeros = c.scratch<int32_t>(directions * n);
  for (size_t j = 0; j < directions * n; ++j) {
    zeros[j] = given[given.count == directions ? j / n : j] - (is_signed ? 0 : kernels::kUnsignedShift);
  }
  out.zeros = zeros;
  return out;
}

class QuantizedProducts : public GateProducts {
 public:
  QuantizedProducts(RunContext& c, const Codes& w, const Codes& r, size_t seq, size_t batch)
      : GateProducts(r.k),
        w_(w),
        r_(r),
        bias_(c.scratch<float>(w.n)),
        scale_(c.scratch<float>(w.n)),
        codes_(c.scratch<uint8_t>(std::max(seq * batch * w.k, batch * r.k))),
        scratch_(c.scratch<std::byte>(std::max(kernels::gemm_i8_scratch_bytes(seq * batch, w.k),
                                               kernels::gemm_i8_scratch_bytes(batch, r.k)))) {}

  void of_inputs(const Direction& d, const float* x, float* gates) const override {
    // What lies behind the longest sequence does not count.
    const int64_t longest = d.lengths.empty() ? 0 : *std::max_element(d.lengths.begin(), d.lengths.end());
    const size_t rows = static_cast<size_t>(std::clamp<int64_t>(longest, 0, static_cast<int64_t>(d.seq))) * d.batch;
    multiply(w_, d.index, rows, x, dynamic_range(x, rows * w_.k), nullptr, gates);
  }

  void of_states(const Direction& d, const float* h, float* gates, float* scratch) const override {
    kernels::Range range;
    for (size_t b = 0; b < d.batch; ++b) {
      // A sequence that ended before this step has no state any more.
      if (static_cast<int64_t>(d.time) > d.lengths[b]) continue;
      const kernels::Range own = kernels::range_with_zero(h + b * r_.k, r_.k);
      range = {std::min(range.low, own.low), std::max(range.high, own.high)};
    }
    const float* bias = nullptr;
    if (d.w_bias != nullptr) {
      kernels::binary(kernels::Binary::kAdd, d.w_bias, d.r_bias, bias_, r_.n);
      bias = bias_;
    }
    multiply(r_, d.index, d.batch, h, dynamic_range(range), bias, scratch);
    kernels::binary(kernels::Binary::kAdd, gates, scratch, gates, d.batch * r_.n);
  }

 private:
  void multiply(const Codes& b, size_t direction, size_t rows, const float* a, const DynamicRange& range, const float* bias,
                float* y) const {
    quantize(range, a, rows * b.k, codes_);
    for (size_t j = 0; j < b.n; ++j) scale_[j] = range.scale * b.scale(direction, j);
    const kernels::Int8Epilogue epilogue{.output = kernels::Int8Epilogue::Output::kFloat,
                                         .b_zero = b.zeros + direction * b.n,
                                         .scale = scale_,
                                         .addend = bias};
    const int32_t zero = range.zero;
    kernels::gemm_i8(rows, b.n, b.k, {codes_, false}, static_cast<ptrdiff_t>(b.k), &zero, 0,
                     b.packed + direction * b.each, y, static_cast<ptrdiff_t>(b.n), epilogue, scratch_);
  }

  const Codes &w_, &r_;
  float *bias_, *scale_;
  uint8_t* codes_;
  void* scratch_;
};

void run(const DynamicLstm& op, RunContext& c) {
  const Tensor& x = c.in(kX);
  const Shape r_shape = shape_of(c, op.r, kR);
  c.require(r_shape.rank() == 3, "expected R of rank 3, got {}", r_shape);
  const size_t hidden = op.hidden != 0 ? op.hidden : static_cast<size_t>(r_shape[1]);
  const size_t columns = op.gates * hidden, seq = op.batch_first ? 1 : 0;
  const Codes w = codes_from(c, op.w, kW, op.directions, static_cast<size_t>(x.dim(2)), columns, kWScale, kWZero);
  const Codes r = codes_from(c, op.r, kR, op.directions, hidden, columns, kRScale, kRZero);
  const QuantizedProducts products(c, w, r, static_cast<size_t>(x.dim(seq)), static_cast<size_t>(x.dim(1 - seq)));
  run_recurrent(op, c, lstm_step, &products);
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", DynamicQuantizeLSTM,
              op<DynamicLstm, parse, infer, run>(since(1)).with_prepare<DynamicLstm, prepare>());

}  // namespace kinglet::ops
