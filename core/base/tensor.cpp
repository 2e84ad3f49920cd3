#include "base/tensor.hpp"

#include <algorithm>
#include <cstring>

namespace kinglet {
namespace {

std::shared_ptr<void> allocate_elements(DType dtype, size_t count) {
  if (dtype == DType::kString) return std::shared_ptr<std::string[]>(new std::string[count]);
  if (holds_objects(dtype)) return std::shared_ptr<Tensor[]>(new Tensor[count]);
  const size_t size = dtype_size(dtype);
  if (size != 0 && count > SIZE_MAX / size) throw_out_of_memory(UINT64_MAX);
  return std::shared_ptr<std::byte[]>(allocate_block(count * size));
}

}  // namespace

void check_addressable(DType dtype, const Shape& shape) {
  const uint64_t elements = shape.elements();
  if (elements > SIZE_MAX / 16) throw_out_of_memory(elements * dtype_size(dtype));
}

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  check_addressable(dtype, shape);
  owner_ = allocate_elements(dtype, shape.count());
  data_ = static_cast<std::byte*>(owner_.get());
}

Tensor Tensor::sequence(std::span<const Tensor> values) {
  return from<Tensor>({static_cast<int64_t>(values.size())}, values);
}

Tensor Tensor::map(Tensor keys, Tensor values) {
  Tensor t(DType::kMap, {2});
  auto* parts = reinterpret_cast<Tensor*>(t.data_);
  parts[0] = std::move(keys);
  parts[1] = std::move(values);
  return t;
}

std::span<const Tensor> Tensor::items() const {
  if (dtype_ != DType::kSequence && dtype_ != DType::kMap) {
    throw_error(ErrorCode::kModel, "expected a sequence, got {}{}", dtype_, shape_);
  }
  return {reinterpret_cast<const Tensor*>(data_), count()};
}

Tensor Tensor::reshaped(const Shape& shape) const {
  if (shape.count() != count()) {
    throw_error(ErrorCode::kShape, "{} elements of shape {} do not fit shape {}", count(), shape_, shape);
  }
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::clone() const {
  Tensor t(dtype_, shape_);
  t.copy_from(*this);
  return t;
}

void Tensor::copy_from(const Tensor& source) {
  if (source.dtype_ != dtype_ || source.count() != count()) {
    throw_error(ErrorCode::kInternal, "copy of {} {} into {} {}", source.dtype_, source.shape_, dtype_, shape_);
  }
  if (dtype_ == DType::kString) {
    std::copy_n(source.data<std::string>(), count(), data<std::string>());
  } else if (holds_objects(dtype_)) {
    auto* to = reinterpret_cast<Tensor*>(data_);
    for (const Tensor& item : source.items()) *to++ = item.clone();
  } else if (const size_t n = bytes(); n != 0) {
    std::memmove(data_, source.data_, n);
  }
}

std::vector<int64_t> to_int64s(const Tensor& t) {
  std::vector<int64_t> out(t.count());
  dispatch(t.dtype(), TypeList<int64_t, int32_t>{}, [&]<class T>() { std::copy_n(t.data<T>(), out.size(), out.begin()); });
  return out;
}

}  // namespace kinglet
