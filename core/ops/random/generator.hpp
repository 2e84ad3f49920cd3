#pragma once
// The random numbers of the operators that draw some: the 32-bit Mersenne Twister (Matsumoto, Nishimura
// 1998), seeded and read as NumPy's RandomState does, so that a seed gives NumPy's numbers. A node's stream
// starts with its session and goes on from run to run; without a seed it starts somewhere else every time.

#include <optional>
#include <random>

#include "ops/op.hpp"

namespace kinglet::ops {

class Generator {
 public:
  explicit Generator(uint32_t seed) : engine_(seed) {}

  /// Uniform in [0, 1), 53 bits of it: RandomState.random_sample.
  double uniform();
  /// Normal with mean 0 and deviation 1: RandomState.standard_normal (the polar method; each pair is used
  /// up).
  double normal();

 private:
  std::mt19937 engine_;
  std::optional<double> spare_;
};

/// The generator of a node with the attribute `seed`, a float or an int: whole numbers in [0, 2^32) are the
/// seed itself, others are mixed into one. NaN counts as no seed.
std::shared_ptr<Generator> parse_generator(const NodeView& n);

}  // namespace kinglet::ops
