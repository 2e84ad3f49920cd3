// MelWeightMatrix: triangles over the bins of a spectrum, [dft_length / 2 + 1, mel bins], their peaks evenly spread
// over the mel scale: mel(f) = 2595 log10(1 + f / 700).

#include <cmath>

#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/signal/fft.hpp"

namespace kinglet::ops {
namespace {

struct MelWeightMatrix {
  DType type;
};

MelWeightMatrix parse(const NodeView& n) {
  const auto type = dtype_from_onnx(n.attr_int("output_datatype", 1));
  if (!type) throw_error(ErrorCode::kModel, "element type {} is not known", n.attr_int("output_datatype"));
  check_type(*type, kNumbers);
  return {*type};
}

void infer(const MelWeightMatrix& op, InferContext& c) {
  c.in(0);
  c.in(1);
  const auto bands = known_scalar(c, 0), length = known_scalar(c, 1);
  c.require((!bands || *bands >= 0) && (!length || *length >= 0), "{} bands for a length of {}", bands.value_or(0),
            length.value_or(0));
  c.out(0, op.type, SymShape({length ? Dim(*length / 2 + 1) : Dim(), bands ? Dim(*bands) : Dim()}));
}

double to_mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double to_hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

void run(const MelWeightMatrix& op, RunContext& c) {
  Tensor& y = c.out(0);
  const int64_t bins = y.dim(0), bands = y.dim(1);
  const double length = scalar_of(c.in(1)), rate = scalar_of(c.in(2));
  const double low = scalar_of(c.in(3)), high = scalar_of(c.in(4));
  c.require(rate > 0 && low >= 0 && high >= low && high <= rate / 2, "{} to {} hertz at a rate of {}", low, high, rate);
  fill_elements(op.type, y.raw(), nullptr, y.count());
  const double first = to_mel(low), step = (to_mel(high) - first) / static_cast<double>(bands + 2);
  const auto bin_of = [&](int64_t point) {
    const double hertz = to_hertz(first + static_cast<double>(point) * step);
    return std::min(static_cast<int64_t>(std::floor((length + 1) * hertz / rate)), bins - 1);
  };
  const auto set = [&](int64_t bin, int64_t band, int64_t part, int64_t whole) {
    const auto value = element_of(op.type, static_cast<double>(part) / static_cast<double>(whole));
    copy_elements(op.type, element(y, static_cast<size_t>(bin * bands + band)), value.data(), 1);
  };
  for (int64_t band = 0; band < bands; ++band) {
    const int64_t left = bin_of(band), peak = bin_of(band + 1), right = bin_of(band + 2);
    set(peak, band, 1, 1);
    for (int64_t bin = left; bin < peak; ++bin) set(bin, band, bin - left, peak - left);
    for (int64_t bin = peak + 1; bin < right; ++bin) set(bin, band, right - bin, right - peak);
  }
}

}  // namespace

KINGLET_OP(MelWeightMatrix, op<MelWeightMatrix, parse, infer, run>(since(17)));

}  // namespace kinglet::ops
