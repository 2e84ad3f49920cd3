#include "base/memory.hpp"

#include <catch2/catch_amalgamated.hpp>

#include <cstdint>
#include <cstring>

#include "base/error.hpp"

using namespace kinglet;

#if defined(__SANITIZE_ADDRESS__)
// By default the sanitizer ends the program where malloc would return null, and out of memory is an error
// like others.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#endif

TEST_CASE("blocks are aligned and at least of the size asked for", "[base]") {
  for (const size_t size : {0, 1, 15, 16, 17, 4096}) {
    const Block block = allocate_block(size);
    REQUIRE(block != nullptr);
    CHECK(reinterpret_cast<uintptr_t>(block.get()) % kAlignment == 0);
    std::memset(block.get(), 1, size);
  }
}

TEST_CASE("sizes are rounded up to the alignment", "[base]") {
  CHECK(align_up(0) == 0);
  CHECK(align_up(1) == 16);
  CHECK(align_up(16) == 16);
  CHECK(align_up(17, 64) == 64);
}

TEST_CASE("a block that cannot be had is an error that says its size", "[base]") {
  for (const size_t size : {SIZE_MAX, SIZE_MAX - kAlignment}) {
    try {
      allocate_block(size);
      FAIL("the block was allocated");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::kOutOfMemory);
      CHECK(e.requested_bytes == size);
      CHECK(e.limit_bytes == (sizeof(void*) == 4 ? uint64_t{4} << 30 : 0));
      CHECK_FALSE(e.message.empty());
    }
  }
}
