// LRN (ONNX 1, 13): x / (bias + alpha / size * s)^beta, s the sum of the squares of `size` neighbouring
// channels.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct LRN {
  int64_t size;
  double alpha, beta, bias;
};

LRN parse(const NodeView& n) {
  const LRN op{n.attr_int("size"), static_cast<double>(n.attr_float("alpha", 0.0001f)),
               static_cast<double>(n.attr_float("beta", 0.75f)),
               static_cast<double>(n.attr_float("bias", 1))};
  if (op.size < 1) throw_error(ErrorCode::kModel, "attribute 'size' is {}", op.size);
  return op;
}

void infer(const LRN&, InferContext& c) {
  c.require(!c.shape(0).has_rank() || c.shape(0).rank() >= 2, "expected [N, C, ...], got {}", c.shape(0));
  infer_unary(c, kFloats);
}

/// base^-beta; AlexNet's 0.75 without pow.
double factor(double base, double beta) {
  if (beta != 0.75) return std::pow(base, -beta);
  const double root = std::sqrt(base);
  return 1 / (root * std::sqrt(root));
}

/// One image [channels, pixels]. Blocks of pixels go through `values` [channels, kBlock], so that each
/// element is widened once.
void run_image(const LRN& op, size_t channels, size_t pixels, DType type, const std::byte* x, std::byte* y,
               double* values) {
  const size_t before = std::min(static_cast<size_t>(op.size - 1) / 2, channels);
  const size_t after = std::min(static_cast<size_t>(op.size) / 2, channels);
  const double scale = op.alpha / static_cast<double>(op.size);
  const size_t width = dtype_size(type);
  for (size_t start = 0; start < pixels; start += kBlock) {
    const size_t n = std::min(kBlock, pixels - start);
    for (size_t c = 0; c < channels; ++c) {
      convert(type, x + (c * pixels + start) * width, DType::kFloat64, values + c * kBlock, n);
    }
    for (size_t c = 0; c < channels; ++c) {
      double sums[kBlock] = {};
      for (size_t k = c - std::min(c, before), end = std::min(channels, c + after + 1); k < end; ++k) {
        for (size_t p = 0; p < n; ++p) sums[p] += values[k * kBlock + p] * values[k * kBlock + p];
      }
      for (size_t p = 0; p < n; ++p) {
        sums[p] = values[c * kBlock + p] * factor(op.bias + scale * sums[p], op.beta);
      }
      convert(DType::kFloat64, sums, type, y + (c * pixels + start) * width, n);
    }
  }
}

void run(const LRN& op, RunContext& c) {
  const Tensor& x = c.in(0);
  if (x.count() == 0) return;
  const auto channels = static_cast<size_t>(x.dim(1));
  const size_t size = x.shape().count(1, x.rank()), bytes = size * dtype_size(x.dtype());
  double* values = c.scratch<double>(channels * kBlock);
  for (size_t at = 0; at < x.bytes(); at += bytes) {
    run_image(op, channels, size / channels, x.dtype(), x.raw() + at, c.out(0).raw() + at, values);
  }
}

}  // namespace

KINGLET_OP(LRN, op<LRN, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
