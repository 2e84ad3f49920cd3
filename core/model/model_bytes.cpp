#include <cstring>

#include <kinglet/session.hpp>

namespace kinglet {

ModelBytes ModelBytes::allocate(size_t size) {
  ModelBytes out;
  out.data = std::shared_ptr<std::byte[]>(allocate_block(size));
  out.size = size;
  return out;
}

ModelBytes ModelBytes::copy_of(std::span<const std::byte> bytes) {
  ModelBytes out = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(out.data.get(), bytes.data(), bytes.size());
  return out;
}

}  // namespace kinglet
