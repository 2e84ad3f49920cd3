#include "kernels/conv.hpp"

#include "kernels/depthwise.hpp"
#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

struct Options {
  size_t in_gap = 0, out_gap = 0;
  bool bias = true, residual = false;
  Activation activation = {};
  size_t pieces = 1;  ///< calls that the output range is split over
  double rounding = 4e-6;
};

/// Runs conv, or depthwise, over a random image and compares every value.
void check(ConvShape s, const Options& o = {}, bool run_depthwise = false) {
  CAPTURE(run_depthwise, s.rank, s.batch, s.groups, s.in_channels, s.out_channels, s.in[0], s.in[1], s.in[2],
          s.out[0], s.out[1], s.out[2], s.kernel[0], s.kernel[1], s.kernel[2], s.stride[0], s.stride[1],
          s.dilation[0], s.dilation[1], s.pad_begin[0], s.pad_begin[1], o.in_gap, o.out_gap, o.residual,
          static_cast<int>(o.activation.kind));
  Random random(static_cast<uint32_t>(s.in_channels * 31 + s.out_channels + 7));
  const size_t in_pixels = s.batch * product(s.in, s.rank), out_pixels = s.batch * product(s.out, s.rank);
  const size_t taps = product(s.kernel, s.rank);
  const Rows x = Rows::random(random, in_pixels, s.in_channels, o.in_gap);
  const auto w = random.values(s.out_channels * (s.in_channels / s.groups) * taps);
  const auto bias = random.values(s.out_channels);
  const Rows residual = Rows::random(random, out_pixels, s.out_channels, o.out_gap + 1);
  Rows y(out_pixels, s.out_channels, o.out_gap);
  const Epilogue epilogue{o.bias ? bias.data() : nullptr, o.residual ? residual.data.data() : nullptr,
                          residual.step(), o.activation};
  REQUIRE(output_pixels(s) == out_pixels);

  const size_t range = run_depthwise ? output_lines(s) : output_pixels(s);
  std::vector<float> packed(run_depthwise ? packed_depthwise_weights_size(s) : packed_conv_weights_size(s));
  const ConvShape weights_only{.rank = s.rank,
                               .groups = s.groups,
                               .in_channels = s.in_channels,
                               .out_channels = s.out_channels,
                               .kernel = s.kernel};
  (run_depthwise ? pack_depthwise_weights : pack_conv_weights)(packed.data(), weights_only, w.data());
  for (size_t i = 0; i < o.pieces; ++i) {
    const Scratch scratch(run_depthwise ? depthwise_scratch_bytes(s) : conv_scratch_bytes(s));
    (run_depthwise ? depthwise : conv)(s, x.data.data(), x.step(), packed.data(), y.data.data(), y.step(),
                                       epilogue, scratch.get(), range * i / o.pieces,
                                       range * (i + 1) / o.pieces);
  }
  const double depth = static_cast<double>(taps * s.in_channels / s.groups);
  REQUIRE(matches(
      y,
      [&](size_t pixel, size_t m) {
        const double sum = conv_at(s, x, w, pixel, m) + (o.bias ? bias[m] : 0.0) +
                           (o.residual ? residual.at(pixel, m) : 0.0);
        return activate(o.activation, sum);
      },
      o.rounding * std::sqrt(depth + 1)));
}

ConvShape square(size_t channels, size_t outputs, size_t size, size_t kernel, size_t stride = 1,
                 size_t dilation = 1, ptrdiff_t pad = 0, size_t groups = 1) {
  ConvShape s{.groups = groups, .in_channels = channels, .out_channels = outputs};
  s.in = {size, size + 1, 1};
  s.kernel = {kernel, kernel, 1};
  s.stride = {stride, stride, 1};
  s.dilation = {dilation, dilation, 1};
  s.pad_begin = {pad, pad, 0};
  set_out(s, pad);
  return s;
}

TEST_CASE("conv: channels 1 to 17, inputs and outputs") {
  for (size_t channels = 1; channels <= 17; ++channels) {
    for (size_t outputs : {1, 3, 8, 9, 16}) {
      check(square(channels, outputs, 5, 3, 1, 1, 1), {.in_gap = channels % 3, .out_gap = outputs % 2});
    }
  }
}

TEST_CASE("conv: kernels, strides, dilations and pads") {
  for (size_t kernel = 1; kernel <= 5; ++kernel) {
    for (size_t stride = 1; stride <= 3; ++stride) {
      for (size_t dilation = 1; dilation <= 2; ++dilation) {
        for (ptrdiff_t pad : {-1, 0, 1, 3}) {
          ConvShape s = square(3, 5, 11, kernel, stride, dilation, pad);
          check(s);
          check(s, {.in_gap = 2, .residual = true});
        }
      }
    }
  }
}

TEST_CASE("conv: thick taps, K blocks of several taps and slices of one tap") {
  for (size_t channels : {63, 64, 100, 130, 256, 385, 600}) {
    check(square(channels, 10, 4, 3, 1, 1, 1), {.out_gap = 1, .residual = true});
    check(square(channels, 9, 4, 1, 2));
  }
}

TEST_CASE("conv: more pixels than one row block, in several calls") {
  check(square(6, 8, 19, 3, 1, 1, 1), {.pieces = 3});
  check(square(70, 8, 13, 3, 2, 1, 1), {.residual = true, .pieces = 5});
  check(square(5, 7, 12, 1), {.in_gap = 1, .out_gap = 2, .residual = true, .pieces = 4});
}

TEST_CASE("conv: pointwise by fewer multiplications, in row blocks and several calls") {
  check(square(256, 264, 33, 1), {.in_gap = 1, .out_gap = 2, .rounding = 1.5e-5});
  check(square(386, 200, 15, 1), {.activation = {Activation::Kind::kRelu}, .pieces = 3, .rounding = 1.5e-5});
  check(square(256, 264, 16, 1), {.residual = true, .rounding = 1.5e-5});
}

TEST_CASE("conv: groups") {
  for (size_t groups : {2, 3, 7}) {
    for (size_t channels = 1; channels <= 3; ++channels) {
      for (size_t outputs = 1; outputs <= 9; outputs += 4) {
        check(square(groups * channels, groups * outputs, 5, 3, 1, 1, 1, groups),
              {.in_gap = 1, .residual = true});
        check(square(groups * channels, groups * outputs, 5, 1, 1, 1, 0, groups), {.out_gap = 1});
      }
    }
  }
  check(square(800, 20, 3, 3, 1, 1, 1, 2));
}

TEST_CASE("conv: one and three dimensions, batches") {
  ConvShape line{.rank = 1, .batch = 3, .in_channels = 5, .out_channels = 6};
  line.in = {17, 1, 1};
  line.kernel = {4, 1, 1};
  line.stride = {2, 1, 1};
  line.pad_begin = {1, 0, 0};
  set_out(line, 2);
  check(line, {.residual = true});

  ConvShape volume{.rank = 3, .batch = 2, .in_channels = 4, .out_channels = 9};
  volume.in = {4, 5, 6};
  volume.kernel = {3, 2, 3};
  volume.stride = {1, 2, 2};
  volume.dilation = {1, 2, 1};
  volume.pad_begin = {1, 1, 2};
  set_out(volume, 1);
  check(volume, {.in_gap = 1, .out_gap = 3});
  check(volume);
}

TEST_CASE("conv: every activation") {
  for (const Activation& activation : activations()) {
    check(square(9, 10, 6, 3, 1, 1, 1), {.out_gap = 1, .residual = true, .activation = activation});
  }
}

TEST_CASE("conv: a kernel larger than the image sees only its middle") {
  check(square(3, 4, 2, 7, 1, 1, 3), {.residual = true});
  check(square(65, 4, 2, 7, 1, 1, 3));
}

ConvShape channelwise(size_t channels, size_t size, size_t kernel, size_t stride = 1, size_t dilation = 1,
                      ptrdiff_t pad = 0) {
  return square(channels, channels, size, kernel, stride, dilation, pad, channels);
}

TEST_CASE("depthwise: channels 1 to 17") {
  for (size_t channels = 1; channels <= 17; ++channels) {
    check(channelwise(channels, 7, 3, 1, 1, 1), {.in_gap = channels % 2, .out_gap = channels % 3}, true);
    check(channelwise(channels, 9, 5, 2, 1, 2), {.bias = false, .residual = true}, true);
  }
}

TEST_CASE("depthwise: kernels, strides, dilations and pads") {
  for (size_t kernel = 1; kernel <= 7; ++kernel) {
    for (size_t stride = 1; stride <= 3; ++stride) {
      for (size_t dilation = 1; dilation <= 2; ++dilation) {
        for (ptrdiff_t pad : {-1, 0, 1, 4}) {
          check(channelwise(6, 14, kernel, stride, dilation, pad), {.residual = pad == 1, .pieces = 2}, true);
        }
      }
    }
  }
}

TEST_CASE("depthwise: one and three dimensions, batches, kernels that are not square") {
  ConvShape line{.rank = 1, .batch = 2, .groups = 9, .in_channels = 9, .out_channels = 9};
  line.in = {23, 1, 1};
  line.kernel = {3, 1, 1};
  line.pad_begin = {1, 0, 0};
  set_out(line, 1);
  check(line, {.residual = true}, true);

  ConvShape volume{.rank = 3, .batch = 2, .groups = 5, .in_channels = 5, .out_channels = 5};
  volume.in = {3, 4, 9};
  volume.kernel = {2, 3, 3};
  volume.stride = {1, 2, 1};
  volume.pad_begin = {1, 1, 1};
  set_out(volume, 1);
  check(volume, {.in_gap = 2}, true);

  ConvShape flat{.batch = 2, .groups = 8, .in_channels = 8, .out_channels = 8};
  flat.in = {6, 13, 1};
  flat.kernel = {1, 5, 1};
  flat.stride = {2, 1, 1};
  flat.pad_begin = {0, 2, 0};
  set_out(flat, 2);
  check(flat, {}, true);
}

TEST_CASE("depthwise: every activation") {
  for (const Activation& activation : activations()) {
    check(channelwise(7, 9, 3, 1, 1, 1), {.out_gap = 1, .residual = true, .activation = activation}, true);
  }
}

TEST_CASE("depthwise: one channel in and out a group") {
  REQUIRE(is_depthwise(channelwise(5, 4, 3)));
  REQUIRE_FALSE(is_depthwise(square(5, 10, 4, 3, 1, 1, 0, 5)));
  REQUIRE_FALSE(is_depthwise(square(10, 5, 4, 3, 1, 1, 0, 5)));
}

}  // namespace
}  // namespace kinglet::kernels::test
