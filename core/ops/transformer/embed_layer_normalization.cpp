// EmbedLayerNormalization of com.microsoft - the sum of word, position and segment embeddings, normalised;
// and how many tokens of each batch a mask leaves.

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "kernels/normalize.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/move.hpp"

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

struct EmbedNormalization {
  float epsilon;
};

EmbedNormalization parse(const NodeView& n) { return {n.attr_float("epsilon", 1e-12f)}; }

void infer(const EmbedNormalization&, InferContext& c) {
  const SymShape &ids = c.shape(kIds), &table = c.shape(kWordTable);
  c.require(!ids.has_rank() || ids.rank() == 2, "expected ids of rank 2, got {}", ids);
  c.require(!table.has_rank() || table.rank() == 2, "expected a table of rank 2, got {}", table);
  check_type(c.dtype(kWordTable), kFloats);
  const Dim batch = ids.has_rank() ? ids[0] : Dim();
  const SymShape shape({batch, ids.has_rank() ? ids[1] : Dim(), table.has_rank() ? table[1] : Dim()});
  c.out(kY, c.dtype(kWordTable), shape);
  c.out(kMaskIndex, DType::kInt32, SymShape({batch}));
  c.out(kSum, c.dtype(kWordTable), shape);
}

/// Rows of a table, named by ids [batch or 1, sequence] or, without them, by the place in the sequence.
struct Embedding {
  const float* table;
  int64_t rows;
  std::optional<Indices> ids;
  size_t id_count;

  const float* row(size_t token, size_t sequence, size_t columns) const {
    const size_t i = ids ? token % id_count : token % sequence;
    const int64_t id = ids ? (*ids)[i] : static_cast<int64_t>(i);
    Requires::require(id >= 0 && id < rows, "id {} is outside of the {} rows", id, rows);
    return table + static_cast<size_t>(id) * columns;
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
    Embedding e{as_f32(c, t), t.dim(0), {}, words.count()};
    if (c.has(ids)) {
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
    return as_f32(c, c.in(i));
  };
  const float *gamma = parameter(kGamma), *beta = parameter(kBeta);
  F32Output y(c, c.out(kY));
  std::optional<F32Output> sums;
  if (c.wants(kSum)) sums.emplace(c, c.out(kSum));
  for (size_t token = 0; token < words.count(); ++token) {
    float* const sum = (sums ? sums->data() : y.data()) + token * columns;
    std::copy_n(embeddings[0].row(token, sequence, columns), columns, sum);
    for (size_t i = 1; i < embeddings.size(); ++i) {
      kernels::binary(kernels::Binary::kAdd, sum, embeddings[i].row(token, sequence, columns), sum, columns);
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

}  // namespace kinglet::ops
