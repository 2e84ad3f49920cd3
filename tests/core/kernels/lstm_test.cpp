#include "kernels/lstm.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

TEST_CASE("lstm_units: every count of lanes, sums near 0 and far from it") {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (size_t n = 0; n <= 17; ++n) {
    for (float scale : {1.0f, 30.0f, 200.0f}) {
      CAPTURE(n, scale);
      Random random(static_cast<uint32_t>(n + 1));
      std::vector<float> gates = random.values(4 * n);
      for (float& x : gates) x *= scale;
      const std::vector<float> before = random.values(n);
      std::vector<float> cell = before, h(n);
      lstm_units(gates.data(), cell.data(), h.data(), n);
      for (size_t k = 0; k < n; ++k) {
        const double i = sigmoid(gates[k]), o = sigmoid(gates[n + k]), f = sigmoid(gates[2 * n + k]);
        const double c = f * before[k] + i * std::tanh(double{gates[3 * n + k]});
        REQUIRE(std::abs(cell[k] - c) <= 1e-6);
        REQUIRE(std::abs(h[k] - o * std::tanh(c)) <= 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
