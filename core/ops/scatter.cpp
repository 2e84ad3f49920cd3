#include "ops/scatter.hpp"

#include <algorithm>

namespace kinglet::ops {
namespace {

template <class T>
void replace(void* target, const void* update, size_t count) {
  std::copy_n(static_cast<const T*>(update), count, static_cast<T*>(target));
}

struct Add {
  template <class T> static T apply(T a, T b) { return a + b; }
};
struct Mul {
  template <class T> static T apply(T a, T b) { return a * b; }
};
// A NaN on either side stays, as in numpy.maximum.
struct Max {
  template <class T> static T apply(T a, T b) { return a != a || a > b ? a : b; }
};
struct Min {
  template <class T> static T apply(T a, T b) { return a != a || a < b ? a : b; }
};

/// The type to compute in: floats for halves, and unsigned for sums and products that wrap around.
template <class T, class F>
auto widen(T v) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    return static_cast<float>(v);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> &&
                       (std::is_same_v<F, Add> || std::is_same_v<F, Mul>)) {
    return static_cast<uint64_t>(v);
  } else if constexpr (std::is_same_v<T, bool>) {
    return static_cast<int>(v);
  } else {
    return v;
  }
}

template <class T, class F>
void combine(void* target, const void* update, size_t count) {
  auto* t = static_cast<T*>(target);
  auto* u = static_cast<const T*>(update);
  for (size_t i = 0; i < count; ++i) t[i] = static_cast<T>(F::apply(widen<T, F>(t[i]), widen<T, F>(u[i])));
}

template <class F>
CombineFn of_type(DType type) {
  CombineFn fn = nullptr;
  dispatch(type, NumericAndBoolTypes{}, [&]<class T>() { fn = combine<T, F>; });
  return fn;
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

CombineFn combine_fn(Reduction reduction, DType type) {
  switch (reduction) {
    case Reduction::kAdd: return of_type<Add>(type);
    case Reduction::kMul: return of_type<Mul>(type);
    case Reduction::kMax: return of_type<Max>(type);
    case Reduction::kMin: return of_type<Min>(type);
    case Reduction::kNone: break;
  }
  CombineFn fn = nullptr;
  dispatch_width(type, [&]<class T>() { fn = replace<T>; });
  return fn;
}

}  // namespace kinglet::ops
