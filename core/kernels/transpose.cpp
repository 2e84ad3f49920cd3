#include "kernels/transpose.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

/// No array in memory has more dimensions than this that are not 1.
constexpr size_t kMaxRank = 64;
/// A square of this many elements a side is read and written while its cache lines stay.
constexpr size_t kSquare = 16;

struct Wide {
  uint64_t low, high;
};

template <class T>
void square_transpose(const std::byte* src, size_t src_row, std::byte* dst, size_t dst_row, size_t rows,
                      size_t columns) {
  for (size_t c = 0; c < columns; ++c) {
    for (size_t r = 0; r < rows; ++r) {
      std::memcpy(dst + (c * dst_row + r) * sizeof(T), src + (r * src_row + c) * sizeof(T), sizeof(T));
    }
  }
}

/// Four rows and columns at a time in registers; what is left over one by one.
void square_transpose_f32(const std::byte* src, size_t src_row, std::byte* dst, size_t dst_row, size_t rows,
                          size_t columns) {
  using T = uint32_t;
  const auto load = [](const std::byte* p) {
    simd::f32x4 v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  };
  const auto store = [](std::byte* p, simd::f32x4 v) { __builtin_memcpy(p, &v, sizeof v); };
  const size_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (size_t r = 0; r < whole_rows; r += 4) {
    for (size_t c = 0; c < whole_columns; c += 4) {
      const std::byte* const from = src + (r * src_row + c) * sizeof(T);
      std::byte* const to = dst + (c * dst_row + r) * sizeof(T);
      simd::f32x4 a = load(from), b = load(from + src_row * sizeof(T)),
                  d = load(from + 2 * src_row * sizeof(T)), e = load(from + 3 * src_row * sizeof(T));
      simd::transpose(a, b, d, e);
      store(to, a);
      store(to + dst_row * sizeof(T), b);
      store(to + 2 * dst_row * sizeof(T), d);
      store(to + 3 * dst_row * sizeof(T), e);
    }
  }
  square_transpose<T>(src + whole_columns * sizeof(T), src_row, dst + whole_columns * dst_row * sizeof(T),
                      dst_row, rows, columns - whole_columns);
  square_transpose<T>(src + whole_rows * src_row * sizeof(T), src_row, dst + whole_rows * sizeof(T), dst_row,
                      rows - whole_rows, whole_columns);
}

bool is_element(size_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16; }

using SquareFunction = void (*)(const std::byte*, size_t, std::byte*, size_t, size_t, size_t);

SquareFunction square_function(size_t element_bytes) {
  switch (element_bytes) {
    case 1: return square_transpose<uint8_t>;
    case 2: return square_transpose<uint16_t>;
    case 4: return square_transpose_f32;
    case 8: return square_transpose<uint64_t>;
    default: return square_transpose<Wide>;
  }
}

/// dst[c * dst_row + r] = src[r * src_row + c]
void transpose_matrix(const std::byte* src, size_t src_row, std::byte* dst, size_t dst_row, size_t rows,
                      size_t columns, size_t element_bytes) {
  const SquareFunction square = square_function(element_bytes);
  for (size_t r = 0; r < rows; r += kSquare) {
    for (size_t c = 0; c < columns; c += kSquare) {
      square(src + (r * src_row + c) * element_bytes, src_row, dst + (c * dst_row + r) * element_bytes,
             dst_row, std::min(kSquare, rows - r), std::min(kSquare, columns - c));
    }
  }
}

/// A permutation without dimensions of size 1, in which dimensions that stay neighbours are one.
struct Permutation {
  size_t rank = 0;
  std::array<size_t, kMaxRank> sizes;       ///< in the order of dst
  std::array<size_t, kMaxRank> src_stride;  ///< elements, in the order of dst
  std::array<size_t, kMaxRank> dst_stride;

  Permutation(std::span<const size_t> dims, std::span<const size_t> permutation) {
    for (const size_t from : permutation) {
      if (dims[from] == 1) continue;
      size_t stride = 1;
      for (size_t i = from + 1; i < dims.size(); ++i) stride *= dims[i];
      if (rank > 0 && src_stride[rank - 1] == stride * dims[from]) {
        sizes[rank - 1] *= dims[from];
        src_stride[rank - 1] = stride;
      } else {
        sizes[rank] = dims[from];
        src_stride[rank++] = stride;
      }
    }
    size_t stride = 1;
    for (size_t i = rank; i-- > 0;) {
      dst_stride[i] = stride;
      stride *= sizes[i];
    }
  }

  /// Makes the last dimension, contiguous in src too, part of the element; gives its size.
  size_t take_last() {
    const size_t size = sizes[--rank];
    for (size_t i = 0; i < rank; ++i) {
      src_stride[i] /= size;
      dst_stride[i] /= size;
    }
    return size;
  }

  void remove(size_t dim) {
    for (size_t i = dim; i + 1 < rank; ++i) {
      sizes[i] = sizes[i + 1];
      src_stride[i] = src_stride[i + 1];
      dst_stride[i] = dst_stride[i + 1];
    }
    --rank;
  }

  /// Calls f(src offset, dst offset), in elements, for every position.
  template <class F>
  void for_each(F f) const {
    std::array<size_t, kMaxRank> at;
    std::fill_n(at.begin(), rank, 0);
    size_t src = 0, dst = 0;
    while (true) {
      f(src, dst);
      size_t i = rank;
      while (i-- > 0) {
        src += src_stride[i];
        dst += dst_stride[i];
        if (++at[i] < sizes[i]) break;
        src -= at[i] * src_stride[i];
        dst -= at[i] * dst_stride[i];
        at[i] = 0;
      }
      if (i == static_cast<size_t>(-1)) return;
    }
  }
};

}  // namespace

void transpose(const void* src, void* dst, size_t element_bytes, std::span<const size_t> dims,
               std::span<const size_t> permutation) {
  for (const size_t size : dims) {
    if (size == 0) return;
  }
  const auto* from = static_cast<const std::byte*>(src);
  auto* to = static_cast<std::byte*>(dst);
  Permutation p(dims, permutation);
  if (p.rank > 0 && p.src_stride[p.rank - 1] == 1) element_bytes *= p.take_last();
  if (p.rank == 0 || !is_element(element_bytes)) {
    p.for_each([&](size_t s, size_t d) {
      std::memcpy(to + d * element_bytes, from + s * element_bytes, element_bytes);
    });
    return;
  }
  const size_t last = p.rank - 1;
  // dst's last dimension and src's last one span matrices.
  const size_t inner = static_cast<size_t>(
      std::find(p.src_stride.begin(), p.src_stride.begin() + p.rank, 1u) - p.src_stride.begin());
  const size_t rows = p.sizes[last], columns = p.sizes[inner];
  const size_t src_row = p.src_stride[last], dst_row = p.dst_stride[inner];
  p.remove(last);
  p.remove(inner);
  p.for_each([&](size_t s, size_t d) {
    transpose_matrix(from + s * element_bytes, src_row, to + d * element_bytes, dst_row, rows, columns,
                     element_bytes);
  });
}

void transpose_matrices(const void* src, void* dst, size_t element_bytes, size_t batch, size_t rows,
                        size_t columns) {
  const size_t bytes = rows * columns * element_bytes;
  for (size_t i = 0; i < batch; ++i) {
    transpose_matrix(static_cast<const std::byte*>(src) + i * bytes, columns,
                     static_cast<std::byte*>(dst) + i * bytes, rows, rows, columns, element_bytes);
  }
}

}  // namespace kinglet::kernels
