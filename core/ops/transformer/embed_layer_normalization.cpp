// EmbedLayerNormalization of com.microsoft - the sum of word, position and segment embeddings, normalised;
// and how many tokens of each batch a mask leaves.
// QEmbedLayerNormalization - the same of tables and parameters that are 8 bit codes.

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "kernels/normalize.hpp"
#include "kernels/quantize.hpp"
#include "ops/in_f32.hpp"
#include "ops/move.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t {
  kIds,
  kSegments,
  kWordTable,
  kPositionTable,
  kSegmentTable,
  kGamma,
  kBeta,
  kMask,
  kPositions
};
enum Output : size_t { kY, kMaskIndex, kSum };

/// Of the tables and parameters of QEmbedLayerNormalization, inputs kWordTable to kBeta: the first one's scale and
/// zero point. It has no kPositions.
constexpr size_t kFirstScale = 8, kFirstZero = 13;

struct EmbedNormalization {
  float epsilon;
  bool quantized;
};

EmbedNormalization parse(const NodeView& n) {
  return {n.attr_float("epsilon", 1e-12f), n.op_type() == "QEmbedLayerNormalization"};
}

void infer(const EmbedNormalization& op, InferContext& c) {
  const SymShape &ids = c.shape(kIds), &table = c.shape(kWordTable);
  c.require(!ids.has_rank() || ids.rank() == 2, "expected ids of rank 2, got {}", ids);
  c.require(!table.has_rank() || table.rank() == 2, "expected a table of rank 2, got {}", table);
  const DType type = op.quantized ? DType::kFloat32 : c.dtype(kWordTable);
  for (size_t i = kWordTable; i <= kBeta; ++i) check_input(c, i, op.quantized ? kBytes : kFloats);
  const Dim batch = ids.has_rank() ? ids[0] : Dim();
  const SymShape shape({batch, ids.has_rank() ? ids[1] : Dim(), table.has_rank() ? table[1] : Dim()});
  c.out(kY, type, shape);
  c.out(kMaskIndex, DType::kInt32, SymShape({batch}));
  c.out(kSum, type, shape);
}

/// Floats, or codes with one scale.
class Numbers {
 public:
  Numbers(RunContext& c, const EmbedNormalization& op, size_t i) {
    const Tensor& t = c.in(i);
    if (!op.quantized) {
      floats_ = as_f32(c, t);
      return;
    }
    codes_ = t.raw();
    is_signed_ = is_signed_byte(t.dtype());
    scale_ = scale_of(c, kFirstScale + i - kWordTable);
    zero_ = zero_of(c, kFirstZero + i - kWordTable);
  }

  /// Numbers [first, first + n): in place or in `buffer`.
  const float* get(size_t first, size_t n, float* buffer) const {
    if (floats_ != nullptr) return floats_ + first;
    kernels::dequantize(codes_ + first, is_signed_, buffer, n, scale_, zero_);
    return buffer;
  }

 private:
  const float* floats_ = nullptr;
  const std::byte* codes_ = nullptr;
  bool is_signed_ = false;
  float scale_ = 1;
  int32_t zero_ = 0;
};

/// Rows of a table, named by ids [batch or 1, sequence] or, without them, by the place in the sequence.
struct Embedding {
  Numbers table;
  int64_t rows;
  std::optional<Indices> ids;
  size_t id_count;

  const float* row(size_t token, size_t sequence, size_t columns, float* buffer) const {
    const size_t i = ids ? token % id_count : token % sequence;
    const int64_t id = ids ? (*ids)[i] : static_cast<int64_t>(i);
    Requires::require(id >= 0 && id < rows, "id {} is outside of the {} rows", id, rows);
    return table.get(static_cast<size_t>(id) * columns, columns, buffer);
  }
};

void run(const EmbedNormalization& op, RunContext& c) {
  const Tensor& words = c.in(kIds);
  const auto columns = static_cast<size_t>(c.in(kWordTable).dim(1)),
             sequence = static_cast<size_t>(words.dim(1));
  std::vector<Embedding> embeddings;
  const auto add = [&](size_t table, size_t ids) {
    const Tensor& t = c.in(table);
    c.require(t.rank() == 2 && t.dim(1) == static_cast<int64_t>(columns),
              "expected a table of {} columns, got {}", columns, t.shape());
    Embedding e{Numbers(c, op, table), t.dim(0), {}, words.count()};
    if (c.has(ids) && !(op.quantized && ids == kPositions)) {
      const Tensor& given = c.in(ids);
      c.require(given.count() == words.count() || given.count() == sequence, "ids {} do not go with {}",
                given.shape(), words.shape());
      e.ids.emplace(given);
      e.id_count = given.count();
    }
    embeddings.push_back(e);
  };
  add(kWordTable, kIds);
  add(kPositionTable, kPositions);
  if (c.has(kSegmentTable)) {
    c.require(c.has(kSegments), "segment_embedding is given without segment_ids");
    add(kSegmentTable, kSegments);
  }
  const auto parameter = [&](size_t i) {
    c.require(c.in(i).count() == columns, "expected {} parameters, got {}", columns, c.in(i).shape());
    return Numbers(c, op, i).get(0, columns, c.scratch<float>(columns));
  };
  float* const buffer = c.scratch<float>(columns);
  const float *gamma = parameter(kGamma), *beta = parameter(kBeta);
  F32Output y(c, c.out(kY));
  std::optional<F32Output> sums;
  if (c.wants(kSum)) sums.emplace(c, c.out(kSum));
  for (size_t token = 0; token < words.count(); ++token) {
    float* const sum = (sums ? sums->data() : y.data()) + token * columns;
    std::copy_n(embeddings[0].row(token, sequence, columns, buffer), columns, sum);
    for (size_t i = 1; i < embeddings.size(); ++i) {
      kernels::binary(kernels::Binary::kAdd, sum, embeddings[i].row(token, sequence, columns, buffer), sum, columns);
    }
    kernels::layer_norm(sum, y.data() + token * columns, 1, columns, gamma, beta, op.epsilon);
  }
  y.store();
  if (sums) sums->store();
  if (!c.wants(kMaskIndex)) return;
  Tensor& counts = c.out(kMaskIndex);
  std::fill_n(counts.data<int32_t>(), counts.count(), 0);
  if (!c.has(kMask)) return;
  const Indices mask(c.in(kMask));
  c.require(c.in(kMask).shape() == words.shape(), "expected a mask {}, got {}", words.shape(),
            c.in(kMask).shape());
  for (size_t token = 0; token < words.count(); ++token) {
    if (mask[token] == 1) ++counts.data<int32_t>()[token / sequence];
  }
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", EmbedLayerNormalization,
              op<EmbedNormalization, parse, infer, run>(since(1)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QEmbedLayerNormalization,
              op<EmbedNormalization, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
