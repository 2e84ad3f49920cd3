#include "kernels/linear_attention.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

TEST_CASE("linear attention: decaying, adding to and reading a state of every small size") {
  for (size_t keys = 1; keys <= 17; ++keys) {
    for (size_t values = 1; values <= 17; ++values) {
      CAPTURE(keys, values);
      Random random(static_cast<uint32_t>(keys * 32 + values));
      const auto before = random.values(keys * values), decay = random.values(keys),
                 key = random.values(keys);
      const auto value = random.values(values), query = random.values(keys);
      auto state = before;
      std::vector<float> y(values);
      decay_state(state.data(), decay.data(), keys, values);
      add_to_state(state.data(), key.data(), value.data(), keys, values);
      read_state(state.data(), query.data(), 0.25f, y.data(), keys, values);
      for (size_t j = 0; j < values; ++j) {
        double sum = 0;
        for (size_t i = 0; i < keys; ++i) {
          const double want =
              static_cast<double>(before[i * values + j]) * decay[i] + static_cast<double>(key[i]) * value[j];
          REQUIRE(std::abs(state[i * values + j] - want) <= 1e-6);
          sum += query[i] * want;
        }
        REQUIRE(std::abs(y[j] - 0.25 * sum) <= 2e-6);
      }
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
