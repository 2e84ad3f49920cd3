// PRelu: x < 0 ? slope * x : x, with the slope broadcast to x. Before opset 7 a vector of slopes has one a
// channel.

#include "kernels/activation.hpp"
#include "ops/broadcast.hpp"
#include "ops/elementwise.hpp"
#include "ops/legacy.hpp"

namespace kinglet::ops {
namespace {

struct PRelu {
  LegacyBroadcast by_channel;  ///< the slope along dim 1
  bool legacy;

  /// Which of the two it is shows in the ranks.
  LegacyBroadcast broadcast(size_t rank, size_t slope_rank) const {
    return legacy && rank > 1 && slope_rank == 1 ? by_channel : LegacyBroadcast{};
  }

  template <class T>
  static T of(T x, T slope) {
    return static_cast<std::make_signed_t<T>>(x) < 0 ? slope * x : x;
  }
  static float of(float x, float slope) { return x < 0 ? slope * x : x; }
  static double of(double x, double slope) { return x < 0 ? slope * x : x; }
};

/// Unsigned numbers are never negative.
struct First {
  static uint64_t of(uint64_t x, uint64_t) { return x; }
};

constexpr BinaryLoops kLoops = {binary_loop<PRelu, float>, binary_loop<PRelu, double>,
                                binary_loop<PRelu, uint64_t>, binary_loop<First, uint64_t>};

PRelu parse(const NodeView& n) {
  return {.by_channel = {.legacy = true, .enabled = true, .axis = 1}, .legacy = n.opset() < 7};
}

void infer(const PRelu& op, InferContext& c) {
  const SymShape both = op.broadcast(c.shape(0).rank(), c.shape(1).rank()).infer(c);
  if (both.is_concrete() && c.shape(0).is_concrete()) {
    c.require(both.concrete() == c.shape(0).concrete(), "the slope {} does not broadcast to {}", c.shape(1),
              c.shape(0));
  }
  c.out(0, common_type(c, 0, 2, kNumbers), c.shape(0));
}

void run(const PRelu& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const Tensor slope = op.broadcast(x.rank(), c.in(1).rank()).operand(c);
  Broadcast walk(x.shape(), {&x.shape(), &slope.shape()});
  // One slope per channel of NCHW: each run is a LeakyRelu.
  if (x.dtype() != DType::kFloat32 || walk.step[1] != 0) return apply_binary(kLoops, x, slope, c.out(0));
  for (; walk.more(); walk.next()) {
    const float alpha = slope.data<float>()[walk.offset[1]];
    kernels::apply({kernels::Activation::Kind::kLeakyRelu, alpha}, x.data<float>() + walk.offset[0],
                   c.out(0).data<float>() + walk.out_offset, walk.run);
  }
}

}  // namespace

KINGLET_OP(PRelu, op<PRelu, parse, infer, run>(since(1)).with_traits(kInPlace | kPermutable));

}  // namespace kinglet::ops
