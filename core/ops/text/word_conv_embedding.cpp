// WordConvEmbedding of com.microsoft: words [n, characters], 0 behind their ends, become vectors [n, filters]: the
// highest tanh of a convolution over the embeddings of their characters.

#include <algorithm>

#include "kernels/gemm.hpp"
#include "kernels/math.hpp"
#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kWords, kFilters, kBias, kTable };

struct WordConvEmbedding {
  int64_t filters, window, character;  // what the weights must be; -1: anything
};

WordConvEmbedding parse(const NodeView& n) {
  return {n.attr_int("embedding_size", -1), n.attr_int("conv_window_size", -1), n.attr_int("char_embedding_size", -1)};
}

void infer(const WordConvEmbedding&, InferContext& c) {
  check_type(c.dtype(kWords), type_set(DType::kInt32));
  for (const size_t i : {kFilters, kBias, kTable}) check_type(c.dtype(i), type_set(DType::kFloat32));
  const SymShape &words = c.shape(kWords), &filters = c.shape(kFilters), &table = c.shape(kTable);
  c.require(!words.has_rank() || words.rank() == 2, "expected words of rank 2, got {}", words);
  c.require(!filters.has_rank() || filters.rank() == 4, "expected filters of rank 4, got {}", filters);
  c.require(!table.has_rank() || table.rank() == 2, "expected a table of rank 2, got {}", table);
  c.out(0, DType::kFloat32, SymShape({words.has_rank() ? words[0] : Dim(), filters.has_rank() ? filters[0] : Dim()}));
}

void run(const WordConvEmbedding& op, RunContext& c) {
  const Tensor &words = c.in(kWords), &weights = c.in(kFilters), &table = c.in(kTable);
  const Shape& f = weights.shape();
  const int64_t longest = words.dim(1), window = f[2], width = table.dim(1);
  const auto is = [](int64_t wanted, int64_t got) { return wanted == -1 || wanted == got; };
  c.require(is(op.filters, f[0]) && is(op.window, window) && is(op.character, width),
            "filters {} and characters of {} are not those of the attributes", f, width);
  c.require(f[1] == 1 && f[3] == width && window >= 1 && window <= longest,
            "filters {} do not go with words {} and characters of {}", f, words.shape(), width);
  c.require(c.in(kBias).count() == static_cast<size_t>(f[0]), "expected bias of {} elements, got {}", f[0], c.in(kBias).shape());
  const auto filters = static_cast<size_t>(f[0]), depth = static_cast<size_t>(window * width), places = static_cast<size_t>(longest - window + 1);
  const Indices ids(words);
  float* const packed = c.scratch<float>(kernels::packed_b_size(depth, filters));
  kernels::pack_b(packed, depth, filters, weights.data<float>(), 1, static_cast<ptrdiff_t>(depth));
  float *const characters = c.scratch<float>(static_cast<size_t>(longest), static_cast<size_t>(width)), *const found = c.scratch<float>(places, filters);
  for (int64_t word = 0; word < words.dim(0); ++word) {
    const auto first = static_cast<size_t>(word * longest);
    float* const y = c.out(0).data<float>() + static_cast<size_t>(word) * filters;
    int64_t length = 0;
    for (int64_t i = 0; i < longest && ids[first] > 0; ++i) length += ids[first + static_cast<size_t>(i)] > 0;
    if (length == 0) {
      std::fill_n(y, filters, 0.0f);
      continue;
    }
    const int64_t used = std::max(length, window);
    for (int64_t i = 0; i < used; ++i) {
      const int64_t id = ids[first + static_cast<size_t>(i)];
      c.require(id >= 0 && id < table.dim(0), "id {} is outside of the {} rows", id, table.dim(0));
      std::copy_n(table.data<float>() + id * width, width, characters + i * width);
    }
    // Places overlap: a row of A is the window behind the one before, one character on.
    const auto rows = static_cast<size_t>(used - window + 1);
    kernels::gemm(rows, filters, depth, characters, static_cast<ptrdiff_t>(width), packed, found, static_cast<ptrdiff_t>(filters),
                  {.bias = c.in(kBias).data<float>()});
    kernels::tanh(found, found, rows * filters);
    std::copy_n(found, filters, y);
    for (size_t i = filters; i < rows * filters; ++i) y[i % filters] = std::max(y[i % filters], found[i]);
  }
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", WordConvEmbedding,
              op<WordConvEmbedding, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
