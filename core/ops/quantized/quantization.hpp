#pragma once
// What the quantized operators share: the element types of codes, scales and zero points as inputs, and which of them
// an element has (ONNX QuantizeLinear: per tensor, per axis, blocked).

#include <algorithm>

#include "ops/elementwise.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {

inline constexpr TypeSet kBytes = type_set(DType::kInt8) | type_set(DType::kUint8);
inline constexpr TypeSet kFloat8s = type_set(DType::kFloat8E4M3FN) | type_set(DType::kFloat8E4M3FNUZ) |
                                    type_set(DType::kFloat8E5M2) | type_set(DType::kFloat8E5M2FNUZ);
/// All that QuantizeLinear writes.
inline constexpr TypeSet kQuantized = kBytes | kFloat8s | type_set(DType::kInt16) | type_set(DType::kUint16) |
                                      type_set(DType::kInt4) | type_set(DType::kUint4) | type_set(DType::kInt2) |
                                      type_set(DType::kUint2) | type_set(DType::kFloat4E2M1);
inline constexpr TypeSet kScales = type_set(DType::kFloat32) | type_set(DType::kFloat16) | type_set(DType::kBFloat16) |
                                   type_set(DType::kInt32) | type_set(DType::kFloat8E8M0);

/// Least and greatest code of an integer type of at most 16 bits.
struct CodeRange {
  int32_t low, high;
};
CodeRange code_range(DType type);

inline bool is_signed_byte(DType type) { return type == DType::kInt8; }

/// The types of an input that must be one of `allowed`; absent ones are fine.
void check_input(const InferContext& c, size_t i, TypeSet allowed);

/// Zero points as int32; `count` is 1 and the only one 0 when the input is absent.
struct Zeros {
  const int32_t* data;
  size_t count;
  int32_t operator[](size_t i) const { return data[count == 1 ? 0 : i]; }
};
Zeros zeros_of(RunContext& c, size_t i);

/// Scales as f32, at least one.
struct Scales {
  const float* data;
  size_t count;
  float operator[](size_t i) const { return data[count == 1 ? 0 : i]; }
};
Scales scales_of(RunContext& c, size_t i);

/// An input that must be one number, as its scale or zero point; an absent zero point is 0.
float scale_of(RunContext& c, size_t i);
int32_t zero_of(RunContext& c, size_t i);

/// Which scale belongs to which element of a tensor.
class Granularity {
 public:
  /// Throws kShape when scales of this shape do not fit. `block` is 0 unless blocked.
  Granularity(const Shape& x, const Shape& scale, int64_t axis, int64_t block);

  /// Calls f(first element, elements, first scale, step) for runs of elements that lie together; the scale of the
  /// run's element i is number `first scale + i * step`, step 0 or 1.
  template <class F>
  void for_each_run(F f) const {
    size_t at = 0;
    for (size_t outer = 0; outer < outer_; ++outer) {
      for (size_t i = 0; i < n_; i += block_) {
        const size_t repeats = std::min(block_, n_ - i);
        const size_t scale = scale_inner_ == 0 ? i : (outer * blocks_ + i / block_) * inner_;
        if (scale_inner_ == 0 || inner_ == 1) {
          f(at, repeats * inner_, scale, size_t{0});
        } else {
          for (size_t r = 0; r < repeats; ++r) f(at + r * inner_, inner_, scale, size_t{1});
        }
        at += repeats * inner_;
      }
    }
  }

 private:
  size_t outer_ = 1, n_ = 1, inner_ = 1;
  size_t block_ = 1, blocks_ = 1;  // elements of the axis with one scale; scales along the axis
  size_t scale_inner_ = 0;         // 1 where every inner element has a scale of its own
};

}  // namespace kinglet::ops
