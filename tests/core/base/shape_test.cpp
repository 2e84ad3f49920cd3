#include "base/shape.hpp"

#include <catch2/catch_amalgamated.hpp>

using namespace kinglet;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class F>
std::string error_of(F&& f, ErrorCode code = ErrorCode::kShape) {
  try {
    f();
  } catch (const Error& e) {
    CHECK(e.code == code);
    return e.message;
  }
  FAIL("nothing was thrown");
  return {};
}

std::string shown(const SymShape& shape) { return text("{}", shape); }

}  // namespace

TEST_CASE("counts of shapes", "[base]") {
  CHECK(Shape{}.count() == 1);
  CHECK(Shape{2, 3, 4}.count() == 24);
  CHECK(Shape{2, 0, 4}.count() == 0);
  CHECK(Shape{0, int64_t{1} << 40}.count() == 0);
  CHECK(Shape{2, 3, 4}.count(1, 3) == 12);
  CHECK(Shape{2, 3, 4}.count(1, 1) == 1);
  CHECK_THAT(error_of([] { Shape{2, -1}.count(); }), ContainsSubstring("[2,-1] has a negative dim"));
  CHECK_THAT(error_of([] { Shape{0, -1}.count(); }), ContainsSubstring("negative dim"));
  CHECK_THAT(error_of([] { Shape{int64_t{1} << 62}.count(); }), ContainsSubstring("more than 2^48 elements"));
  CHECK_THAT(error_of([] { Shape{int64_t{1} << 40, int64_t{1} << 40, int64_t{1} << 48}.count(); }),
             ContainsSubstring("more than 2^48"));
}

TEST_CASE("shapes have up to 16 dims", "[base]") {
  Shape s{std::vector<int64_t>(kMaxRank, 1)};
  CHECK(s.rank() == 16);
  CHECK_THAT(error_of([&] { s.push_back(1); }), ContainsSubstring("rank 17 is above the limit of 16"));
  CHECK_THAT(error_of([] { Shape{std::vector<int64_t>(17, 1)}; }), ContainsSubstring("rank 17"));
  CHECK_THAT(error_of([] { SymShape::of_rank(17); }), ContainsSubstring("rank 17"));
}

TEST_CASE("shapes are equal by rank and dims", "[base]") {
  CHECK(Shape{1, 2} == Shape{1, 2});
  CHECK_FALSE(Shape{1, 2} == Shape{1, 2, 1});
  CHECK_FALSE(Shape{} == Shape{1});
  CHECK(text("{} {}", Shape{}, Shape{1, 224}) == "[] [1,224]");
}

TEST_CASE("axes count from either end", "[base]") {
  CHECK(normalize_axis(0, 3) == 0);
  CHECK(normalize_axis(-1, 3) == 2);
  CHECK(normalize_axis(-3, 3) == 0);
  CHECK(error_of([] { normalize_axis(3, 3); }) == "axis 3 is outside of rank 3");
  CHECK(error_of([] { normalize_axis(-4, 3); }) == "axis -4 is outside of rank 3");
  CHECK(error_of([] { normalize_axis(0, 0); }) == "axis 0 is outside of rank 0");
  CHECK_THROWS_AS(normalize_axis(INT64_MIN, 3), Error);
}

TEST_CASE("shapes broadcast as in NumPy", "[base]") {
  struct Row {
    Shape a, b, expected;
  };
  const Row rows[] = {
      {{}, {}, {}},
      {{}, {2, 3}, {2, 3}},
      {{3}, {2, 3}, {2, 3}},
      {{2, 1}, {1, 3}, {2, 3}},
      {{2, 3}, {2, 3}, {2, 3}},
      {{5, 1, 4}, {3, 1}, {5, 3, 4}},
      {{1}, {0}, {0}},
      {{2, 0}, {1, 1}, {2, 0}},
  };
  for (const Row& row : rows) {
    CHECK(broadcast(row.a, row.b) == row.expected);
    CHECK(broadcast(row.b, row.a) == row.expected);
  }
  CHECK(error_of([] { broadcast(Shape{2, 3}, Shape{4}); }) == "shapes [2,3] and [4] do not broadcast");
  CHECK_THROWS_AS(broadcast(Shape{0}, Shape{2}), Error);
}

TEST_CASE("a dim is a number, a symbol or unknown", "[base]") {
  const Dim number(7), unknown, a = Dim::symbol(0), b = Dim::symbol(1);
  CHECK(number.known());
  CHECK(number.value() == 7);
  CHECK_FALSE(unknown.known());
  CHECK_FALSE(unknown.is_symbol());
  CHECK_FALSE(Dim(-5).known());
  CHECK_FALSE(Dim(-5).is_symbol());
  CHECK(a.is_symbol());
  CHECK(b.symbol_index() == 1);
  CHECK(a.same(Dim::symbol(0)));
  CHECK_FALSE(a.same(b));
  CHECK_FALSE(unknown.same(unknown));
  CHECK(number.same(Dim(7)));
}

TEST_CASE("symbolic shapes", "[base]") {
  CHECK_FALSE(SymShape().has_rank());
  CHECK_FALSE(SymShape().is_concrete());
  CHECK(SymShape::of_rank(0).is_concrete());
  CHECK(SymShape(Shape{2, 3}).concrete() == Shape{2, 3});
  CHECK_FALSE(SymShape({Dim(2), Dim()}).is_concrete());
  CHECK(shown({}) == "[...]");
  CHECK(shown(SymShape({Dim(2), Dim()})) == "[2,?]");
}

TEST_CASE("symbolic shapes broadcast as far as can be said", "[base]") {
  const Dim n = Dim::symbol(0), m = Dim::symbol(1), unknown;
  const SymShape both = broadcast(SymShape({n, Dim(1), n, Dim(4)}), SymShape({n, m, Dim(5), unknown}));
  CHECK(both[0].same(n));
  CHECK(both[1].same(m));
  CHECK(both[2].same(Dim(5)));  // n is 1 or 5
  CHECK(both[3].same(Dim(4)));
  const SymShape unsaid = broadcast(SymShape({n, unknown}), SymShape({m, n}));
  for (const size_t i : {0, 1}) {
    CHECK_FALSE(unsaid[i].known());
    CHECK_FALSE(unsaid[i].is_symbol());
  }
  CHECK(broadcast(SymShape({n}), SymShape(Shape{2, 1})).rank() == 2);
  CHECK_FALSE(broadcast(SymShape(), SymShape(Shape{2})).has_rank());
  CHECK(error_of([] { broadcast(SymShape(Shape{2}), SymShape(Shape{3})); }) ==
        "dims 2 and 3 do not broadcast");
}
