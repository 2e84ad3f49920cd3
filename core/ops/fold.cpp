#include "ops/fold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/elementwise.hpp"
#include "kernels/normalize.hpp"
#include "ops/convert.hpp"

namespace kinglet::ops {
namespace {

/// Rows that are summed in float32 before the sum goes to float64: few enough to keep its last bits.
constexpr size_t kRowsInFloat = 64;
constexpr size_t kChunk = 1024;

/// Neighbouring dims that are all reduced or all kept.
struct Group {
  size_t size, stride;
  bool reduced;
};

/// The groups of a tensor from the innermost, which `inner` is; dims of 1 are left out.
struct Groups {
  Group inner{1, 1, false};
  std::array<Group, kMaxRank> outer;
  size_t outer_count = 0;

  Groups(const Shape& shape, const AxisSet& axes) {
    size_t stride = 1;
    bool first = true;
    for (size_t i = shape.rank(); i-- > 0;) {
      const auto dim = static_cast<size_t>(shape[i]);
      if (dim == 1) continue;
      Group& last = outer_count == 0 ? inner : outer[outer_count - 1];
      if (first) {
        inner = {dim, 1, axes[i]};
      } else if (last.reduced == axes[i]) {
        last.size *= dim;
      } else {
        outer[outer_count++] = {dim, stride, axes[i]};
      }
      first = false;
      stride *= dim;
    }
  }
};

/// Offsets of the outer groups that are (or are not) reduced, in row-major order.
class Walk {
 public:
  Walk(const Groups& groups, bool reduced) {
    for (size_t i = 0; i < groups.outer_count; ++i) {
      if (groups.outer[i].reduced == reduced) groups_[count_++] = groups.outer[i];
    }
  }
  size_t offset = 0;
  bool next() {
    for (size_t i = 0; i < count_; ++i) {
      offset += groups_[i].stride;
      if (++index_[i] != groups_[i].size) return true;
      offset -= groups_[i].stride * groups_[i].size;
      index_[i] = 0;
    }
    return false;
  }

 private:
  std::array<Group, kMaxRank> groups_;
  std::array<size_t, kMaxRank> index_{};
  size_t count_ = 0;
};

/// The accumulator: double for floats, int64_t or uint64_t for integers, which wrap.
template <class A>
A add(A a, A b) {
  if constexpr (std::is_floating_point_v<A>) return a + b;
  return static_cast<A>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
template <class A>
A multiply(A a, A b) {
  if constexpr (std::is_floating_point_v<A>) return a * b;
  return static_cast<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
template <class A>
A magnitude(A a) {
  if constexpr (std::is_floating_point_v<A>) return std::fabs(a);
  return a < 0 ? static_cast<A>(-static_cast<uint64_t>(a)) : a;
}

/// acc[i * step] takes in x[i]; `shift` belongs to kLogSumExp and steps likewise.
template <class A>
void fold_block(Fold fold, const A* x, size_t n, A* acc, size_t step, const A* shift) {
  for (size_t i = 0; i < n; ++i, acc += step, shift += step) {
    switch (fold) {
      case Fold::kSum: *acc = add(*acc, x[i]); break;
      case Fold::kSumAbs: *acc = add(*acc, magnitude(x[i])); break;
      case Fold::kSumSquares: *acc = add(*acc, multiply(x[i], x[i])); break;
      case Fold::kProduct: *acc = multiply(*acc, x[i]); break;
      case Fold::kMax: *acc = x[i] > *acc || x[i] != x[i] ? x[i] : *acc; break;
      case Fold::kMin: *acc = x[i] < *acc || x[i] != x[i] ? x[i] : *acc; break;
      case Fold::kLogSumExp:
        if constexpr (std::is_floating_point_v<A>) *acc += std::exp(x[i] - *shift);
        break;
    }
  }
}

/// The float32 row sums, maxima and minima that have a kernel; false when there is none.
bool fold_row_f32(Fold fold, const float* x, size_t n, double* acc) {
  switch (fold) {
    case Fold::kSum: *acc += static_cast<double>(kernels::sum(x, n)); return true;
    case Fold::kSumSquares: *acc += static_cast<double>(kernels::dot(x, x, n)); return true;
    case Fold::kMax: {
      const auto greatest = static_cast<double>(kernels::max(x, n));
      fold_block(fold, &greatest, 1, acc, 0, acc);
      return true;
    }
    case Fold::kMin: {
      const auto least = static_cast<double>(kernels::min(x, n));
      fold_block(fold, &least, 1, acc, 0, acc);
      return true;
    }
    default: return false;
  }
}

template <class A>
class Folder {
 public:
  Folder(Fold fold, Finish finish, const Tensor& x, const AxisSet& axes, Tensor& y)
      : fold_(fold), finish_(finish), x_(x), y_(y), groups_(x.shape(), axes) {
    const size_t outputs = y.count();
    reduced_count_ = outputs == 0 ? 0 : x.count() / outputs;
  }

  void run() {
    const size_t lanes = groups_.inner.reduced ? 1 : groups_.inner.size;
    Walk kept(groups_, false);
    size_t out = 0;
    do {
      for (size_t lane = 0; lane < lanes; lane += kChunk) {
        const size_t n = std::min(kChunk, lanes - lane);
        fold_lanes(kept.offset + lane, n);
        store(out + lane, n);
      }
      out += lanes;
    } while (kept.next());
  }

  void fill_identity() {
    for (size_t out = 0; out < y_.count(); out += kChunk) {
      const size_t n = std::min(kChunk, y_.count() - out);
      reset(n);
      store(out, n);
    }
  }

 private:
  static constexpr DType kWide = dtype_of<A>;

  /// The value that changes nothing.
  A identity(Fold fold) const {
    if (fold == Fold::kProduct) return 1;
    if (fold != Fold::kMax && fold != Fold::kMin) return 0;
    if constexpr (std::is_floating_point_v<A>) {
      return fold == Fold::kMax ? -std::numeric_limits<A>::infinity() : std::numeric_limits<A>::infinity();
    } else {
      // The limits of y's own width, should no element come.
      const size_t bits = 8 * dtype_size(y_.dtype());
      const A greatest = std::numeric_limits<A>::max() >> (64 - bits);
      return fold == Fold::kMin ? greatest : std::is_signed_v<A> ? static_cast<A>(-greatest - 1) : A{0};
    }
  }

  void reset(size_t n) { std::fill_n(acc_, n, identity(fold_)); }

  void fold_lanes(size_t offset, size_t n) {
    if (fold_ != Fold::kLogSumExp) {
      reset(n);
      return accumulate(fold_, offset, n);
    }
    std::fill_n(acc_, n, identity(Fold::kMax));
    accumulate(Fold::kMax, offset, n);
    // exp(x - greatest) cannot overflow; where the greatest is infinite or NaN, exp(x) says it as well.
    for (size_t i = 0; i < n; ++i) shift_[i] = acc_[i] - acc_[i] == 0 ? acc_[i] : A{0};
    std::fill_n(acc_, n, A{0});
    accumulate(Fold::kLogSumExp, offset, n);
  }

  void accumulate(Fold fold, size_t offset, size_t n) {
    Walk reduced(groups_, true);
    if (!groups_.inner.reduced) {
      if (accumulate_lanes_f32(fold, offset, n)) return;
      do {
        block(fold, offset + reduced.offset, n, 1);
      } while (reduced.next());
      return;
    }
    do {
      for (size_t start = 0; start < groups_.inner.size; start += kChunk) {
        const size_t count = std::min(kChunk, groups_.inner.size - start);
        const size_t at = offset + reduced.offset + start;
        if constexpr (std::is_same_v<A, double>) {
          if (x_.dtype() == DType::kFloat32 && fold_row_f32(fold, x_.data<float>() + at, count, acc_)) continue;
        }
        block(fold, at, count, 0);
      }
    } while (reduced.next());
  }

  /// Float32 lanes side by side, for the folds that have a kernel.
  bool accumulate_lanes_f32(Fold fold, size_t offset, size_t n) {
    if constexpr (!std::is_same_v<A, double>) {
      return false;
    } else {
      if (x_.dtype() != DType::kFloat32 || (fold != Fold::kSum && fold != Fold::kMax && fold != Fold::kMin)) return false;
      const auto op = fold == Fold::kSum   ? kernels::Binary::kAdd
                      : fold == Fold::kMax ? kernels::Binary::kMax
                                           : kernels::Binary::kMin;
      Walk reduced(groups_, true);
      bool more = true;
      float* partial = reinterpret_cast<float*>(buffer_);
      while (more) {
        std::copy_n(x_.data<float>() + offset + reduced.offset, n, partial);
        for (size_t rows = 1; (more = reduced.next()) && rows < kRowsInFloat; ++rows) {
          kernels::binary(op, partial, x_.data<float>() + offset + reduced.offset, partial, n);
        }
        for (size_t i = 0; i < n; ++i) {
          const auto value = static_cast<double>(partial[i]);
          fold_block(fold, &value, 1, acc_ + i, 0, acc_);
        }
      }
      return true;
    }
  }

  void block(Fold fold, size_t offset, size_t n, size_t step) {
    A* wide = reinterpret_cast<A*>(buffer_);
    convert(x_.dtype(), x_.raw() + offset * dtype_size(x_.dtype()), kWide, wide, n);
    fold_block(fold, wide, n, acc_, step, shift_);
  }

  void store(size_t out, size_t n) {
    const auto count = static_cast<A>(reduced_count_);
    for (size_t i = 0; i < n; ++i) {
      if constexpr (std::is_floating_point_v<A>) {
        switch (finish_) {
          case Finish::kNone: break;
          case Finish::kMean: acc_[i] /= count; break;
          case Finish::kSqrt: acc_[i] = std::sqrt(acc_[i]); break;
          case Finish::kLog: acc_[i] = std::log(acc_[i]) + (fold_ == Fold::kLogSumExp ? shift_[i] : 0); break;
        }
      } else if (finish_ == Finish::kMean) {
        acc_[i] = count == 0 ? 0 : acc_[i] / count;
      }
    }
    convert(kWide, acc_, y_.dtype(), y_.raw() + out * dtype_size(y_.dtype()), n);
  }

  Fold fold_;
  Finish finish_;
  const Tensor& x_;
  Tensor& y_;
  Groups groups_;
  size_t reduced_count_;
  A acc_[kChunk];
  A shift_[kChunk] = {};
  alignas(kAlignment) std::byte buffer_[kChunk * sizeof(A)];
};

template <class A>
void fold_as(Fold fold, Finish finish, const Tensor& x, const AxisSet& axes, Tensor& y) {
  Folder<A> folder(fold, finish, x, axes, y);
  x.count() == 0 ? folder.fill_identity() : folder.run();
}

}  // namespace

void fold_tensor(Fold fold, Finish finish, const Tensor& x, const AxisSet& axes, Tensor& y) {
  const DType wide = wide_type(x.dtype());
  if (is_float(wide) || finish == Finish::kSqrt || finish == Finish::kLog) {
    return fold_as<double>(fold, finish, x, axes, y);
  }
  if (wide == DType::kInt64) return fold_as<int64_t>(fold, finish, x, axes, y);
  fold_as<uint64_t>(fold, finish, x, axes, y);
}

}  // namespace kinglet::ops
