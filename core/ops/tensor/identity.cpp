// Identity: the input itself, whatever it is.

#include <algorithm>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct Identity {};
Identity parse(const NodeView&) { return {}; }

void infer(const Identity&, InferContext& c) {
  c.out(0, c.dtype(0), c.shape(0));
  if (auto dims = c.dims(0)) c.out_dims(0, std::move(*dims));
}

void run(const Identity&, RunContext& c) {
  if (is_container(c.in(0).dtype())) return c.give(0, c.in(0));
  c.out(0).copy_from(c.in(0));
}

}  // namespace

KINGLET_OP(Identity, op<Identity, parse, infer, run>(since(1)).with_traits(kView | kPermutable));

}  // namespace kinglet::ops
