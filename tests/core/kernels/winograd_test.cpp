#include "kernels/winograd.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

struct Options {
  size_t in_gap = 0, out_gap = 0;
  bool bias = true, residual = false;
  Activation activation = {};
  size_t pieces = 1;  ///< calls that the tiles are split over
};

/// Runs winograd over a random image and compares every value with the convolution's definition.
void check(const ConvShape& s, const Options& o = {}) {
  CAPTURE(s.batch, s.in_channels, s.out_channels, s.in[0], s.in[1], s.out[0], s.out[1], s.pad_begin[0],
          s.pad_begin[1], o.in_gap, o.out_gap, o.residual, static_cast<int>(o.activation.kind));
  REQUIRE(prefers_winograd(s));
  Random random(static_cast<uint32_t>(s.in_channels * 31 + s.out_channels + s.in[0]));
  const size_t out_pixels = s.batch * product(s.out, s.rank);
  const Rows x = Rows::random(random, s.batch * product(s.in, s.rank), s.in_channels, o.in_gap);
  const auto w = random.values(s.out_channels * s.in_channels * 9);
  const auto bias = random.values(s.out_channels);
  const Rows residual = Rows::random(random, out_pixels, s.out_channels, o.out_gap + 1);
  Rows y(out_pixels, s.out_channels, o.out_gap);
  const Epilogue epilogue{o.bias ? bias.data() : nullptr, o.residual ? residual.data.data() : nullptr,
                          residual.step(), o.activation};
  // In two places, as they may be.
  const size_t matrix = winograd_matrix_size(s), split = o.pieces % winograd_matrices(s);
  std::vector<float> first(split * matrix), rest((winograd_matrices(s) - split) * matrix);
  pack_winograd_weights({first.data(), rest.data(), split}, s, w.data());
  const size_t tiles = output_tiles(s);
  for (size_t i = 0; i < o.pieces; ++i) {
    const Scratch scratch(winograd_scratch_bytes(s));
    winograd(s, x.data.data(), x.step(), {first.data(), rest.data(), split}, y.data.data(), y.step(), epilogue,
             scratch.get(), tiles * i / o.pieces, tiles * (i + 1) / o.pieces);
  }
  REQUIRE(matches(
      y,
      [&](size_t pixel, size_t m) {
        const double sum = conv_at(s, x, w, pixel, m) + (o.bias ? bias[m] : 0.0) +
                           (o.residual ? residual.at(pixel, m) : 0.0);
        return activate(o.activation, sum);
      },
      4e-6 * std::sqrt(9.0 * static_cast<double>(s.in_channels) + 1)));
}

ConvShape image(size_t channels, size_t outputs, size_t height, size_t width, ptrdiff_t pad_begin,
                ptrdiff_t pad_end, size_t stride = 1) {
  ConvShape s{.in_channels = channels, .out_channels = outputs};
  s.in = {height, width, 1};
  s.kernel = {3, 3, 1};
  s.stride = {stride, stride, 1};
  s.pad_begin = {pad_begin, pad_begin, 0};
  for (size_t i = 0; i < 2; ++i)
    s.out[i] = static_cast<size_t>(static_cast<ptrdiff_t>(s.in[i]) + pad_begin + pad_end - 3) / stride + 1;
  return s;
}

TEST_CASE("winograd: image sizes and pads") {
  for (size_t height = 3; height <= 9; ++height) {
    for (const size_t width : {3, 4, 7, 17}) {
      for (const ptrdiff_t begin : {0, 1, 2}) {
        for (const ptrdiff_t end : {0, 1}) {
          check(image(16, 16, height, width, begin, end));
          check(image(32, 32, height, width, begin, end, 2));
        }
      }
    }
  }
  check(image(16, 16, 1, 1, 1, 1));
}

TEST_CASE("winograd: channels that are no multiple of a vector or a panel") {
  for (const size_t in : {16, 17, 19, 24, 33}) {
    for (const size_t out : {16, 18, 23, 40}) {
      check(image(in, out, 6, 5, 1, 1));
      check(image(in + 16, out + 16, 6, 5, 1, 1, 2));
    }
  }
}

TEST_CASE("winograd: gaps, residual, activations, batches, split calls") {
  for (const size_t stride : {1, 2}) {
    ConvShape s = image(36, 34, 11, 9, 1, 1, stride);
    s.batch = 3;
    check(s, {.in_gap = 3, .out_gap = 5, .residual = true, .pieces = 4});
    check(s, {.bias = false});
    for (const Activation& activation : activations()) {
      check(s, {.residual = true, .activation = activation});
      check(s, {.out_gap = 1, .residual = true, .activation = activation});
    }
  }
}

TEST_CASE("winograd: more tiles than a block holds") {
  check(image(64, 64, 40, 41, 1, 1));
  check(image(64, 64, 40, 41, 1, 1, 2));
}

TEST_CASE("winograd: tiles of 2x2, for weights that are large already") {
  const auto tiles = [](size_t channels) { return output_tiles(image(channels, channels, 8, 8, 1, 1)); };
  REQUIRE(tiles(128) == 4);
  REQUIRE(tiles(132) == 16);
  for (size_t size = 3; size <= 6; ++size)
    check(image(132, 126, size, size + 3, 1, 1), {.in_gap = 2, .residual = true, .pieces = 3});
}

TEST_CASE("winograd is for 3x3 with stride 1 or 2, ungrouped, of enough channels") {
  const ConvShape fit = image(32, 32, 8, 8, 1, 1);
  const auto refuses = [&](auto&& change) {
    ConvShape s = fit;
    change(s);
    return !prefers_winograd(s);
  };
  CHECK(prefers_winograd(fit));
  CHECK(!refuses([](ConvShape& s) { s.stride = {2, 2, 1}; }));
  CHECK(refuses([](ConvShape& s) { s.stride[1] = 2; }));
  CHECK(refuses([](ConvShape& s) { s.stride = {3, 3, 1}; }));
  CHECK(refuses([](ConvShape& s) { s.dilation[0] = 2; }));
  CHECK(refuses([](ConvShape& s) { s.kernel[0] = 5; }));
  CHECK(refuses([](ConvShape& s) { s.groups = 2; }));
  CHECK(refuses([](ConvShape& s) { s.rank = 1; }));
  CHECK(refuses([](ConvShape& s) { s.in_channels = 3; }));
}

}  // namespace
}  // namespace kinglet::kernels::test
