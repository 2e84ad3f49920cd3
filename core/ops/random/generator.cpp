#include "ops/random/generator.hpp"

#include <bit>
#include <cmath>

#include "base/host.hpp"

namespace kinglet::ops {

double Generator::uniform() {
  const auto high = static_cast<double>(engine_() >> 5), low = static_cast<double>(engine_() >> 6);
  return (high * 0x1p26 + low) * 0x1p-53;
}

double Generator::normal() {
  if (spare_) {
    const double value = *spare_;
    spare_.reset();
    return value;
  }
  double x, y, square;
  do {
    x = 2 * uniform() - 1;
    y = 2 * uniform() - 1;
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double factor = std::sqrt(-2 * std::log(square) / square);
  spare_ = factor * x;
  return factor * y;
}

namespace {

uint32_t folded(uint64_t bits) { return static_cast<uint32_t>(bits ^ (bits >> 32)); }

uint32_t parse_seed(const NodeView& n) {
  if (!n.has("seed")) return random_bits();
  // Dropout has an integer.
  if (n.op_type() == "Dropout") return folded(static_cast<uint64_t>(n.attr_int("seed")));
  const auto seed = static_cast<double>(n.attr_float("seed"));
  if (seed != seed) return random_bits();
  if (seed >= 0 && seed < 0x1p32 && seed == std::floor(seed)) return static_cast<uint32_t>(seed);
  return folded(std::bit_cast<uint64_t>(seed));
}

}  // namespace

std::shared_ptr<Generator> parse_generator(const NodeView& n) {
  return std::make_shared<Generator>(parse_seed(n));
}

}  // namespace kinglet::ops
