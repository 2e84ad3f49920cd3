#include "kernels/copy_rows.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

TEST_CASE("copy_rows: every short length, gaps on both sides, nothing beside the rows") {
  for (size_t bytes : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 2047, 2048, 2051}) {
    for (size_t gap : {0, 3}) {
      CAPTURE(bytes, gap);
      constexpr size_t kRows = 3;
      const size_t from_step = bytes + 2 * gap, to_step = bytes + gap;
      // No byte more than the rows need: sanitizers see what is read past them.
      std::vector<std::byte> from(kRows * from_step);
      for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 7 + 1);
      std::vector<std::byte> to(kRows * to_step), expected = to;
      for (size_t r = 0; r < kRows; ++r) {
        std::copy_n(from.begin() + static_cast<ptrdiff_t>(r * from_step), bytes,
                    expected.begin() + static_cast<ptrdiff_t>(r * to_step));
      }
      copy_rows(to.data(), to_step, from.data(), from_step, kRows, bytes);
      REQUIRE(to == expected);
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
