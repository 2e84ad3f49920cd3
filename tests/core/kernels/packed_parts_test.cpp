#include "kernels/packed_parts.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

TEST_CASE("panels that are packed one by one become packed B") {
  // One block of depth; blocks of one size; a smaller last one.
  for (const size_t k : {1, 7, 384, 512, 501, 769, 1100, 1153}) {
    for (const size_t n : {8, 16, 24, 56, 128}) {
      CAPTURE(k, n);
      std::vector<float> b(n * k);
      for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i);
      std::vector<float> expected(packed_b_size(k, n)), packed(packed_b_size(k, n));
      const auto column = static_cast<ptrdiff_t>(k);
      pack_b(expected.data(), k, n, b.data(), 1, column);
      for (size_t j = 0; j < n; j += kPanelWidth) pack_b(packed.data() + j * k, k, kPanelWidth, b.data() + j * k, 1, column);
      // No float more than it asks for: sanitizers see what is written past them.
      std::vector<float> scratch(join_panels_scratch_size(k, n));
      join_panels(packed.data(), k, n, scratch.data());
      REQUIRE(packed == expected);
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
