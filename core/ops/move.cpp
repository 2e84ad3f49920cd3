#include "ops/move.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/inlining.hpp"
#include "ops/convert.hpp"

namespace kinglet::ops {
namespace {

struct Loops {
  std::array<CopyAxis, 2 * kMaxRank> axes;
  size_t count = 0;
};

/// Drops loops of one step, sorts the rest by the output's memory, joins those that walk both sides as one.
Loops simplify(std::span<const CopyAxis> axes) {
  Loops loops;
  for (const CopyAxis& axis : axes) {
    if (axis.count == 1) continue;
    size_t at = loops.count++;
    for (; at > 0 && std::abs(loops.axes[at - 1].dst_stride) < std::abs(axis.dst_stride); --at) {
      loops.axes[at] = loops.axes[at - 1];
    }
    loops.axes[at] = axis;
  }
  size_t kept = 0;
  for (size_t i = 0; i < loops.count; ++i) {
    const CopyAxis& inner = loops.axes[i];
    CopyAxis* outer = kept > 0 ? &loops.axes[kept - 1] : nullptr;
    if (outer != nullptr && outer->dst_stride == inner.dst_stride * inner.count &&
        outer->src_stride == inner.src_stride * inner.count) {
      *outer = {outer->count * inner.count, inner.dst_stride, inner.src_stride};
    } else {
      loops.axes[kept++] = inner;
    }
  }
  loops.count = kept;
  return loops;
}

struct Run {
  size_t begin, length;  // of output indices
  int64_t source;        // first input index, or kOutside
};

/// The stretches of a map that are consecutive in the input, or outside.
std::vector<Run> runs_of(const std::vector<int64_t>& map) {
  std::vector<Run> runs;
  for (size_t i = 0; i < map.size(); ++i) {
    if (!runs.empty()) {
      Run& last = runs.back();
      if (map[i] == (last.source == kOutside ? kOutside : last.source + static_cast<int64_t>(last.length))) {
        ++last.length;
        continue;
      }
    }
    runs.push_back({i, 1, map[i]});
  }
  return runs;
}

bool is_identity(const std::vector<int64_t>& map, int64_t dim) {
  if (static_cast<int64_t>(map.size()) != dim) return false;
  for (size_t i = 0; i < map.size(); ++i) {
    if (map[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

/// The two innermost loops of copy_strided, without the odometer's bookkeeping.
template <class T>
KINGLET_APART void copy_plane(const CopyAxis& middle, const CopyAxis& inner, T* d, const T* s) {
  const bool dense = inner.dst_stride == 1 && inner.src_stride == 1;
  for (int64_t m = 0; m < middle.count; ++m) {
    T* to = d + m * middle.dst_stride;
    const T* from = s + m * middle.src_stride;
    if (dense) {
      std::copy_n(from, inner.count, to);
    } else {
      for (int64_t i = 0; i < inner.count; ++i) to[i * inner.dst_stride] = from[i * inner.src_stride];
    }
  }
}

template <class T>
KINGLET_APART void copy_loops(const Loops& loops, const CopyAxis& middle, const CopyAxis& inner, T* d, const T* s) {
  std::array<int64_t, 2 * kMaxRank> index{};
  for (;;) {
    copy_plane(middle, inner, d, s);
    size_t a = loops.count;
    for (; a > 0; --a) {
      const CopyAxis& axis = loops.axes[a - 1];
      if (++index[a - 1] < axis.count) {
        d += axis.dst_stride;
        s += axis.src_stride;
        break;
      }
      index[a - 1] = 0;
      d -= axis.dst_stride * (axis.count - 1);
      s -= axis.src_stride * (axis.count - 1);
    }
    if (a == 0) return;
  }
}

}  // namespace

void copy_elements(DType type, void* dst, const void* src, size_t count) {
  if (type == DType::kString) {
    std::copy_n(static_cast<const std::string*>(src), count, static_cast<std::string*>(dst));
  } else if (count != 0) {
    std::memcpy(dst, src, count * dtype_size(type));
  }
}

void fill_elements(DType type, void* dst, const void* value, size_t count) {
  dispatch_width(type, [&]<class T>() {
    std::fill_n(static_cast<T*>(dst), count, value != nullptr ? *static_cast<const T*>(value) : T{});
  });
}

void copy_strided(DType type, std::span<const CopyAxis> axes, void* dst, const void* src) {
  for (const CopyAxis& axis : axes) {
    if (axis.count == 0) return;
  }
  Loops loops = simplify(axes);
  const auto take = [&]() -> CopyAxis {
    return loops.count > 0 ? loops.axes[--loops.count] : CopyAxis{1, 1, 1};
  };
  const CopyAxis inner = take();
  const CopyAxis middle = take();
  dispatch_width(type, [&]<class T>() { copy_loops(loops, middle, inner, static_cast<T*>(dst), static_cast<const T*>(src)); });
}

std::array<int64_t, kMaxRank> strides_of(const Shape& shape) {
  std::array<int64_t, kMaxRank> strides{};
  int64_t stride = 1;
  for (size_t i = shape.rank(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

void copy_mapped(const Tensor& in, Tensor& out, const IndexMaps& maps, const void* fill) {
  const Shape &from = in.shape(), &to = out.shape();
  if (out.count() == 0) return;
  size_t rank = to.rank();  // of the dims up to the last one whose map does something
  while (rank > 0 && is_identity(maps[rank - 1], from[rank - 1])) --rank;
  if (rank == 0) return copy_elements(in.dtype(), out.raw(), in.raw(), in.count());
  const size_t block = to.count(rank, to.rank());
  const std::vector<int64_t>& row_map = maps[rank - 1];
  const size_t row = row_map.size() * block;
  const std::vector<Run> runs = runs_of(row_map);
  const bool scattered = block == 1 && runs.size() * 8 > row_map.size();
  const auto strides = strides_of(from);

  const Shape outer(to.dims().first(rank - 1));
  Odometer at(outer.dims(), std::span(strides).first(rank - 1));
  int64_t previous = kOutside;  // the input row that the output row before came from
  for (size_t n = 0, rows = outer.count(); n < rows; ++n, at.next()) {
    int64_t source = 0;
    for (size_t i = 0; i < outer.rank() && source != kOutside; ++i) {
      const int64_t index = maps[i][static_cast<size_t>(at.index()[i])];
      source = index == kOutside ? kOutside : source + index * strides[i];
    }
    std::byte* dst = element(out, n * row);
    if (source == kOutside) {
      fill_elements(in.dtype(), dst, fill, row);
    } else if (source == previous) {
      copy_elements(in.dtype(), dst, element(out, (n - 1) * row), row);
    } else if (scattered) {
      dispatch_width(in.dtype(), [&]<class T>() {
        const T* src = reinterpret_cast<const T*>(in.raw()) + source;
        const T outside = fill != nullptr ? *static_cast<const T*>(fill) : T{};
        auto* d = reinterpret_cast<T*>(dst);
        for (size_t i = 0; i < row_map.size(); ++i) d[i] = row_map[i] == kOutside ? outside : src[row_map[i]];
      });
    } else {
      for (const Run& run : runs) {
        std::byte* d = element(out, n * row + run.begin * block);
        if (run.source == kOutside) {
          fill_elements(in.dtype(), d, fill, run.length * block);
        } else {
          const size_t offset = static_cast<size_t>(source) + static_cast<size_t>(run.source) * block;
          copy_elements(in.dtype(), d, element(in, offset), run.length * block);
        }
      }
    }
    previous = source;
  }
}

void Odometer::next() {
  for (size_t i = dims_.size(); i-- > 0;) {
    if (++index_[i] < dims_[i]) {
      offset_ += strides_[i];
      return;
    }
    index_[i] = 0;
    offset_ -= strides_[i] * (dims_[i] - 1);
  }
}

Indices::Indices(const Tensor& t) : data_(t.raw()), wide_(t.dtype() == DType::kInt64) {
  if (!wide_ && t.dtype() != DType::kInt32) {
    throw_error(ErrorCode::kModel, "indices must be int32 or int64, not {}", t.dtype());
  }
}

size_t Indices::in(size_t i, int64_t bound) const {
  const int64_t given = (*this)[i];
  const int64_t index = given < 0 ? given + bound : given;
  if (index < 0 || index >= bound) {
    throw_error(ErrorCode::kShape, "index {} is outside of [{}, {})", given, -bound, bound);
  }
  return static_cast<size_t>(index);
}

void require_same_type(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    throw_error(ErrorCode::kModel, "element types differ: {} and {}", a.dtype(), b.dtype());
  }
}

std::array<std::byte, 16> element_of(DType type, double value) {
  std::array<std::byte, 16> out{};
  convert(DType::kFloat64, &value, type, out.data(), 1);
  return out;
}

}  // namespace kinglet::ops
