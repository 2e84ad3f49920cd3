#include "kernels/lstm.hpp"

#include "kernels/vector_math.hpp"

namespace kinglet::kernels {

void lstm_units(const float* gates, float* cell, float* h, size_t n) {
  const Logistic logistic;
  const Tanh tanh;
  simd::for_vectors(n, [&](size_t k, size_t lanes) KINGLET_INLINE_LAMBDA {
    const auto gate = [&](size_t i) KINGLET_INLINE_LAMBDA { return simd::load_partial(gates + i * n + k, lanes); };
    const f32x4 kept = logistic.sigmoid(gate(2)) * simd::load_partial(cell + k, lanes);
    const f32x4 c = simd::madd(logistic.sigmoid(gate(0)), tanh(gate(3)), kept);
    simd::store_partial(cell + k, c, lanes);
    simd::store_partial(h + k, logistic.sigmoid(gate(1)) * tanh(c), lanes);
  });
}

}  // namespace kinglet::kernels
