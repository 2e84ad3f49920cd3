#include "feeds.hpp"

#include "base/packed.hpp"

namespace kinglet::binding {
namespace {

void make_ready(Tensor& tensor) {
  if (holds_objects(tensor.dtype()) && tensor.dtype() != DType::kString) {
    auto* items = reinterpret_cast<Tensor*>(tensor.raw());
    for (size_t i = 0, n = tensor.count(); i < n; ++i) make_ready(items[i]);
  } else if (packed_per_byte(tensor.dtype()) > 1) {
    unpack_into(tensor, tensor.raw());
  } else if (tensor.dtype() == DType::kBool) {
    auto* bytes = reinterpret_cast<uint8_t*>(tensor.raw());
    for (size_t b = 0, n = tensor.count(); b < n; ++b) bytes[b] = bytes[b] != 0;
  }
}

}  // namespace

Tensor& Feeds::add(const std::string& name, DType dtype, const Shape& shape) {
  if (!open_.empty()) return open_.back().items.emplace_back(Tensor(dtype, shape));
  if (used_ == feeds_.size()) {
    feeds_.emplace_back();
    buffers_.emplace_back();
  }
  Feed& feed = feeds_[used_];
  Buffer& buffer = buffers_[used_];
  if (dtype == DType::kString) {
    feed.tensor = Tensor(dtype, shape);
  } else {
    check_addressable(dtype, shape);
    const size_t bytes = shape.count() * dtype_size(dtype);
    if (buffer.block == nullptr || buffer.capacity < bytes) {
      feed.tensor = {};  // frees the old block before the new one is asked for
      buffer = {};
      buffer.block = std::shared_ptr<std::byte[]>(allocate_block(bytes));
      buffer.capacity = bytes;
    }
    feed.tensor = Tensor(dtype, shape, buffer.block.get(), buffer.block);
  }
  feed.name = name;
  ++used_;
  return feed.tensor;
}

void Feeds::put(const std::string& name, Tensor value) {
  if (!open_.empty()) {
    open_.back().items.push_back(std::move(value));
    return;
  }
  if (used_ == feeds_.size()) {
    feeds_.emplace_back();
    buffers_.emplace_back();
  }
  feeds_[used_] = {name, std::move(value)};
  ++used_;
}

void Feeds::add_none(const std::string& name) { put(name, Tensor::no_value()); }

void Feeds::open(const std::string& name, DType kind) {
  if (open_.size() == kMaxDepth) throw_error(ErrorCode::kInvalidArgument, "values nest more than {} deep", kMaxDepth);
  open_.push_back({name, kind, {}});
}

void Feeds::close() {
  if (open_.empty()) throw_error(ErrorCode::kInternal, "no value is open");
  Open done = std::move(open_.back());
  open_.pop_back();
  if (done.kind == DType::kMap) {
    if (done.items.size() != 2) throw_error(ErrorCode::kInternal, "a map of {} parts", done.items.size());
    put(done.name, Tensor::map(done.items[0], done.items[1]));
  } else {
    put(done.name, Tensor::sequence(done.items));
  }
}

std::span<const Feed> Feeds::ready() {
  for (size_t i = 0; i < used_; ++i) make_ready(feeds_[i].tensor);
  return {feeds_.data(), used_};
}

void Feeds::clear() {
  open_.clear();
  used_ = 0;
}

void Feeds::release() {
  clear();
  feeds_.clear();
  buffers_.clear();
}

}  // namespace kinglet::binding
