// Optional, OptionalHasElement, OptionalGetElement (ONNX 15, 18). An optional that holds a value is that value.

#include "ops/op.hpp"

namespace kinglet::ops {
namespace {

struct Optional {};
Optional parse(const NodeView&) { return {}; }

bool is_empty(const RunContext& c) { return !c.has(0) || c.in(0).dtype() == DType::kNone; }

void infer_make(const Optional&, InferContext& c) {
  if (c.has(0)) {
    c.out(0, c.dtype(0), c.shape(0));
  } else {
    c.out(0, DType::kNone, {});
  }
}

void run_make(const Optional&, RunContext& c) {
  if (is_empty(c)) return c.give(0, Tensor::no_value());
  if (is_container(c.in(0).dtype())) return c.give(0, c.in(0));
  c.out(0, c.in(0).dtype(), c.in(0).shape()).copy_from(c.in(0));
}

void infer_has(const Optional&, InferContext& c) { c.out(0, DType::kBool, Shape{}); }

void run_has(const Optional&, RunContext& c) { c.out(0).data<bool>()[0] = !is_empty(c); }

void infer_get(const Optional&, InferContext& c) {
  if (c.dtype(0) == DType::kNone) {
    c.out(0, DType::kUndefined, {});
  } else {
    c.out(0, c.dtype(0), c.shape(0));
  }
}

void run_get(const Optional& op, RunContext& c) {
  c.require(!is_empty(c), "the optional holds no value");
  run_make(op, c);
}

}  // namespace

KINGLET_OP(Optional, op<Optional, parse, infer_make, run_make>(since(15)));
KINGLET_OP(OptionalHasElement, op<Optional, parse, infer_has, run_has>(since(15)));
KINGLET_OP(OptionalGetElement, op<Optional, parse, infer_get, run_get>(since(15)));

}  // namespace kinglet::ops
