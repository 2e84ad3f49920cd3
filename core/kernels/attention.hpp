#pragma once
// Scaled dot-product attention over f32, one set of keys at a time:
//
//   y[h, i] = sum over the visible keys j of softmax(cap(q[h, i] . k[j] * scale) + mask[h, i, j]) * v[j]
//
// Softmax is taken online over blocks of keys (Milakov and Gimelshein, arXiv:1805.02867; Dao et al.,
// arXiv:2205.14135): no matrix [queries, keys] exists beyond a block. A query without a visible key gives 0.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

struct Attention {
  /// What `scores` receives, in the order in which it is computed.
  enum class Stage : uint8_t { kScaled, kCapped, kMasked, kProbabilities };

  size_t heads = 1;  ///< heads of queries that share the keys and values
  size_t queries = 0, keys = 0, head_size = 0, value_size = 0;

  // Distances in floats from a head, a query or a key to the next; the elements of a row are contiguous.
  const float *q = nullptr, *k = nullptr, *v = nullptr;
  float* y = nullptr;  ///< overlaps no input
  ptrdiff_t q_head = 0, q_row = 0, k_row = 0, v_row = 0, y_head = 0, y_row = 0;

  /// Added to the scores of the keys before last_key, or null. -inf hides a key whatever its score is.
  const float* mask = nullptr;
  ptrdiff_t mask_head = 0, mask_row = 0;

  float scale = 1.0f;
  float softcap = 0.0f;  ///< scores become softcap * tanh(score / softcap); 0 leaves them

  /// Query i sees the keys [first_key, last_key) that are in [i + low, i + high) too.
  size_t first_key = 0, last_key = SIZE_MAX;
  ptrdiff_t low = -kUnbounded, high = kUnbounded;
  static constexpr ptrdiff_t kUnbounded = PTRDIFF_MAX / 4;

  /// One logit a head that takes part in the softmax and has no value, or null.
  const float* sinks = nullptr;

  /// Where not null: [heads, queries, keys] of `stage`, heads `scores_head` floats apart.
  float* scores = nullptr;
  ptrdiff_t scores_head = 0;
  Stage stage = Stage::kScaled;
};

size_t attention_scratch_floats(const Attention& a);

/// `scratch` holds attention_scratch_floats(a) floats. Calls with other keys do not depend on each other.
void attention(const Attention& a, float* scratch);

}  // namespace kinglet::kernels
