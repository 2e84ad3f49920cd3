#include "base/text.hpp"

#include <catch2/catch_amalgamated.hpp>

#include <cstdio>
#include <cstdlib>
#include <limits>

#include "base/dtype.hpp"
#include "base/shape.hpp"

using namespace kinglet;

TEST_CASE("placeholders take the arguments in order", "[base]") {
  CHECK(text("plain") == "plain");
  CHECK(text("{} of {}", 1, 2) == "1 of 2");
  CHECK(text("{}{}", "a", std::string("b")) == "ab");
  CHECK(text("{}", std::string_view("x\0y", 3)) == std::string("x\0y", 3));
  CHECK(text("{ } {}", 1) == "{ } 1");
  CHECK(text("{} {}", true, false) == "true false");
  CHECK(text("{} {}", DType::kFloat16, Shape{1, 2}) == "float16 [1,2]");
}

TEST_CASE("a placeholder in an argument is not replaced", "[base]") {
  CHECK(text("{} {}", "{}", 2) == "{} 2");
}

TEST_CASE("integers to the ends of their types", "[base]") {
  CHECK(text("{}", std::numeric_limits<int64_t>::min()) == "-9223372036854775808");
  CHECK(text("{}", std::numeric_limits<uint64_t>::max()) == "18446744073709551615");
  CHECK(text("{} {}", int8_t{-5}, uint8_t{200}) == "-5 200");
}

TEST_CASE("numbers with a fraction", "[base]") {
  struct Row {
    double value;
    const char* expected;
  };
  const Row rows[] = {
      {0, "0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {3.1415926535, "3.141593"},
      {1e9, "1e9"},
      {2.5e12, "2.5e12"},
      {-1e-7, "-1e-7"},
      {123456789, "123456789"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"},
  };
  for (const Row& row : rows) CHECK(text("{}", row.value) == row.expected);
}

TEST_CASE("numbers read back to six digits over the whole range", "[base]") {
  for (int exponent = -300; exponent <= 300; exponent += 7) {
    char source[32];
    std::snprintf(source, sizeof source, "1.2345e%d", exponent);
    const double value = std::strtod(source, nullptr);
    CHECK(std::strtod(text("{}", value).c_str(), nullptr) ==
          Catch::Approx(value).epsilon(exponent < -2 ? 1e-3 : 1e-5));
  }
}
