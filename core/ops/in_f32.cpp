#include "ops/in_f32.hpp"

#include "ops/convert.hpp"

namespace kinglet::ops {

const float* as_f32(RunContext& c, const Tensor& t) {
  if (t.dtype() == DType::kFloat32) return t.data<float>();
  float* copy = c.scratch<float>(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat32, copy, t.count());
  return copy;
}

F32Constant::F32Constant(const Tensor& t) {
  if (t.dtype() == DType::kFloat32) {
    data_ = t.data<float>();
    return;
  }
  copy_ = allocate_block(t.count() * sizeof(float));
  convert(t.dtype(), t.raw(), DType::kFloat32, copy_.get(), t.count());
  data_ = reinterpret_cast<const float*>(copy_.get());
}

F32Output::F32Output(RunContext& c, Tensor& out)
    : out_(out), data_(out.dtype() == DType::kFloat32 ? out.data<float>() : c.scratch<float>(out.count())) {}

void F32Output::store() {
  if (out_.dtype() == DType::kFloat32) return;
  convert(DType::kFloat32, data_, out_.dtype(), out_.raw(), out_.count());
}

}  // namespace kinglet::ops
