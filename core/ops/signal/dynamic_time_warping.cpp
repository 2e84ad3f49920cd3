// DynamicTimeWarping of com.microsoft: the cheapest way through a matrix of costs from its first to its last element,
// by steps to the right, down, or both: [2, steps], rows before columns.

#include <algorithm>
#include <limits>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct DynamicTimeWarping {};
DynamicTimeWarping parse(const NodeView&) { return {}; }

void infer(const DynamicTimeWarping&, InferContext& c) {
  check_type(c.dtype(0), type_set(DType::kFloat32));
  const SymShape& x = c.shape(0);
  const bool fits = !x.has_rank() || x.rank() == 2 || (x.rank() == 3 && (!x[0].known() || x[0].value() == 1));
  c.require(fits, "expected one matrix, got {}", x);
  c.out(0, DType::kInt32, SymShape({2, Dim()}));
}

void run(const DynamicTimeWarping&, RunContext& c) {
  const Tensor& x = c.in(0);
  const auto rows = static_cast<size_t>(x.dim(x.rank() - 2)), columns = static_cast<size_t>(x.dim(x.rank() - 1));
  enum Step : uint8_t { kBoth, kDown, kRight };
  uint8_t* const steps = c.scratch<uint8_t>(x.count());
  // The sums of a row, the one before it in place until it is passed; one column before the first.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> sums(columns + 1, kInfinity);
  sums[0] = 0;
  for (size_t i = 0; i < rows; ++i) {
    float diagonal = sums[0];
    sums[0] = kInfinity;
    for (size_t j = 0; j < columns; ++j) {
      const float down = sums[j + 1], right = sums[j];
      Step step = kRight;
      float sum = right;
      if (diagonal < down && diagonal < right) {
        step = kBoth;
        sum = diagonal;
      } else if (down < diagonal && down < right) {
        step = kDown;
        sum = down;
      }
      steps[i * columns + j] = step;
      diagonal = down;
      sums[j + 1] = sum + x.data<float>()[i * columns + j];
    }
  }
  std::vector<int32_t> path;  // from the end: columns and rows in turns
  for (size_t i = rows, j = columns; i > 0 && j > 0;) {
    path.push_back(static_cast<int32_t>(j - 1));
    path.push_back(static_cast<int32_t>(i - 1));
    const uint8_t step = steps[(i - 1) * columns + j - 1];
    if (step != kRight) --i;
    if (step != kDown) --j;
  }
  std::reverse(path.begin(), path.end());
  const size_t n = path.size() / 2;
  int32_t* const to = c.out(0, DType::kInt32, {2, static_cast<int64_t>(n)}).data<int32_t>();
  for (size_t i = 0; i < 2 * n; ++i) to[i % 2 * n + i / 2] = path[i];
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", DynamicTimeWarping,
              op<DynamicTimeWarping, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
