#include "kernels/linear_attention.hpp"

#include "kernels/simd.hpp"

namespace kinglet::kernels {

using simd::f32x4;

void decay_state(float* state, const float* decay, size_t key_size, size_t value_size) {
  for (size_t i = 0; i < key_size; ++i, state += value_size) {
    simd::for_vectors(value_size, [&](size_t j, size_t lanes) KINGLET_INLINE_LAMBDA {
      simd::store_partial(state + j, simd::load_partial(state + j, lanes) * simd::splat(decay[i]), lanes);
    });
  }
}

void add_to_state(float* state, const float* key, const float* value, size_t key_size, size_t value_size) {
  for (size_t i = 0; i < key_size; ++i, state += value_size) {
    simd::for_vectors(value_size, [&](size_t j, size_t lanes) KINGLET_INLINE_LAMBDA {
      const f32x4 sum = simd::madd(simd::splat(key[i]), simd::load_partial(value + j, lanes),
                                   simd::load_partial(state + j, lanes));
      simd::store_partial(state + j, sum, lanes);
    });
  }
}

void read_state(const float* state, const float* query, float scale, float* y, size_t key_size,
                size_t value_size) {
  simd::for_vectors(value_size, [&](size_t j, size_t lanes) KINGLET_INLINE_LAMBDA {
    f32x4 sum = {};
    for (size_t i = 0; i < key_size; ++i) {
      sum =
          simd::madd(simd::load_splat(query + i), simd::load_partial(state + i * value_size + j, lanes), sum);
    }
    simd::store_partial(y + j, sum * simd::splat(scale), lanes);
  });
}

}  // namespace kinglet::kernels
