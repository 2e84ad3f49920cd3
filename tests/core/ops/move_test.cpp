#include "ops/move.hpp"

#include <catch2/catch_amalgamated.hpp>
#include <cstring>

#include "ops/support/op_test.hpp"

// The copies that the data-moving operators share, against loops over single elements, for every element
// width.

namespace kinglet::test {
namespace {

using ops::CopyAxis;
using ops::IndexMaps;
using ops::kOutside;

constexpr DType kWidths[] = {DType::kUint8,   DType::kFloat16,    DType::kFloat32,
                             DType::kFloat64, DType::kComplex128, DType::kString};

/// A tensor whose elements all differ.
Tensor distinct(DType type, const Shape& shape) {
  Tensor t(type, shape);
  for (size_t i = 0; i < t.count(); ++i) {
    if (type == DType::kString) {
      t.data<std::string>()[i] = text("element number {}", i);
    } else {
      for (size_t b = 0; b < dtype_size(type); ++b)
        ops::element(t, i)[b] = static_cast<std::byte>(i * 31 + b * 7 + 1);
    }
  }
  return t;
}

bool same_element(const Tensor& a, size_t i, const Tensor& b, size_t j) {
  if (a.dtype() == DType::kString) return a.data<std::string>()[i] == b.data<std::string>()[j];
  return std::memcmp(ops::element(a, i), ops::element(b, j), dtype_size(a.dtype())) == 0;
}

Tensor zeros(DType type, const Shape& shape) {
  Tensor t(type, shape);
  ops::fill_elements(type, t.raw(), nullptr, t.count());
  return t;
}

struct Strided {
  const char* label;
  std::vector<CopyAxis> axes;
  size_t first;           // element of the source
  size_t source, target;  // their sizes
};

}  // namespace

TEST_CASE("copy_strided") {
  const Strided rows[] = {
      {"one element", {}, 3, 4, 1},
      {"dense", {{6, 1, 1}}, 0, 6, 6},
      {"dense in two loops", {{2, 3, 3}, {3, 1, 1}}, 0, 6, 6},
      {"transposed", {{3, 4, 1}, {4, 1, 3}}, 0, 12, 12},
      {"loops given inside out", {{4, 1, 3}, {3, 4, 1}}, 0, 12, 12},
      {"backwards", {{5, 1, -1}}, 4, 5, 5},
      {"every other, backwards", {{2, 3, 6}, {3, 1, -2}}, 4, 11, 6},
      {"repeated element", {{7, 1, 0}}, 2, 3, 7},
      {"repeated rows", {{3, 2, 0}, {2, 1, 1}}, 0, 2, 6},
      {"a loop of one step", {{2, 2, 2}, {1, 99, 99}, {2, 1, 1}}, 0, 4, 4},
      {"gaps in the target", {{3, 4, 2}, {2, 1, 1}}, 0, 6, 12},
      {"four loops that do not join", {{2, 24, 1}, {3, 8, 2}, {2, 4, 12}, {2, 2, 6}}, 0, 24, 48},
      {"a loop of no steps", {{2, 2, 2}, {0, 1, 1}}, 0, 4, 4},
  };
  for (const Strided& row : rows) {
    for (const DType type : kWidths) {
      INFO(row.label << ", " << dtype_name(type));
      const Tensor source = distinct(type, {static_cast<int64_t>(row.source)});
      Tensor got = zeros(type, {static_cast<int64_t>(row.target)}), want = zeros(type, got.shape());
      ops::copy_strided(type, row.axes, got.raw(), ops::element(source, row.first));
      size_t total = 1;
      for (const CopyAxis& axis : row.axes) total *= static_cast<size_t>(axis.count);
      for (size_t n = 0; n < total; ++n) {
        auto from = static_cast<int64_t>(row.first), to = int64_t{0};
        size_t rest = n;
        for (const CopyAxis& axis : row.axes) {
          const auto step = static_cast<int64_t>(rest % static_cast<size_t>(axis.count));
          rest /= static_cast<size_t>(axis.count);
          from += step * axis.src_stride;
          to += step * axis.dst_stride;
        }
        ops::copy_elements(type, ops::element(want, static_cast<size_t>(to)),
                           ops::element(source, static_cast<size_t>(from)), 1);
      }
      bool same = true;
      for (size_t i = 0; i < row.target; ++i) same = same && same_element(got, i, want, i);
      CHECK(same);
    }
  }
}

TEST_CASE("copy_mapped") {
  struct Mapped {
    const char* label;
    Shape in;
    IndexMaps maps;
  };
  const Mapped rows[] = {
      {"identity", {2, 3}, {{0, 1}, {0, 1, 2}}},
      {"a scalar", {}, {}},
      {"rows only", {3, 4}, {{2, 0, 0, kOutside}, {0, 1, 2, 3}}},
      {"scattered columns", {2, 3}, {{1, 0}, {2, 0, kOutside, 1, 1}}},
      {"long runs", {1, 20}, {{0}, {kOutside, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                    10,       11, 12, 13, 14, 15, 16, 17, 18, 19, 19}}},
      {"repeated rows of repeated columns", {2, 2}, {{0, 0, 1, 1}, {0, 0, 1, 1}}},
      {"the middle of three dims", {2, 2, 3}, {{0, 1}, {1, kOutside, 0}, {0, 1, 2}}},
      {"all dims", {2, 2, 2}, {{kOutside, 1}, {1, 0, 0}, {0, kOutside}}},
      {"all outside", {2, 2}, {{kOutside}, {kOutside, kOutside}}},
      {"nothing", {2, 2}, {{}, {0, 1}}},
  };
  for (const Mapped& row : rows) {
    for (const DType type : kWidths) {
      for (const bool with_fill : {false, true}) {
        INFO(row.label << ", " << dtype_name(type) << (with_fill ? ", filled" : ""));
        const Tensor in = distinct(type, row.in),
                     fill = with_fill ? distinct(type, {100}) : zeros(type, {100});
        Shape shape;
        for (const auto& map : row.maps) shape.push_back(static_cast<int64_t>(map.size()));
        Tensor out(type, shape);
        ops::copy_mapped(in, out, row.maps, with_fill ? ops::element(fill, 99) : nullptr);
        const auto strides = ops::strides_of(row.in), ones = ops::strides_of(shape);
        bool same = true;
        for (size_t i = 0; i < out.count(); ++i) {
          size_t from = 0;
          bool outside = false;
          for (size_t d = 0; d < shape.rank(); ++d) {
            const auto index = static_cast<int64_t>(i) / ones[d] % shape[d];
            const int64_t mapped = row.maps[d][static_cast<size_t>(index)];
            outside = outside || mapped == kOutside;
            from += static_cast<size_t>(mapped * strides[d]);
          }
          same = same && (outside ? same_element(out, i, fill, 99) : same_element(out, i, in, from));
        }
        CHECK(same);
      }
    }
  }
}

}  // namespace kinglet::test
