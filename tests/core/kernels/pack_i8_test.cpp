#include "kernels/gemm_i8.hpp"

#include <random>

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

/// The packed form by its definition (kernels/pack_i8.hpp), from codes [k, n].
std::vector<int8_t> packed_by_definition(const std::vector<uint8_t>& codes, size_t k, size_t n, bool is_signed, size_t step) {
  const size_t depth = (k + step - 1) / step * step, columns = (n + 7) / 8 * 8;
  std::vector<int8_t> out;
  std::vector<int32_t> sums(columns, 0);
  for (size_t panel = 0; panel < columns; panel += 8) {
    for (size_t i = 0; i < depth; i += step) {
      for (size_t j = panel; j < panel + 8; ++j) {
        for (size_t p = i; p < i + step; ++p) {
          const int code = p < k && j < n ? codes[p * n + j] ^ (is_signed ? 0 : 128) : 0;
          out.push_back(static_cast<int8_t>(code));
          sums[j] += out.back();
        }
      }
    }
  }
  const auto* const bytes = reinterpret_cast<const int8_t*>(sums.data());
  out.insert(out.end(), bytes, bytes + columns * sizeof(int32_t));
  return out;
}

}  // namespace

TEST_CASE("8 bit weights are packed by rows and by columns") {
  std::mt19937 random(5);
  for (const Int8Kernel kernel : {Int8Kernel::kPairs, Int8Kernel::kDotSigned, Int8Kernel::kDotUnsigned}) {
    for (const size_t k : {1, 2, 3, 15, 16, 17, 34, 48}) {
      for (const size_t n : {1, 7, 8, 9, 16, 27}) {
        for (const bool is_signed : {true, false}) {
          CAPTURE(static_cast<int>(kernel), k, n, is_signed);
          std::vector<uint8_t> codes(k * n), transposed(k * n);
          for (size_t i = 0; i < k; ++i) {
            for (size_t j = 0; j < n; ++j) transposed[j * k + i] = codes[i * n + j] = static_cast<uint8_t>(random());
          }
          const auto expected = packed_by_definition(codes, k, n, is_signed, kernel == Int8Kernel::kPairs ? 2 : 4);
          REQUIRE(packed_b_i8_size(k, n, kernel) == expected.size());
          struct alignas(16) Vector {
            int8_t bytes[16];
          };
          std::vector<Vector> room(expected.size() / 16 + 1);
          int8_t* const packed = room[0].bytes;
          pack_b_i8(packed, k, n, {codes.data(), is_signed}, static_cast<ptrdiff_t>(n), 1, kernel);
          CHECK(std::vector<int8_t>(packed, packed + expected.size()) == expected);
          pack_b_i8(packed, k, n, {transposed.data(), is_signed}, 1, static_cast<ptrdiff_t>(k), kernel);
          CHECK(std::vector<int8_t>(packed, packed + expected.size()) == expected);
        }
      }
    }
  }
}

}  // namespace kinglet::kernels::test
