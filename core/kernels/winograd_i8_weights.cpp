#include "kernels/winograd_i8_weights.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;

constexpr size_t kTaps = 9;
constexpr size_t kPairCodes = 2 * kInt8Columns;  ///< of a tap in a panel of codes

/// Three numbers of a line of a filter become four, twice as large as they would be in fractions.
inline __attribute__((always_inline)) void transform_line(const i16x8& a, const i16x8& b, const i16x8& c, i16x8 (&out)[4]) {
  const i16x8 outer = a + c;
  out[0] = a + a;
  out[1] = outer + b;
  out[2] = outer - b;
  out[3] = c + c;
}

/// The panel that holds `column` as codes; columns from out_channels on are zeros.
void gather_panel(const ConvShape& shape, const int8_t* weights, size_t column, int8_t* codes) {
  for (size_t k = 0; k < shape.in_channels; ++k) {
    for (size_t tap = 0; tap < kTaps; ++tap) {
      int8_t* const to = codes + (k / 2 * kTaps + tap) * kPairCodes + k % 2;
      for (size_t j = 0; j < kInt8Columns; ++j) {
        const bool inside = column + j < shape.out_channels;
        to[j * 2] = inside ? weights[((column + j) * shape.in_channels + k) * kTaps + tap] : int8_t{0};
      }
    }
  }
}

constexpr size_t panel_codes(size_t depth) { return kTaps * depth * kInt8Columns; }

}  // namespace

void transform_panel(const int8_t* codes, size_t depth, int16_t* panel) {
  const size_t point = panel_numbers(depth) / kWinogradPoints;
  for (size_t pair = 0; pair < depth / 2; ++pair, codes += kTaps * kPairCodes, panel += kPairCodes) {
    for (size_t half = 0; half < kPairCodes; half += 8) {
      i16x8 g[kTaps], lines[3][kWinogradSide], out[kWinogradSide];
      for (size_t tap = 0; tap < kTaps; ++tap) g[tap] = simd::load_extend(codes + tap * kPairCodes + half);
      for (size_t x = 0; x < 3; ++x) transform_line(g[x], g[3 + x], g[6 + x], lines[x]);
      for (size_t y = 0; y < kWinogradSide; ++y) {
        transform_line(lines[0][y], lines[1][y], lines[2][y], out);
        for (size_t x = 0; x < kWinogradSide; ++x) simd::store(panel + (y * kWinogradSide + x) * point + half, out[x]);
      }
    }
  }
}

size_t packed_winograd_i8_panel_bytes(const ConvShape& shape) {
  return keeps_codes(shape) ? panel_codes(shape.in_channels) : panel_numbers(shape.in_channels) * sizeof(int16_t);
}

size_t packed_winograd_i8_weights_size(const ConvShape& shape) {
  const size_t panels = round_up(shape.out_channels, kInt8Columns) / kInt8Columns;
  // Where they are transformed, a panel of codes follows the last one.
  return panels * packed_winograd_i8_panel_bytes(shape) + (keeps_codes(shape) ? 0 : panel_codes(shape.in_channels));
}

void pack_winograd_i8_weights(std::byte* packed, const ConvShape& shape, const int8_t* weights) {
  const size_t panel_bytes = packed_winograd_i8_panel_bytes(shape);
  const size_t panels = round_up(shape.out_channels, kInt8Columns) / kInt8Columns;
  auto* const last = reinterpret_cast<int8_t*>(packed + panels * panel_bytes);
  for (size_t panel = 0; panel < panels; ++panel, packed += panel_bytes) {
    const bool transforms = !keeps_codes(shape);
    int8_t* const codes = transforms ? last : reinterpret_cast<int8_t*>(packed);
    gather_panel(shape, weights, panel * kInt8Columns, codes);
    if (transforms) transform_panel(codes, shape.in_channels, reinterpret_cast<int16_t*>(packed));
  }
}

}  // namespace kinglet::kernels
