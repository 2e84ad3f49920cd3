#include "kernels/math.hpp"

#include <cstring>

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

using Limits = std::numeric_limits<float>;

struct Function {
  const char* name;
  void (*run)(const float*, float*, size_t);
  double (*exact)(double);
  double tolerance;  ///< relative
};

const Function kFunctions[] = {
    {"exp", exp, [](double x) { return std::exp(x); }, 3e-7},
    {"log", log, [](double x) { return std::log(x); }, 3e-7},
    {"tanh", tanh, [](double x) { return std::tanh(x); }, 4e-7},
    {"sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 3e-7},
    {"erf", erf, [](double x) { return std::erf(x); }, 4e-7},
    {"sqrt", sqrt, [](double x) { return std::sqrt(x); }, 1e-7},
    {"reciprocal", reciprocal, [](double x) { return 1 / x; }, 1e-7},
    {"abs", abs, [](double x) { return std::abs(x); }, 0},
    {"negate", negate, [](double x) { return -x; }, 0},
    {"floor", floor, [](double x) { return std::floor(x); }, 0},
    {"ceil", ceil, [](double x) { return std::ceil(x); }, 0},
    {"round_even", round_even, [](double x) { return std::nearbyint(x); }, 0},
};

/// Equal as NaN, infinity or zero with its sign; else within the tolerance, or one step of the denormals.
bool close(float actual, double exact, double tolerance) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(exact)) return std::isnan(actual);
  if (std::isinf(rounded)) {
    // A value at the very end of the range may round either way.
    return actual == rounded ||
           (std::abs(actual) > Limits::max() * 0.999999f && std::signbit(actual) == std::signbit(rounded));
  }
  if (exact == 0) return actual == 0 && std::signbit(actual) == std::signbit(exact);
  return std::abs(actual - exact) <= tolerance * std::abs(exact) + Limits::denorm_min();
}

void check(const Function& f, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  f.run(x.data(), y.data(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = f.exact(x[i]);
    if (!close(y[i], exact, f.tolerance)) {
      FAIL(f.name << "(" << x[i] << ") = " << y[i] << ", expected " << exact << ", relative error "
                  << std::abs(y[i] - exact) / std::abs(exact));
    }
  }
}

TEST_CASE("math: accuracy over the range of floats") {
  // Every exponent, a few mantissas each, both signs; and densely where the functions turn.
  std::vector<float> x;
  for (uint32_t bits = 0; bits < 0x7f800000; bits += 0x000a7c5b) {
    float v;
    std::memcpy(&v, &bits, sizeof v);
    x.push_back(v);
    x.push_back(-v);
  }
  for (int i = -120000; i <= 120000; ++i) x.push_back(static_cast<float>(i) * 1e-3f);
  for (const Function& f : kFunctions) {
    SECTION(f.name) { check(f, x); }
  }
}

TEST_CASE("math: infinities, NaN, zeros, denormals and the ends of ranges") {
  const std::vector<float> x = {0.0f,
                                -0.0f,
                                Limits::infinity(),
                                -Limits::infinity(),
                                Limits::quiet_NaN(),
                                Limits::denorm_min(),
                                -Limits::denorm_min(),
                                Limits::min(),
                                -Limits::min(),
                                Limits::max(),
                                Limits::lowest(),
                                1.0f,
                                -1.0f,
                                88.72283f,
                                88.7229f,
                                -87.3366f,
                                -103.27893f,
                                -103.98f,
                                -104.5f,
                                0.5f,
                                1.5f,
                                2.5f,
                                -0.5f,
                                -1.5f,
                                8388609.0f,
                                1e-40f,
                                3e38f,
                                0.99999994f};
  for (const Function& f : kFunctions) check(f, x);
}

TEST_CASE("math: tanh and erf end at exactly 1") {
  for (float x : {4.0f, 9.5f, 30.0f, 1e30f}) {
    float y[2] = {x, -x};
    erf(y, y, 2);
    REQUIRE((y[0] == 1.0f && y[1] == -1.0f));
    if (x < 9) continue;
    const float z[2] = {x, -x};
    tanh(z, y, 2);
    REQUIRE((y[0] == 1.0f && y[1] == -1.0f));
  }
}

TEST_CASE("math: every length, in place, and nothing past the end") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    for (size_t n = 0; n <= 17; ++n) {
      Random random;
      std::vector<float> x = random.values(n);
      for (float& v : x) v = std::abs(v) + 0.25f;
      std::vector<float> y(n), in_place = x;
      f.run(x.data(), y.data(), n);
      f.run(in_place.data(), in_place.data(), n);
      for (size_t i = 0; i < n; ++i) REQUIRE(close(y[i], f.exact(x[i]), f.tolerance));
      REQUIRE(in_place == y);
    }
  }
}

TEST_CASE("activations: accuracy and special values") {
  std::vector<float> x = {0.0f,    -0.0f, 1e30f, -1e30f, Limits::quiet_NaN(), Limits::denorm_min(),
                          -200.0f, 200.0f};
  for (int i = -3000; i <= 3000; ++i) x.push_back(static_cast<float>(i) * 5e-3f);
  for (const Activation& activation : activations()) {
    CAPTURE(static_cast<int>(activation.kind));
    std::vector<float> y(x.size());
    apply(activation, x.data(), y.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i], y[i]);
      const double exact = activate(activation, x[i]);
      if (std::isnan(exact)) {
        REQUIRE(std::isnan(y[i]));
      } else {
        // GELU's tail is a small difference of numbers near 1, times x.
        const bool gelu =
            activation.kind == Activation::Kind::kGelu || activation.kind == Activation::Kind::kGeluTanh;
        const double slack = gelu ? 2.5e-7 * std::abs(x[i]) : 2e-7 * std::min(1.0f, std::abs(x[i]));
        REQUIRE(std::abs(y[i] - exact) <= 4e-7 * std::abs(exact) + slack + Limits::denorm_min());
      }
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
