#include "kernels/transpose.hpp"

#include <cstring>
#include <numeric>

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

/// Every byte differs from its neighbours, so an element of any width shows where it came from.
std::vector<uint8_t> bytes(size_t n) {
  Random random(static_cast<uint32_t>(n + 1));
  std::vector<uint8_t> v(n);
  for (auto& b : v) b = static_cast<uint8_t>(random.below(256));
  return v;
}

void check(const std::vector<size_t>& dims, const std::vector<size_t>& permutation, size_t element_bytes) {
  CAPTURE(dims, permutation, element_bytes);
  const size_t rank = dims.size();
  const size_t count = std::accumulate(dims.begin(), dims.end(), size_t{1}, std::multiplies<>());
  const auto src = bytes(count * element_bytes);
  std::vector<uint8_t> dst(src.size()), want(src.size());
  for (size_t i = 0; i < count; ++i) {
    std::vector<size_t> at(rank);
    size_t rest = i, to = 0;
    for (size_t d = rank; d-- > 0; rest /= dims[d]) at[d] = rest % dims[d];
    for (size_t d = 0; d < rank; ++d) to = to * dims[permutation[d]] + at[permutation[d]];
    std::memcpy(want.data() + to * element_bytes, src.data() + i * element_bytes, element_bytes);
  }
  transpose(src.data(), dst.data(), element_bytes, dims, permutation);
  REQUIRE(dst == want);
}

const size_t kWidths[] = {1, 2, 4, 8, 16};

TEST_CASE("transpose: every permutation of up to five dimensions, every width") {
  for (const std::vector<size_t>& dims : std::vector<std::vector<size_t>>{{},
                                                                          {5},
                                                                          {3, 4},
                                                                          {1, 7},
                                                                          {2, 3, 5},
                                                                          {4, 1, 6},
                                                                          {2, 3, 4, 5},
                                                                          {1, 8, 1, 3},
                                                                          {2, 2, 3, 1, 4},
                                                                          {3, 2, 1, 2, 2}}) {
    std::vector<size_t> permutation(dims.size());
    std::iota(permutation.begin(), permutation.end(), size_t{0});
    do {
      for (size_t width : kWidths) check(dims, permutation, width);
    } while (std::next_permutation(permutation.begin(), permutation.end()));
  }
}

TEST_CASE("transpose: matrices of every small size and beyond a square") {
  for (size_t rows = 1; rows <= 18; ++rows) {
    for (size_t columns = 1; columns <= 18; ++columns) check({rows, columns}, {1, 0}, 4);
  }
  for (size_t width : kWidths) {
    check({50, 67}, {1, 0}, width);
    check({2, 33, 40}, {0, 2, 1}, width);
  }
}

TEST_CASE("transpose: an empty dimension, many dimensions of size 1") {
  check({3, 0, 2}, {2, 0, 1}, 4);
  std::vector<size_t> dims(100, 1), permutation(100);
  dims[3] = 4;
  dims[97] = 5;
  for (size_t i = 0; i < 100; ++i) permutation[i] = 99 - i;
  check(dims, permutation, 4);
}

TEST_CASE("transpose_matrices: NCHW to NHWC and back") {
  for (size_t width : kWidths) {
    const size_t batch = 3, rows = 5, columns = 21;
    const auto src = bytes(batch * rows * columns * width);
    std::vector<uint8_t> nhwc(src.size()), want(src.size()), back(src.size());
    transpose_matrices(src.data(), nhwc.data(), width, batch, rows, columns);
    const size_t dims[] = {batch, rows, columns}, permutation[] = {0, 2, 1};
    transpose(src.data(), want.data(), width, dims, permutation);
    REQUIRE(nhwc == want);
    transpose_matrices(nhwc.data(), back.data(), width, batch, columns, rows);
    REQUIRE(back == src);
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
