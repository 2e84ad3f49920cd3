#pragma once
// Weights of winograd_i8. Internal to kernels/.
//
// A transformed panel, eight columns, holds point after point; a point holds pairs of channels as a panel of packed B does.
// A panel of codes holds pairs of channels; a pair its nine taps, each the two codes of every column.

#include "kernels/gemm_i8_block.hpp"
#include "kernels/winograd_i8.hpp"

namespace kinglet::kernels {

inline constexpr size_t kWinogradPoints = 16;  ///< products a tile
inline constexpr size_t kWinogradSide = 4;     ///< of the input square of a tile

/// Pairs of channels from which on transformed weights would take too much memory.
inline constexpr size_t kMostTransformedPairs = 256 * 256;

/// Whether packed weights are codes, which each call transforms panel by panel.
inline bool keeps_codes(const ConvShape& shape) { return shape.in_channels * shape.out_channels > kMostTransformedPairs; }

/// So many numbers or more, in an odd number of cache lines: points that lie a multiple of 4 KiB apart would push each other
/// out of the first cache.
constexpr size_t odd_lines(size_t numbers) { return (round_up(numbers, 32) / 32 | 1) * 32; }

/// Numbers of a transformed panel.
constexpr size_t panel_numbers(size_t depth) { return kWinogradPoints * odd_lines(depth * kInt8Columns); }

/// Bytes of a packed panel.
size_t packed_winograd_i8_panel_bytes(const ConvShape& shape);

/// From a panel of codes to a transformed one; `depth` is even.
void transform_panel(const int8_t* codes, size_t depth, int16_t* panel);

}  // namespace kinglet::kernels
