#include "ops/tensor/scatter.hpp"

#include <algorithm>
#include <type_traits>

#include "ops/convert.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

template <class T>
void combine_wide(Reduction reduction, T* target, const T* update, size_t count) {
  using Sum = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;  // signed overflow is undefined
  for (size_t i = 0; i < count; ++i) {
    const T a = target[i], b = update[i];
    switch (reduction) {
      case Reduction::kAdd: target[i] = static_cast<T>(static_cast<Sum>(a) + static_cast<Sum>(b)); break;
      case Reduction::kMul: target[i] = static_cast<T>(static_cast<Sum>(a) * static_cast<Sum>(b)); break;
      case Reduction::kMax: target[i] = a != a || a > b ? a : b; break;
      case Reduction::kMin: target[i] = a != a || a < b ? a : b; break;
      case Reduction::kNone: target[i] = b; break;
    }
  }
}

}  // namespace

Reduction parse_reduction(const NodeView& n) {
  const std::string name = n.attr_string("reduction", "none");
  if (name == "none") return Reduction::kNone;
  if (name == "add") return Reduction::kAdd;
  if (name == "mul") return Reduction::kMul;
  if (name == "max") return Reduction::kMax;
  if (name == "min") return Reduction::kMin;
  throw_error(ErrorCode::kModel, "reduction '{}' is not known", name);
}

void combine(Reduction reduction, DType type, void* target, const void* update, size_t count) {
  if (reduction == Reduction::kNone) return copy_elements(type, target, update, count);
  const DType wide = wide_type(type);
  const size_t width = dtype_size(type);
  alignas(16) uint64_t target_buffer[kBlock], update_buffer[kBlock];
  for (size_t at = 0; at < count; at += kBlock) {
    const size_t n = std::min(kBlock, count - at);
    auto* to = static_cast<std::byte*>(target) + at * width;
    void* a = const_cast<void*>(widen(type, to, target_buffer, n));
    const void* b = widen(type, static_cast<const std::byte*>(update) + at * width, update_buffer, n);
    dispatch(wide, TypeList<float, double, int64_t, uint64_t>{},
             [&]<class T>() { combine_wide(reduction, static_cast<T*>(a), static_cast<const T*>(b), n); });
    if (a != to) narrow(type, a, to, n);
  }
}

}  // namespace kinglet::ops
