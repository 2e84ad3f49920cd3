#include "kernels/packed_parts.hpp"

#include <cstring>
#include <utility>

#include "base/flags.hpp"

namespace kinglet::kernels {
namespace {

/// A panel's blocks: `whole` of `floats` each, then one of `last` where that is smaller.
struct PanelBlocks {
  size_t whole, floats, last;

  explicit PanelBlocks(size_t k) {
    const size_t step = DepthSplit(k).step;
    whole = k / step;
    floats = step * kPanelWidth;
    last = (k - whole * step) * kPanelWidth;
  }
};

void copy(float* to, const float* from, size_t floats) { std::memcpy(to, from, floats * sizeof(float)); }

/// In place, pieces [rows, columns] of so many floats to [columns, rows], each cycle of places by itself. `carried` has room for two.
void transpose_pieces(float* data, size_t rows, size_t columns, size_t floats, float* carried) {
  Flags done(rows * columns, false);
  float* next = carried + floats;
  for (size_t start = 1; start + 1 < rows * columns; ++start) {
    if (done[start]) continue;
    copy(carried, data + start * floats, floats);
    size_t at = start;
    do {
      at = at % columns * rows + at / columns;
      copy(next, data + at * floats, floats);
      copy(data + at * floats, carried, floats);
      std::swap(carried, next);
      done[at] = true;
    } while (at != start);
  }
}

}  // namespace

size_t join_panels_scratch_size(size_t k, size_t n) {
  const PanelBlocks blocks(k);
  return 2 * blocks.floats + blocks.last * (n / kPanelWidth);
}

void join_panels(float* packed, size_t k, size_t n, float* scratch) {
  const PanelBlocks blocks(k);
  const size_t panels = n / kPanelWidth;
  if (blocks.whole + (blocks.last != 0) <= 1 || panels <= 1) return;
  float* const lasts = scratch + 2 * blocks.floats;
  if (blocks.last != 0) {
    // Pieces of one size can change places: the smaller ones wait outside, and the others move together.
    const size_t kept = blocks.whole * blocks.floats;
    for (size_t p = 0; p < panels; ++p) {
      const float* const panel = packed + p * (kept + blocks.last);
      copy(lasts + p * blocks.last, panel + kept, blocks.last);
      std::memmove(packed + p * kept, panel, kept * sizeof(float));
    }
  }
  transpose_pieces(packed, panels, blocks.whole, blocks.floats, scratch);
  copy(packed + panels * blocks.whole * blocks.floats, lasts, panels * blocks.last);
}

}  // namespace kinglet::kernels
