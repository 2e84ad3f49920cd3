#include "graph/memory_plan.hpp"

#include <catch2/catch_amalgamated.hpp>

#include <algorithm>
#include <random>

#include "base/error.hpp"
#include "base/memory.hpp"

using namespace kinglet;

namespace {

size_t peak_live_bytes(const std::vector<LiveBlock>& blocks) {
  size_t peak = 0;
  for (const LiveBlock& at : blocks) {
    size_t live = 0;
    for (const LiveBlock& b : blocks) {
      if (b.first_step <= at.first_step && at.first_step <= b.last_step) live += align_up(b.bytes);
    }
    peak = std::max(peak, live);
  }
  return peak;
}

void check_plan(std::vector<LiveBlock> blocks, size_t most) {
  const size_t total = plan_memory(blocks);
  CHECK(total >= peak_live_bytes(blocks));
  CHECK(total <= most);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const LiveBlock& a = blocks[i];
    REQUIRE(a.offset % kAlignment == 0);
    REQUIRE(a.offset + a.bytes <= total);
    for (size_t j = 0; j < i; ++j) {
      const LiveBlock& b = blocks[j];
      const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
      const bool overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      REQUIRE_FALSE((together && overlap));
    }
  }
}

}  // namespace

TEST_CASE("blocks that live together do not overlap, and the arena is near the peak", "[memory_plan]") {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<LiveBlock> blocks(1 + random() % 60);
    for (LiveBlock& b : blocks) {
      b.bytes = random() % 5 == 0 ? 0 : random() % 5000;
      b.first_step = random() % 50;
      b.last_step = random() % 20 == 0 ? UINT32_MAX : b.first_step + random() % 6;
    }
    check_plan(blocks, peak_live_bytes(blocks) * 3 / 2 + kAlignment);
  }
}

TEST_CASE("a chain needs the memory of its largest neighbours only", "[memory_plan]") {
  std::vector<LiveBlock> chain;
  for (uint32_t i = 0; i < 100; ++i) chain.push_back({1024, i, i + 1, 0});
  check_plan(chain, 2048);
  check_plan({}, 0);
  check_plan({{100, 0, 0, 0}}, 112);
}

TEST_CASE("an arena beyond the address space is out of memory", "[memory_plan]") {
  std::vector<LiveBlock> blocks = {{SIZE_MAX / 2, 0, 1, 0}, {SIZE_MAX / 2, 0, 1, 0}, {SIZE_MAX / 2, 0, 1, 0}};
  try {
    plan_memory(blocks);
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK(e.code == ErrorCode::kOutOfMemory);
    CHECK(e.requested_bytes > SIZE_MAX / 2);
  }
}
