// MurmurHash3 of com.microsoft: the 32 bit hash by Austin Appleby (MurmurHash3_x86_32) of each string or number.

#include <algorithm>
#include <bit>
#include <cstring>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct MurmurHash3 {
  uint32_t seed;
  DType type;
};

MurmurHash3 parse(const NodeView& n) {
  return {static_cast<uint32_t>(n.attr_int("seed", 0)), n.attr_int("positive", 1) != 0 ? DType::kUint32 : DType::kInt32};
}

constexpr TypeSet kKeys = type_set(DType::kInt32) | type_set(DType::kUint32) | type_set(DType::kInt64) | type_set(DType::kUint64) |
                          type_set(DType::kFloat32) | type_set(DType::kFloat64) | kStrings;

void infer(const MurmurHash3& op, InferContext& c) {
  check_type(c.dtype(0), kKeys);
  c.out(0, op.type, c.shape(0));
}

uint32_t hash_of(const char* key, size_t bytes, uint32_t hash) {
  for (size_t at = 0; at < bytes; at += 4) {
    uint32_t word = 0;
    std::memcpy(&word, key + at, std::min<size_t>(4, bytes - at));
    hash ^= std::rotl(word * 0xcc9e2d51u, 15) * 0x1b873593u;
    if (at + 4 <= bytes) hash = std::rotl(hash, 13) * 5 + 0xe6546b64u;
  }
  hash ^= static_cast<uint32_t>(bytes);
  hash = (hash ^ hash >> 16) * 0x85ebca6bu;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
  return hash ^ hash >> 16;
}

void run(const MurmurHash3& op, RunContext& c) {
  const Tensor& x = c.in(0);
  std::byte* const y = c.out(0).raw();
  const size_t size = dtype_size(x.dtype());
  for (size_t i = 0; i < x.count(); ++i) {
    uint32_t hash = 0;
    if (x.dtype() == DType::kString) {
      const std::string& key = x.values<std::string>()[i];
      hash = hash_of(key.data(), key.size(), op.seed);
    } else {
      hash = hash_of(reinterpret_cast<const char*>(x.raw()) + i * size, size, op.seed);
    }
    std::memcpy(y + 4 * i, &hash, sizeof hash);
  }
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", MurmurHash3, op<MurmurHash3, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
