#include "ops/widen.hpp"

namespace kinglet::ops {

void convert_floats(const std::byte* from, DType from_type, std::byte* to, DType to_type, size_t n) {
  dispatch(from_type, FloatTypes{}, [&]<class From>() {
    const auto* source = reinterpret_cast<const From*>(from);
    dispatch(to_type, FloatTypes{}, [&]<class To>() {
      auto* target = reinterpret_cast<To*>(to);
      for (size_t i = 0; i < n; ++i) target[i] = static_cast<To>(static_cast<float>(source[i]));
    });
  });
}

const float* as_f32(RunContext& c, const Tensor& t) {
  if (t.dtype() == DType::kFloat32) return t.data<float>();
  float* copy = c.scratch<float>(t.count());
  convert_floats(t.raw(), t.dtype(), reinterpret_cast<std::byte*>(copy), DType::kFloat32, t.count());
  return copy;
}

F32Constant::F32Constant(const Tensor& t) {
  if (t.dtype() == DType::kFloat32) {
    data_ = t.data<float>();
    return;
  }
  copy_ = allocate_block(t.count() * sizeof(float));
  convert_floats(t.raw(), t.dtype(), copy_.get(), DType::kFloat32, t.count());
  data_ = reinterpret_cast<const float*>(copy_.get());
}

F32Output::F32Output(RunContext& c, Tensor& out)
    : out_(out), data_(out.dtype() == DType::kFloat32 ? out.data<float>() : c.scratch<float>(out.count())) {}

void F32Output::store() {
  if (out_.dtype() == DType::kFloat32) return;
  convert_floats(reinterpret_cast<const std::byte*>(data_), DType::kFloat32, out_.raw(), out_.dtype(), out_.count());
}

}  // namespace kinglet::ops
