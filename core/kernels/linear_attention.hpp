#pragma once
// One step of linear attention for one head: a state [key_size, value_size] that decays, takes in a key and
// its value, and is read by queries (Katharopoulos et al., arXiv:2006.16236; with the delta rule Yang et al.,
// arXiv:2412.06464).

#include <cstddef>

namespace kinglet::kernels {

/// state[i, :] *= decay[i]
void decay_state(float* state, const float* decay, size_t key_size, size_t value_size);

/// state += key (x) value
void add_to_state(float* state, const float* key, const float* value, size_t key_size, size_t value_size);

/// y = scale * query . state; y overlaps neither.
void read_state(const float* state, const float* query, float scale, float* y, size_t key_size,
                size_t value_size);

}  // namespace kinglet::kernels
