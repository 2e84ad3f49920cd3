#pragma once
// Where activations lie: offsets in one arena, shared by blocks that are never live together.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kinglet {

/// A block and the steps between which it is live, both ends included.
struct LiveBlock {
  size_t bytes = 0;
  uint32_t first_step = 0, last_step = 0;
  size_t offset = 0;  ///< the result
};

/// Sets the offsets (multiples of kAlignment) and returns the arena's size. Largest block first, each in the
/// smallest gap that holds it between blocks live at the same time (Pisarchyk and Lee, "Efficient Memory Management
/// for Deep Neural Net Inference", 2020, algorithm "greedy by size"). Throws kOutOfMemory when the arena does not fit
/// the address space.
size_t plan_memory(std::vector<LiveBlock>& blocks);

}  // namespace kinglet
