#include "kernels/conv_transpose.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

/// Scatters every input pixel over the output, as the definition does.
std::vector<double> reference(const ConvShape& s, const Rows& x, const std::vector<float>& w) {
  const size_t in_pixels = product(s.in, s.rank), out_pixels = product(s.out, s.rank),
               taps = product(s.kernel, s.rank);
  const size_t channels = s.in_channels / s.groups, outputs = s.out_channels / s.groups;
  std::vector<double> y(s.batch * out_pixels * s.out_channels);
  for (size_t pixel = 0; pixel < s.batch * in_pixels; ++pixel) {
    const Position i(pixel % in_pixels, s.in, s.rank);
    for (size_t t = 0; t < taps; ++t) {
      const Position k(t, s.kernel, s.rank);
      size_t out_index = 0;
      bool inside = true;
      for (size_t d = 0; d < s.rank; ++d) {
        const ptrdiff_t o = i.at[d] * static_cast<ptrdiff_t>(s.stride[d]) +
                            k.at[d] * static_cast<ptrdiff_t>(s.dilation[d]) - s.pad_begin[d];
        inside = inside && o >= 0 && o < static_cast<ptrdiff_t>(s.out[d]);
        out_index = out_index * s.out[d] + static_cast<size_t>(o);
      }
      if (!inside) continue;
      double* const out = y.data() + (pixel / in_pixels * out_pixels + out_index) * s.out_channels;
      for (size_t c = 0; c < s.in_channels; ++c) {
        const size_t group = c / channels;
        for (size_t m = 0; m < outputs; ++m) {
          out[group * outputs + m] += static_cast<double>(x.at(pixel, c)) * w[(c * outputs + m) * taps + t];
        }
      }
    }
  }
  return y;
}

void check(const ConvShape& s, size_t gap = 0, bool residual = false, Activation activation = {},
           size_t pieces = 1) {
  CAPTURE(s.rank, s.batch, s.groups, s.in_channels, s.out_channels, s.in[0], s.in[1], s.out[0], s.out[1],
          s.kernel[0], s.kernel[1], s.stride[0], s.stride[1], s.dilation[0], s.dilation[1], s.pad_begin[0],
          s.pad_begin[1], gap, residual, static_cast<int>(activation.kind));
  Random random(static_cast<uint32_t>(s.in_channels * 37 + s.out_channels));
  const size_t out_pixels = s.batch * product(s.out, s.rank);
  const Rows x = Rows::random(random, s.batch * product(s.in, s.rank), s.in_channels, gap);
  const auto w = random.values(s.in_channels * (s.out_channels / s.groups) * product(s.kernel, s.rank));
  const auto bias = random.values(s.out_channels);
  const Rows added = Rows::random(random, out_pixels, s.out_channels, gap);
  Rows y(out_pixels, s.out_channels, gap);
  std::vector<float> packed(packed_conv_transpose_weights_size(s));
  ConvShape weights_only = s;
  weights_only.batch = 1;
  weights_only.in = weights_only.out = {1, 1, 1};
  weights_only.pad_begin = {0, 0, 0};
  REQUIRE(packed_conv_transpose_weights_size(weights_only) == packed.size());
  pack_conv_transpose_weights(packed.data(), weights_only, w.data());
  const size_t lines = output_lines(s);
  for (size_t i = 0; i < pieces; ++i) {
    const Scratch scratch(conv_transpose_scratch_bytes(s));
    conv_transpose(s, x.data.data(), x.step(), packed.data(), y.data.data(), y.step(),
                   {bias.data(), residual ? added.data.data() : nullptr, added.step(), activation},
                   scratch.get(), lines * i / pieces, lines * (i + 1) / pieces);
  }
  const auto want = reference(s, x, w);
  REQUIRE(matches(
      y,
      [&](size_t pixel, size_t m) {
        return activate(activation,
                        want[pixel * s.out_channels + m] + bias[m] + (residual ? added.at(pixel, m) : 0.0));
      },
      4e-5));
}

ConvShape square(size_t channels, size_t outputs, size_t size, size_t kernel, size_t stride,
                 size_t dilation = 1, ptrdiff_t pad = 0, size_t output_padding = 0, size_t groups = 1) {
  ConvShape s{.groups = groups, .in_channels = channels, .out_channels = outputs};
  s.in = {size, size + 1, 1};
  s.kernel = {kernel, kernel, 1};
  s.stride = {stride, stride, 1};
  s.dilation = {dilation, dilation, 1};
  s.pad_begin = {pad, pad, 0};
  for (size_t d = 0; d < 2; ++d) {
    const auto full =
        static_cast<ptrdiff_t>((s.in[d] - 1) * stride + (kernel - 1) * dilation + 1 + output_padding);
    s.out[d] = static_cast<size_t>(std::max<ptrdiff_t>(full - 2 * pad, 0));
  }
  return s;
}

TEST_CASE("conv_transpose: kernels, strides, dilations, pads") {
  for (size_t kernel = 1; kernel <= 5; ++kernel) {
    for (size_t stride = 1; stride <= 4; ++stride) {
      for (size_t dilation = 1; dilation <= 3; ++dilation) {
        for (ptrdiff_t pad : {0, 1, 2}) {
          check(square(3, 5, 4, kernel, stride, dilation, pad), kernel % 2, stride == 2);
          check(square(2, 9, 3, kernel, stride, dilation, pad, stride - 1));
        }
      }
    }
  }
}

TEST_CASE("conv_transpose: channels and groups") {
  for (size_t channels = 1; channels <= 9; ++channels) {
    for (size_t outputs : {1, 2, 7, 8, 17}) check(square(channels, outputs, 3, 2, 2), 1);
  }
  for (size_t groups : {2, 3}) {
    check(square(groups * 3, groups * 5, 4, 3, 2, 1, 1, 0, groups), 2, true);
    check(square(groups, groups, 4, 4, 2, 1, 1, 0, groups));
  }
}

TEST_CASE("conv_transpose: several K blocks, long lines, several calls") {
  check(square(130, 4, 3, 3, 1, 1, 1), 1);
  check(square(500, 3, 2, 2, 2));
  check(square(2, 3, 70, 2, 2), 0, true, {}, 3);
}

TEST_CASE("conv_transpose: patches that do not overlap") {
  for (size_t outputs : {1, 2, 3, 5, 12}) {
    for (size_t kernel : {2, 3}) {
      check(square(5, outputs, 6, kernel, kernel), 0, false, {Activation::Kind::kSigmoid}, 1);
      check(square(400, outputs, 3, kernel, kernel), 1, true, {Activation::Kind::kRelu}, 4);
    }
  }
  check(square(3, 1, 140, 2, 2), 0, false, {}, 7);
  for (size_t outputs : {1, 2}) {
    for (ptrdiff_t pad : {-1, 0, 1, 3, 5}) {
      for (size_t extra : {0, 2}) {
        check(square(3, outputs, 5, 3, 3, 1, pad, extra), 1, extra == 0, {Activation::Kind::kSigmoid}, 3);
      }
    }
  }
  ConvShape volume{.rank = 3, .batch = 2, .in_channels = 3, .out_channels = 1};
  volume.in = {2, 3, 4};
  volume.kernel = volume.stride = {2, 3, 2};
  volume.out = {4, 9, 8};
  check(volume, 1, true, {}, 5);
}

TEST_CASE("conv_transpose: every activation") {
  for (const Activation& activation : activations()) check(square(3, 6, 4, 3, 2, 1, 1), 1, true, activation);
}

TEST_CASE("conv_transpose: one and three dimensions") {
  ConvShape line{.rank = 1, .batch = 2, .in_channels = 3, .out_channels = 4};
  line.in = {9, 1, 1};
  line.kernel = {5, 1, 1};
  line.stride = {3, 1, 1};
  line.pad_begin = {1, 0, 0};
  line.out = {27, 1, 1};
  check(line, 1);

  ConvShape volume{.rank = 3, .batch = 2, .in_channels = 3, .out_channels = 2};
  volume.in = {2, 3, 4};
  volume.kernel = {2, 3, 2};
  volume.stride = {2, 1, 3};
  volume.dilation = {1, 2, 1};
  volume.out = {4, 7, 11};
  check(volume);
}

TEST_CASE("conv_transpose: a stride far beyond the kernel leaves only the bias between") {
  check(square(2, 3, 3, 2, 40, 1, 1));
}

}  // namespace
}  // namespace kinglet::kernels::test
