#pragma once
// 8 bit weights in the order in which products read them: panels of kInt8Columns columns, in each the first int8_step
// values of k of every column, then the next, zeros behind the last; after all panels the columns' sums. Internal to
// kernels/.

#include <cstddef>
#include <cstdint>

#include "kernels/gemm_i8.hpp"

namespace kinglet::kernels {

/// Packs panel after panel of a matrix [k, n]; `flip` is xor-ed to each code.
class PanelPacker {
 public:
  PanelPacker(int8_t* packed, size_t k, size_t n, uint8_t flip, Int8Kernel kernel);

  /// The next panel, whose `columns` (kInt8Columns, or fewer in the last) begin at codes[j * stride], each k codes in a run.
  void add_columns(const uint8_t* codes, ptrdiff_t stride, size_t columns);
  /// The same of codes[i * stride + j].
  void add_rows(const uint8_t* codes, ptrdiff_t stride, size_t columns);

 private:
  void add_codes(size_t first, const uint8_t* codes, ptrdiff_t row_stride, ptrdiff_t column_stride, size_t columns);
  void add_sums();

  size_t k_, step_;
  uint8_t flip_;
  int8_t* panel_;
  int32_t* sums_;
};

}  // namespace kinglet::kernels
