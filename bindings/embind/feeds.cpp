#include "feeds.hpp"

namespace kinglet::binding {

Tensor& Feeds::add(const std::string& name, DType dtype, const Shape& shape) {
  if (used_ == feeds_.size()) {
    feeds_.emplace_back();
    buffers_.emplace_back();
  }
  Feed& feed = feeds_[used_];
  Buffer& buffer = buffers_[used_];
  if (dtype == DType::kString) {
    feed.tensor = Tensor(dtype, shape);
  } else {
    const size_t count = shape.count(), size = dtype_size(dtype);
    if (size != 0 && count > SIZE_MAX / size) throw_out_of_memory(uint64_t{count} * size);
    if (buffer.block == nullptr || buffer.capacity < count * size) {
      feed.tensor = {};  // frees the old block before the new one is asked for
      buffer = {};
      buffer.block = std::shared_ptr<std::byte[]>(allocate_block(count * size));
      buffer.capacity = count * size;
    }
    feed.tensor = Tensor(dtype, shape, buffer.block.get(), buffer.block);
  }
  feed.name = name;
  ++used_;
  return feed.tensor;
}

std::span<const Feed> Feeds::ready() {
  for (size_t i = 0; i < used_; ++i) {
    Tensor& tensor = feeds_[i].tensor;
    if (tensor.dtype() != DType::kBool) continue;
    auto* bytes = reinterpret_cast<uint8_t*>(tensor.raw());
    for (size_t b = 0, n = tensor.count(); b < n; ++b) bytes[b] = bytes[b] != 0;
  }
  return {feeds_.data(), used_};
}

void Feeds::release() {
  feeds_.clear();
  buffers_.clear();
  used_ = 0;
}

}  // namespace kinglet::binding
