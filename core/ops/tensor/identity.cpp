// Identity: the input itself.

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

void run(const Identity&, RunContext& c) { c.out(0).copy_from(c.in(0)); }

}  // namespace

KINGLET_OP(Identity, op<Identity, parse, infer, run>(since(1)).with_traits(kView | kPermutable));

}  // namespace kinglet::ops
