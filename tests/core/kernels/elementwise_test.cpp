#include "kernels/elementwise.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

const Binary kOps[] = {Binary::kAdd, Binary::kSub, Binary::kMul, Binary::kDiv, Binary::kMin, Binary::kMax};

float reference(Binary op, float a, float b) {
  switch (op) {
    case Binary::kAdd: return a + b;
    case Binary::kSub: return a - b;
    case Binary::kMul: return a * b;
    case Binary::kDiv: return a / b;
    case Binary::kMin: return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
    case Binary::kMax: return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
  }
  return NAN;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

TEST_CASE("elementwise: every form and length") {
  for (const Binary op : kOps) {
    for (size_t rows = 1; rows <= 4; ++rows) {
      for (size_t columns = 0; columns <= 17; ++columns) {
        CAPTURE(static_cast<int>(op), rows, columns);
        Random random(static_cast<uint32_t>(rows * 20 + columns + 1));
        const size_t n = rows * columns;
        const auto a = random.values(n), b = random.values(n), row = random.values(columns),
                   column = random.values(rows);
        std::vector<float> y(n);
        const auto expect = [&](auto left, auto right) {
          for (size_t i = 0; i < n; ++i) {
            if (!same(y[i], reference(op, left(i), right(i)))) return false;
          }
          return true;
        };
        const auto at_a = [&](size_t i) { return a[i]; };
        const auto at_b = [&](size_t i) { return b[i]; };
        const auto at_row = [&](size_t i) { return row[i % columns]; };
        const auto at_column = [&](size_t i) { return column[i / columns]; };
        const auto scalar = [](size_t) { return 0.75f; };
        binary(op, a.data(), b.data(), y.data(), n);
        REQUIRE(expect(at_a, at_b));
        binary_scalar(op, a.data(), 0.75f, y.data(), n);
        REQUIRE(expect(at_a, scalar));
        scalar_binary(op, 0.75f, b.data(), y.data(), n);
        REQUIRE(expect(scalar, at_b));
        binary_row(op, a.data(), row.data(), y.data(), rows, columns);
        REQUIRE(expect(at_a, at_row));
        row_binary(op, row.data(), b.data(), y.data(), rows, columns);
        REQUIRE(expect(at_row, at_b));
        binary_column(op, a.data(), column.data(), y.data(), rows, columns);
        REQUIRE(expect(at_a, at_column));
        column_binary(op, column.data(), b.data(), y.data(), rows, columns);
        REQUIRE(expect(at_column, at_b));
        y = a;
        binary(op, y.data(), b.data(), y.data(), n);
        REQUIRE(expect(at_a, at_b));
      }
    }
  }
}

TEST_CASE("elementwise: min and max give NaN for a NaN on either side") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> a = {nan, 1, inf, -inf, nan}, b = {1, nan, 2, 2, nan};
  for (const Binary op : {Binary::kMin, Binary::kMax}) {
    std::vector<float> y(a.size());
    binary(op, a.data(), b.data(), y.data(), y.size());
    for (size_t i = 0; i < y.size(); ++i) REQUIRE(same(y[i], reference(op, a[i], b[i])));
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
