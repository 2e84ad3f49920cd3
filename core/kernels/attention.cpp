#include "kernels/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/gemm.hpp"
#include "kernels/vector_math.hpp"

namespace kinglet::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// A block of scores and the packed keys and values that it comes from stay in the second cache.
constexpr size_t kKeyBlock = 128;
constexpr size_t kQueryBlock = 48;
/// Up to so many rows, packing the keys costs more than it saves.
constexpr size_t kDirectRows = 8;

/// The queries of one head, or one query of all heads: rows with one stride each.
struct Rows {
  size_t count;
  const float* q;
  ptrdiff_t q_row;
  float* y;
  ptrdiff_t y_row;
  const float* mask;
  ptrdiff_t mask_row;
  float* scores;
  ptrdiff_t scores_row;
  ptrdiff_t step;  ///< positions from a row to the next
  float *most, *total;
};

struct KeyRange {
  size_t begin, end;
  bool empty() const { return begin >= end; }
};

/// The keys in [begin, end) that the row at `position` sees.
KeyRange visible(const Attention& a, size_t begin, size_t end, ptrdiff_t position) {
  const auto clamp = [&](ptrdiff_t key) {
    return static_cast<size_t>(std::clamp(key, static_cast<ptrdiff_t>(begin), static_cast<ptrdiff_t>(end)));
  };
  return {std::max(clamp(position + a.low), std::min(a.first_key, end)),
          std::min(clamp(position + a.high), std::max(begin, std::min(a.last_key, end)))};
}

/// Union over rows [first, last) of what they see: bounds only grow with the position.
KeyRange visible(const Attention& a, const Rows& rows, size_t begin, size_t end, size_t first, size_t last) {
  return {visible(a, begin, end, static_cast<ptrdiff_t>(first) * rows.step).begin,
          visible(a, begin, end, static_cast<ptrdiff_t>(last - 1) * rows.step).end};
}

/// s[j] = q . k[j] for n keys.
KINGLET_APART void scores_of_row(const float* q, const float* k, ptrdiff_t k_row, size_t depth, float* s, size_t n) {
  size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    const float* row[4];
    for (size_t r = 0; r < 4; ++r) row[r] = k + static_cast<ptrdiff_t>(j + r) * k_row;
    f32x4 sum[4] = {};
    simd::for_vectors(depth, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      const f32x4 v = simd::load_partial(q + i, lanes);
      for (size_t r = 0; r < 4; ++r) sum[r] = simd::madd(v, simd::load_partial(row[r] + i, lanes), sum[r]);
    });
    simd::transpose(sum[0], sum[1], sum[2], sum[3]);
    simd::store(s + j, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
  for (; j < n; ++j) {
    const float* const row = k + static_cast<ptrdiff_t>(j) * k_row;
    f32x4 sum = {};
    simd::for_vectors(depth, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      sum = simd::madd(simd::load_partial(q + i, lanes), simd::load_partial(row + i, lanes), sum);
    });
    s[j] = simd::sum_lanes(sum);
  }
}

/// y += sum of p[j] * v[j] over n keys, V vectors of the value at a time.
template <size_t V>
inline __attribute__((always_inline)) void add_columns(const float* p, const float* v, ptrdiff_t v_row,
                                                       size_t n, float* y, size_t lanes) {
  f32x4 sum[V];
  for (size_t i = 0; i < V; ++i) sum[i] = V == 1 ? simd::load_partial(y, lanes) : simd::load(y + i * 4);
  for (size_t j = 0; j < n; ++j, v += v_row) {
    const f32x4 weight = simd::load_splat(p + j);
    for (size_t i = 0; i < V; ++i) {
      const f32x4 x = V == 1 ? simd::load_partial(v, lanes) : simd::load(v + i * 4);
      sum[i] = simd::madd(weight, x, sum[i]);
    }
  }
  for (size_t i = 0; i < V; ++i) {
    if (V == 1) {
      simd::store_partial(y, sum[i], lanes);
    } else {
      simd::store(y + i * 4, sum[i]);
    }
  }
}

KINGLET_APART void add_values(const float* p, const float* v, ptrdiff_t v_row, size_t n, float* y, size_t columns) {
  size_t c = 0;
  for (; c + 32 <= columns; c += 32) add_columns<8>(p, v + c, v_row, n, y + c, 4);
  simd::for_vectors(c, columns, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    add_columns<1>(p, v + i, v_row, n, y + i, lanes);
  });
}

/// The greatest number of each lane of n scores.
f32x4 greatest_of(const float* s, size_t n) {
  f32x4 most = simd::splat(-kInf);
  simd::for_vectors(n, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    most = simd::clamp_below(most, simd::load_partial(s + i, lanes, -kInf));
  });
  return most;
}

/// Raw products of a row with keys that it sees all become scores, scaled and masked, of which nothing else is wanted.
/// Returns the greatest of each lane.
template <bool kMasked>
f32x4 scale_and_mask(float factor, const float* mask, float* s, size_t n) {
  const f32x4 scale = simd::splat(factor), hidden = simd::splat(-kInf);
  f32x4 most = hidden;
  simd::for_vectors(n, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    f32x4 v = simd::load_partial(s + i, lanes) * scale;
    if constexpr (kMasked) {
      const f32x4 m = simd::load_partial(mask + i, lanes);
      v = simd::select(m == hidden, m, v + m);
    }
    simd::store_partial(s + i, v, lanes);
    most = simd::clamp_below(most, lanes == simd::kLanes ? v : simd::load_partial(s + i, lanes, -kInf));
  });
  return most;
}

/// Raw products of one row with keys [begin, begin + n) become scores: scaled, capped and masked.
KINGLET_APART void finish_scores(const Attention& a, const Rows& rows, size_t row, float* s, size_t begin, size_t n) {
  const auto r = static_cast<ptrdiff_t>(row);
  float* const out = rows.scores == nullptr ? nullptr : rows.scores + r * rows.scores_row + begin;
  const auto keep = [&](Attention::Stage stage) {
    if (out != nullptr && a.stage == stage) std::copy_n(s, n, out);
  };
  const f32x4 scale = simd::splat(a.softcap == 0.0f ? a.scale : a.scale / a.softcap);
  if (a.softcap == 0.0f || (out != nullptr && a.stage == Attention::Stage::kScaled)) {
    const f32x4 plain = simd::splat(a.scale);
    float* const to = a.softcap == 0.0f ? s : out;
    map(s, to, n, [&](f32x4 v) KINGLET_INLINE_LAMBDA { return v * plain; });
  }
  if (a.softcap != 0.0f) {
    const f32x4 cap = simd::splat(a.softcap);
    map(s, s, n, [&](f32x4 v) { return tanh(v * scale) * cap; });
  } else {
    keep(Attention::Stage::kScaled);
  }
  keep(Attention::Stage::kCapped);
  if (rows.mask != nullptr) {
    const float* const mask = rows.mask + r * rows.mask_row + begin;
    const f32x4 hidden = simd::splat(-kInf);
    const size_t masked = std::min(n, a.last_key - std::min(a.last_key, begin));
    simd::for_vectors(masked, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      const f32x4 m = simd::load_partial(mask + i, lanes);
      simd::store_partial(s + i, simd::select(m == hidden, m, simd::load_partial(s + i, lanes) + m), lanes);
    });
  }
  const KeyRange seen = visible(a, begin, begin + n, r * rows.step);
  const size_t from = std::min(seen.begin, seen.end) - begin, to = seen.end - begin;
  std::fill(s, s + from, -kInf);
  std::fill(s + to, s + n, -kInf);
  keep(Attention::Stage::kMasked);
  keep(Attention::Stage::kProbabilities);
}

/// Raw products become scores; returns the greatest of each lane.
KINGLET_APART f32x4 make_scores(const Attention& a, const Rows& rows, size_t row, float* s, size_t begin, size_t n) {
  const KeyRange seen = visible(a, begin, begin + n, static_cast<ptrdiff_t>(row) * rows.step);
  if (rows.scores == nullptr && a.softcap == 0.0f && seen.begin == begin && seen.end == begin + n) {
    if (rows.mask == nullptr) return scale_and_mask<false>(a.scale, nullptr, s, n);
    return scale_and_mask<true>(a.scale, rows.mask + static_cast<ptrdiff_t>(row) * rows.mask_row + begin, s, n);
  }
  finish_scores(a, rows, row, s, begin, n);
  return greatest_of(s, n);
}

/// Scores of one row, with the greatest of each lane, become weights exp(score - most); what was summed so far is scaled to
/// a new greatest score.
KINGLET_APART void weigh(const Attention& a, const Rows& rows, size_t row, f32x4 most4, float* s, size_t n) {
  const float old = rows.most[row];
  const float most = std::max({old, most4[0], most4[1], most4[2], most4[3]});
  // As long as all is hidden there is nothing to subtract; a NaN among the scores stays one.
  const f32x4 center = simd::splat(most == -kInf ? 0.0f : most);
  const ExpOrZero exp_or_zero;
  f32x4 sum = {};
  simd::for_vectors(n, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    const f32x4 e = exp_or_zero(simd::load_partial(s + i, lanes, -kInf) - center);
    sum += e;
    simd::store_partial(s + i, e, lanes);
  });
  float total = rows.total[row];
  if (most != old && old != -kInf) {
    const float shrink = std::exp(old - most);
    total *= shrink;
    float* const y = rows.y + static_cast<ptrdiff_t>(row) * rows.y_row;
    map(y, y, a.value_size, [&](f32x4 v) KINGLET_INLINE_LAMBDA { return v * simd::splat(shrink); });
  }
  rows.most[row] = most;
  rows.total[row] = total + simd::sum_lanes(sum);
}

struct Packed {
  const float *k, *v;  ///< null: the keys and values are read where they are
};

/// Adds keys [begin, end) to the rows [first, last).
void add_block(const Attention& a, const Rows& rows, size_t first, size_t last, size_t begin, size_t end,
               const Packed& packed, float* s) {
  const size_t n = end - begin;
  const auto row = [](const float* p, ptrdiff_t stride, size_t i) {
    return p + static_cast<ptrdiff_t>(i) * stride;
  };
  const float* const q = row(rows.q, rows.q_row, first);
  if (packed.k != nullptr) {
    gemm(last - first, n, a.head_size, q, rows.q_row, packed.k, s, static_cast<ptrdiff_t>(n));
  }
  for (size_t i = first; i < last; ++i) {
    float* const of_row = s + (i - first) * n;
    if (packed.k == nullptr) {
      scores_of_row(row(rows.q, rows.q_row, i), row(a.k, a.k_row, begin), a.k_row, a.head_size, of_row, n);
    }
    weigh(a, rows, i, make_scores(a, rows, i, of_row, begin, n), of_row, n);
    if (packed.k == nullptr) {
      float* const y = rows.y + static_cast<ptrdiff_t>(i) * rows.y_row;
      add_values(of_row, row(a.v, a.v_row, begin), a.v_row, n, y, a.value_size);
    }
  }
  if (packed.k == nullptr) return;
  float* const y = rows.y + static_cast<ptrdiff_t>(first) * rows.y_row;
  const Epilogue onto{.residual = y, .residual_stride = rows.y_row};
  gemm(last - first, a.value_size, n, s, static_cast<ptrdiff_t>(n), packed.v, y, rows.y_row, onto);
}

/// Sums become averages, and kept scores probabilities.
KINGLET_APART void finish_row(const Attention& a, const Rows& rows, size_t row, float sink) {
  const float most = rows.most[row], center = std::max(most, sink);
  const float share = sink == -kInf ? 1.0f : std::exp(most - center);
  const float total = rows.total[row] * share + (sink == -kInf ? 0.0f : std::exp(sink - center));
  const float factor = most == -kInf ? (std::isnan(rows.total[row]) ? rows.total[row] : 0.0f) : share / total;
  float* const y = rows.y + static_cast<ptrdiff_t>(row) * rows.y_row;
  map(y, y, a.value_size, [&](f32x4 v) KINGLET_INLINE_LAMBDA { return v * simd::splat(factor); });
  if (rows.scores == nullptr || a.stage != Attention::Stage::kProbabilities) return;
  float* const p = rows.scores + static_cast<ptrdiff_t>(row) * rows.scores_row;
  const f32x4 shift = simd::splat(most == -kInf ? 0.0f : most);
  const ExpOrZero exp_or_zero;
  map(p, p, a.keys, [&](f32x4 v) { return exp_or_zero(v - shift) * simd::splat(factor); });
}

/// Element (i, j) of the keys' transpose is k[j][i]: transposed four by four into `t` [depth, n], which packs
/// fast.
KINGLET_APART void transpose_keys(const float* k, ptrdiff_t k_row, size_t depth, size_t n, float* t) {
  for (size_t j = 0; j < n; j += 4) {
    const size_t rows = std::min<size_t>(4, n - j);
    const float* row[4];
    for (size_t r = 0; r < 4; ++r) row[r] = k + static_cast<ptrdiff_t>(j + std::min(r, rows - 1)) * k_row;
    simd::for_vectors(depth, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      f32x4 v[4];
      for (size_t r = 0; r < 4; ++r) v[r] = simd::load_partial(row[r] + i, lanes);
      simd::transpose(v[0], v[1], v[2], v[3]);
      for (size_t r = 0; r < lanes; ++r) simd::store_partial(t + (i + r) * n + j, v[r], rows);
    });
  }
}

/// Where the parts of the scratch begin, in floats.
struct Scratch {
  size_t most, total, scores, packed_k, packed_v, transposed, end;
};

Scratch layout(const Attention& a) {
  const size_t block = std::min(kKeyBlock, a.keys), rows = a.heads * a.queries;
  Scratch s;
  s.most = 0;
  s.total = rows;
  s.scores = 2 * rows;
  s.packed_k = s.scores + std::min(kQueryBlock, std::max(a.queries, a.heads)) * block;
  s.packed_v = s.packed_k + packed_b_size(a.head_size, block);
  s.transposed = s.packed_v + packed_b_size(block, a.value_size);
  s.end = s.transposed + a.head_size * block;
  return s;
}

}  // namespace

size_t attention_scratch_floats(const Attention& a) { return layout(a).end; }

void attention(const Attention& a, float* scratch) {
  const Scratch at = layout(a);
  const size_t all_rows = a.heads * a.queries;
  std::fill_n(scratch + at.most, all_rows, -kInf);
  std::fill_n(scratch + at.total, all_rows, 0.0f);
  // One query of each head: the heads are the rows of one product.
  const bool heads_as_rows = a.queries == 1;
  const size_t groups = heads_as_rows ? 1 : a.heads;
  const auto rows_of = [&](size_t group) {
    const auto g = static_cast<ptrdiff_t>(group);
    const auto keys = static_cast<ptrdiff_t>(a.keys);
    const size_t first = group * a.queries;
    return Rows{.count = heads_as_rows ? a.heads : a.queries,
                .q = a.q + g * a.q_head,
                .q_row = heads_as_rows ? a.q_head : a.q_row,
                .y = a.y + g * a.y_head,
                .y_row = heads_as_rows ? a.y_head : a.y_row,
                .mask = a.mask == nullptr ? nullptr : a.mask + g * a.mask_head,
                .mask_row = heads_as_rows ? a.mask_head : a.mask_row,
                .scores = a.scores == nullptr ? nullptr : a.scores + g * a.scores_head,
                .scores_row = heads_as_rows ? a.scores_head : keys,
                .step = heads_as_rows ? 0 : 1,
                .most = scratch + at.most + first,
                .total = scratch + at.total + first};
  };
  for (size_t g = 0; g < groups; ++g) {
    const Rows rows = rows_of(g);
    for (size_t i = 0; i < rows.count; ++i)
      std::fill_n(rows.y + static_cast<ptrdiff_t>(i) * rows.y_row, a.value_size, 0.0f);
  }

  const bool direct = all_rows <= kDirectRows;
  // What no query sees is not touched, but kept scores have a place for it.
  const bool whole = a.scores != nullptr;
  KeyRange range{0, all_rows == 0 ? 0 : a.keys};
  if (!whole && all_rows != 0) range = visible(a, rows_of(0), 0, a.keys, 0, a.queries);
  for (size_t begin = range.begin; begin < range.end; begin += kKeyBlock) {
    const size_t end = std::min(range.end, begin + kKeyBlock), n = end - begin;
    Packed packed{nullptr, nullptr};
    if (!direct) {
      const auto key = static_cast<ptrdiff_t>(begin);
      transpose_keys(a.k + key * a.k_row, a.k_row, a.head_size, n, scratch + at.transposed);
      pack_b(scratch + at.packed_k, a.head_size, n, scratch + at.transposed, static_cast<ptrdiff_t>(n), 1);
      pack_b(scratch + at.packed_v, n, a.value_size, a.v + key * a.v_row, a.v_row, 1);
      packed = {scratch + at.packed_k, scratch + at.packed_v};
    }
    for (size_t g = 0; g < groups; ++g) {
      const Rows rows = rows_of(g);
      for (size_t first = 0; first < rows.count; first += kQueryBlock) {
        const size_t last = std::min(rows.count, first + kQueryBlock);
        if (!whole && visible(a, rows, begin, end, first, last).empty()) continue;
        add_block(a, rows, first, last, begin, end, packed, scratch + at.scores);
      }
    }
  }
  for (size_t g = 0; g < groups; ++g) {
    const Rows rows = rows_of(g);
    for (size_t i = 0; i < rows.count; ++i) {
      const size_t head = heads_as_rows ? i : g;
      finish_row(a, rows, i, a.sinks != nullptr ? a.sinks[head] : -kInf);
    }
  }
}

}  // namespace kinglet::kernels
