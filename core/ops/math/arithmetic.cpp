// Add, Sub, Mul, Div and Mod with NumPy broadcasting. Integers wrap; dividing one by 0 gives 0.

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/legacy.hpp"

namespace kinglet::ops {
namespace {

/// What is known of the element of a shape computation; a negative result is not a dim, so not known.
using DimFunction = Dim (*)(Dim a, Dim b);

struct AddFunction {
  template <class T>
  static T of(T a, T b) { return a + b; }
  static Dim dim(Dim a, Dim b) {
    if (a.known() && a.value() == 0) return b;
    if (b.known() && b.value() == 0) return a;
    int64_t sum;
    return a.known() && b.known() && !__builtin_add_overflow(a.value(), b.value(), &sum) ? Dim(sum) : Dim();
  }
  static constexpr BinaryLoop u64 = binary_loop<AddFunction, uint64_t>;
  static constexpr BinaryLoops loops = {nullptr, binary_loop<AddFunction, double>, u64, u64, kernels::Binary::kAdd};
};

struct SubFunction {
  template <class T>
  static T of(T a, T b) { return a - b; }
  static Dim dim(Dim a, Dim b) {
    if (b.known() && b.value() == 0) return a;
    if (a.same(b)) return Dim(0);
    return a.known() && b.known() ? Dim(a.value() - b.value()) : Dim();
  }
  static constexpr BinaryLoop u64 = binary_loop<SubFunction, uint64_t>;
  static constexpr BinaryLoops loops = {nullptr, binary_loop<SubFunction, double>, u64, u64, kernels::Binary::kSub};
};

struct MulFunction {
  template <class T>
  static T of(T a, T b) { return a * b; }
  static Dim dim(Dim a, Dim b) {
    if (a.known() && a.value() == 1) return b;
    if (b.known() && b.value() == 1) return a;
    int64_t product;
    return a.known() && b.known() && !__builtin_mul_overflow(a.value(), b.value(), &product) ? Dim(product) : Dim();
  }
  static constexpr BinaryLoop u64 = binary_loop<MulFunction, uint64_t>;
  static constexpr BinaryLoops loops = {nullptr, binary_loop<MulFunction, double>, u64, u64, kernels::Binary::kMul};
};

struct DivFunction {
  static double of(double a, double b) { return a / b; }
  static uint64_t of(uint64_t a, uint64_t b) { return b == 0 ? 0 : a / b; }
  static int64_t of(int64_t a, int64_t b) {
    // -1 apart: INT64_MIN / -1 has no int64 result and wraps.
    return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : a / b;
  }
  static Dim dim(Dim a, Dim b) {
    if (!b.known() || b.value() == 0) return {};
    if (b.value() == 1) return a;
    return a.known() ? Dim(a.value() / b.value()) : Dim();
  }
  static constexpr BinaryLoops loops = {nullptr, binary_loop<DivFunction, double>, binary_loop<DivFunction, int64_t>,
                                        binary_loop<DivFunction, uint64_t>, kernels::Binary::kDiv};
};

struct Arithmetic {
  LegacyBroadcast broadcast;
};
Arithmetic parse(const NodeView& n) { return {LegacyBroadcast::of(n)}; }

void infer_dims(InferContext& c, DimFunction function) {
  if (c.dtype(0) != DType::kInt64) return;
  const auto a = c.dims(0);
  const auto b = c.dims(1);
  if (!a || !b || a->empty() || b->empty()) return;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return;
  std::vector<Dim> result(a->size() == 1 ? b->size() : a->size());
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = function((*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]);
  }
  c.out_dims(0, std::move(result));
}

template <class F>
void infer(const Arithmetic& op, InferContext& c) {
  c.out(0, common_type(c, 0, 2, kNumbers), op.broadcast.infer(c));
  infer_dims(c, F::dim);
}

template <class F>
void run(const Arithmetic& op, RunContext& c) {
  apply_binary(F::loops, c.in(0), op.broadcast.operand(c), c.out(0));
}

template <class F>
constexpr OpDef arithmetic() {
  return op<Arithmetic, parse, infer<F>, run<F>>(since(1)).with_traits(kInPlace | kPermutable);
}

/// The sign of the result: of the divisor as in Python, or (fmod) of the dividend as in C.
struct Mod {
  bool fmod;
};

struct PythonMod {
  template <class T>
  static T of(T a, T b) {
    const T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
  static uint64_t of(uint64_t a, uint64_t b) { return b == 0 ? 0 : a % b; }
  static int64_t of(int64_t a, int64_t b) {
    if (b == 0 || b == -1) return 0;
    const int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};

struct CMod {
  template <class T>
  static T of(T a, T b) { return std::fmod(a, b); }
  static int64_t of(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
};

template <class F>
constexpr BinaryLoops kModLoops = {binary_loop<F, float>, binary_loop<F, double>, binary_loop<F, int64_t>,
                                   binary_loop<PythonMod, uint64_t>};

Mod parse_mod(const NodeView& n) { return {n.attr_int("fmod", 0) != 0}; }
void infer_mod(const Mod&, InferContext& c) { infer_broadcast(c, kNumbers); }
void run_mod(const Mod& op, RunContext& c) {
  apply_binary(op.fmod ? kModLoops<CMod> : kModLoops<PythonMod>, c.in(0), c.in(1), c.out(0));
}

}  // namespace

KINGLET_OP(Add, arithmetic<AddFunction>());
KINGLET_OP(Sub, arithmetic<SubFunction>());
KINGLET_OP(Mul, arithmetic<MulFunction>());
KINGLET_OP(Div, arithmetic<DivFunction>());
KINGLET_OP(Mod, op<Mod, parse_mod, infer_mod, run_mod>(since(10)).with_traits(kInPlace | kPermutable));

}  // namespace kinglet::ops
