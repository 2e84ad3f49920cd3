// ReverseSequence: turns the first sequence_lens[b] time steps of each batch entry around.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct ReverseSequence {
  bool time_first;  // [time, batch, ...], else [batch, time, ...]
};

ReverseSequence parse(const NodeView& n) {
  const int64_t batch = n.attr_int("batch_axis", 1), time = n.attr_int("time_axis", 0);
  if (batch < 0 || batch > 1 || time != 1 - batch) {
    throw_error(ErrorCode::kModel, "batch_axis {} and time_axis {} must be 0 and 1", batch, time);
  }
  return {time == 0};
}

void infer(const ReverseSequence&, InferContext& c) {
  const SymShape& in = c.shape(0);
  c.require(!in.has_rank() || in.rank() >= 2, "needs rank >= 2, got {}", in.rank());
  c.out(0, c.dtype(0), in);
}

void run(const ReverseSequence& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const auto time = static_cast<size_t>(in.dim(op.time_first ? 0 : 1));
  const auto batch = static_cast<size_t>(in.dim(op.time_first ? 1 : 0));
  const size_t block = in.shape().count(2, in.rank());
  const Indices lengths(c.in(1));
  c.require(c.in(1).count() == batch, "{} sequence lengths for a batch of {}", c.in(1).count(), batch);
  for (size_t b = 0; b < batch; ++b) {
    c.require(lengths[b] >= 0 && lengths[b] <= static_cast<int64_t>(time),
              "sequence length {} is outside of [0, {}]", lengths[b], time);
    const auto length = static_cast<size_t>(lengths[b]);
    const auto offset = [&](size_t t) { return (op.time_first ? t * batch + b : b * time + t) * block; };
    for (size_t t = 0; t < time; ++t) {
      const size_t from = t < length ? length - 1 - t : t;
      copy_elements(in.dtype(), element(out, offset(t)), element(in, offset(from)), block);
    }
  }
}

}  // namespace

KINGLET_OP(ReverseSequence, op<ReverseSequence, parse, infer, run>(since(10)));

}  // namespace kinglet::ops
