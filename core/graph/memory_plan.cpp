#include "graph/memory_plan.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "base/error.hpp"
#include "base/inlining.hpp"
#include "base/memory.hpp"

namespace kinglet {
namespace {

struct Placed {
  size_t offset, end;
  uint32_t first_step, last_step;
};

/// The offset of the smallest gap of at least `bytes` between the blocks that live when this one does, or behind them.
KINGLET_APART size_t best_gap(std::span<const Placed> placed, const LiveBlock& block, size_t bytes) {
  size_t best_offset = SIZE_MAX, best_gap = SIZE_MAX, end = 0;
  for (const Placed& other : placed) {
    if (other.last_step < block.first_step || block.last_step < other.first_step) continue;
    if (other.offset >= end && other.offset - end >= bytes && other.offset - end < best_gap) {
      best_offset = end;
      best_gap = other.offset - end;
    }
    end = std::max(end, other.end);
  }
  return best_offset != SIZE_MAX ? best_offset : end;
}

}  // namespace

size_t plan_memory(std::vector<LiveBlock>& blocks) {
  std::vector<uint32_t> by_size(blocks.size());
  std::iota(by_size.begin(), by_size.end(), 0u);
  // By a heap: std::stable_sort is five times the code.
  const auto is_first = [&](uint32_t a, uint32_t b) {
    return blocks[a].bytes != blocks[b].bytes ? blocks[a].bytes > blocks[b].bytes : a < b;
  };
  std::make_heap(by_size.begin(), by_size.end(), is_first);
  std::sort_heap(by_size.begin(), by_size.end(), is_first);

  std::vector<Placed> placed;  // by offset
  uint64_t arena_bytes = 0;
  for (const uint32_t index : by_size) {
    LiveBlock& block = blocks[index];
    const size_t bytes = align_up(block.bytes);
    block.offset = best_gap(placed, block, bytes);
    if (bytes > SIZE_MAX - block.offset) {
      const uint64_t offset = block.offset;
      throw_out_of_memory(bytes > UINT64_MAX - offset ? UINT64_MAX : offset + bytes);
    }
    arena_bytes = std::max(arena_bytes, uint64_t{block.offset} + bytes);
    if (arena_bytes > SIZE_MAX - kAlignment) throw_out_of_memory(arena_bytes);
    const auto at = std::upper_bound(placed.begin(), placed.end(), block.offset,
                                     [](size_t offset, const Placed& other) { return offset < other.offset; });
    placed.insert(at, {block.offset, block.offset + bytes, block.first_step, block.last_step});
  }
  return static_cast<size_t>(arena_bytes);
}

}  // namespace kinglet
