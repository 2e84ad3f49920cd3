#include "kernels/pooling.hpp"

#include "kernels/max_pool_i8.hpp"
#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

struct Expected {
  double max = -std::numeric_limits<double>::infinity();
  double sum = 0;
  size_t inside = 0;       ///< taps in the input
  size_t inside_pads = 0;  ///< taps in the input and its pads
};

Expected expected_at(const PoolShape& s, const Rows& x, size_t pixel, size_t c) {
  const size_t out_pixels = product(s.out, s.rank), in_pixels = product(s.in, s.rank),
               taps = product(s.kernel, s.rank);
  const Position o(pixel % out_pixels, s.out, s.rank);
  Expected e;
  for (size_t t = 0; t < taps; ++t) {
    const Position k(t, s.kernel, s.rank);
    bool inside = true, inside_pads = true;
    size_t index = 0;
    for (size_t d = 0; d < s.rank; ++d) {
      const ptrdiff_t i = o.at[d] * static_cast<ptrdiff_t>(s.stride[d]) - s.pad_begin[d] +
                          k.at[d] * static_cast<ptrdiff_t>(s.dilation[d]);
      const auto size = static_cast<ptrdiff_t>(s.in[d]);
      inside = inside && i >= 0 && i < size;
      inside_pads = inside_pads && i >= -s.pad_begin[d] && i < size + s.pad_end[d];
      index = index * s.in[d] + static_cast<size_t>(i);
    }
    e.inside_pads += inside_pads;
    if (!inside) continue;
    ++e.inside;
    const double v = x.at(pixel / out_pixels * in_pixels + index, c);
    e.max = std::max(e.max, v);
    e.sum += v;
  }
  return e;
}

/// The same numbers as codes, in steps that keep their order.
void check_codes(const PoolShape& s, bool is_signed) {
  CAPTURE(s.rank, s.channels, is_signed);
  Random random(static_cast<uint32_t>(s.channels + 3));
  Rows x(s.batch * product(s.in, s.rank), s.channels);
  std::vector<uint8_t> codes;
  for (float& v : x.data) {
    v = static_cast<float>(random.below(256)) - (is_signed ? 128 : 0);
    codes.push_back(static_cast<uint8_t>(static_cast<int>(v)));
  }
  const size_t out_pixels = s.batch * product(s.out, s.rank);
  std::vector<uint8_t> y(out_pixels * s.channels);
  max_pool_i8(s, {codes.data(), is_signed}, y.data());
  for (size_t i = 0; i < y.size(); ++i) {
    const double want = std::max(expected_at(s, x, i / s.channels, i % s.channels).max, is_signed ? -128.0 : 0.0);
    CAPTURE(i);
    REQUIRE((is_signed ? static_cast<int8_t>(y[i]) : y[i]) == want);
  }
}

void check(const PoolShape& s, size_t gap = 0) {
  CAPTURE(s.rank, s.batch, s.channels, s.in[0], s.in[1], s.out[0], s.out[1], s.kernel[0], s.kernel[1],
          s.stride[0], s.dilation[0], s.pad_begin[0], s.pad_end[0], gap);
  Random random(static_cast<uint32_t>(s.channels + 3));
  const Rows x = Rows::random(random, s.batch * product(s.in, s.rank), s.channels, gap);
  const size_t out_pixels = s.batch * product(s.out, s.rank), lines = output_lines(s);
  const auto run = [&](auto pool, auto want) {
    Rows y(out_pixels, s.channels, gap + 1);
    pool(y, 0, lines / 2);
    pool(y, lines / 2, lines);
    for (size_t i = 0; i < out_pixels; ++i) {
      for (size_t c = 0; c < s.channels; ++c) {
        const double value = want(expected_at(s, x, i, c));
        CAPTURE(i, c);
        REQUIRE((y.at(i, c) == value || std::abs(y.at(i, c) - value) <= 1e-6));
      }
    }
    REQUIRE(y.gaps_untouched());
  };
  run([&](Rows& y, size_t b,
          size_t e) { max_pool(s, x.data.data(), x.step(), y.data.data(), y.step(), b, e); },
      [](const Expected& e) { return e.max; });
  for (const bool pads : {false, true}) {
    run([&](Rows& y, size_t b,
            size_t e) { average_pool(s, pads, x.data.data(), x.step(), y.data.data(), y.step(), b, e); },
        [&](const Expected& e) {
          return e.sum / static_cast<double>(std::max<size_t>(pads ? e.inside_pads : e.inside, 1));
        });
  }
  for (const bool is_signed : {false, true}) check_codes(s, is_signed);
}

PoolShape square(size_t channels, size_t size, size_t kernel, size_t stride, size_t dilation,
                 ptrdiff_t pad_begin, ptrdiff_t pad_end, bool ceil) {
  PoolShape s{.channels = channels};
  s.in = {size, size + 1, 1};
  s.kernel = {kernel, kernel, 1};
  s.stride = {stride, stride, 1};
  s.dilation = {dilation, dilation, 1};
  s.pad_begin = {pad_begin, pad_begin, 0};
  s.pad_end = {pad_end, pad_end, 0};
  for (size_t d = 0; d < 2; ++d) {
    const auto room = static_cast<ptrdiff_t>(s.in[d]) + pad_begin + pad_end -
                      static_cast<ptrdiff_t>((kernel - 1) * dilation) - 1;
    s.out[d] = room < 0 ? 0 : (static_cast<size_t>(room) + (ceil ? stride - 1 : 0)) / stride + 1;
  }
  return s;
}

TEST_CASE("pooling: kernels, strides, dilations, pads, ceil mode") {
  for (size_t kernel = 1; kernel <= 4; ++kernel) {
    for (size_t stride = 1; stride <= 3; ++stride) {
      for (size_t dilation = 1; dilation <= 2; ++dilation) {
        for (const bool ceil : {false, true}) {
          check(square(3, 8, kernel, stride, dilation, 0, 0, ceil));
          check(square(5, 8, kernel, stride, dilation, 1, 2, ceil), 1);
        }
      }
    }
  }
}

TEST_CASE("pooling: channels 1 to 17 and beyond") {
  for (size_t channels = 1; channels <= 17; ++channels)
    check(square(channels, 5, 3, 2, 1, 1, 1, false), channels % 3);
  check(square(67, 5, 2, 2, 1, 0, 0, true));
}

TEST_CASE("pooling: one and three dimensions, batches") {
  PoolShape line{.rank = 1, .batch = 2, .channels = 6};
  line.in = {11, 1, 1};
  line.kernel = {3, 1, 1};
  line.stride = {2, 1, 1};
  line.pad_begin = {1, 0, 0};
  line.out = {6, 1, 1};
  check(line);
  PoolShape volume{.rank = 3, .batch = 2, .channels = 5};
  volume.in = {4, 5, 6};
  volume.kernel = {2, 3, 2};
  volume.stride = {2, 1, 2};
  volume.pad_begin = {0, 1, 1};
  volume.pad_end = {0, 1, 1};
  volume.out = {2, 5, 4};
  check(volume, 2);
}

TEST_CASE("pooling: a window outside the input gives -inf and 0") {
  check(square(4, 2, 1, 1, 1, 2, 2, false));
}

TEST_CASE("global pooling") {
  for (size_t channels = 1; channels <= 17; ++channels) {
    for (size_t pixels : {1, 3, 64, 200}) {
      Random random(static_cast<uint32_t>(channels));
      const size_t batch = 2;
      const Rows x = Rows::random(random, batch * pixels, channels, channels % 2);
      std::vector<float> most(batch * channels), mean(batch * channels);
      global_max_pool(x.data.data(), x.step(), most.data(), batch, pixels, channels);
      global_average_pool(x.data.data(), x.step(), mean.data(), batch, pixels, channels);
      for (size_t i = 0; i < batch * channels; ++i) {
        double max = -2, sum = 0;
        for (size_t p = 0; p < pixels; ++p) {
          const double v = x.at(i / channels * pixels + p, i % channels);
          max = std::max(max, v);
          sum += v;
        }
        REQUIRE(most[i] == max);
        REQUIRE(std::abs(mean[i] - sum / static_cast<double>(pixels)) <= 1e-6);
      }
    }
  }
}

TEST_CASE("global average of a large image keeps its digits") {
  const size_t channels = 21, pixels = 40000;
  Random random(1);
  Rows x = Rows::random(random, pixels, channels, 0);
  for (float& v : x.data) v = std::abs(v);
  std::vector<float> mean(channels);
  global_average_pool(x.data.data(), x.step(), mean.data(), 1, pixels, channels);
  for (size_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (size_t p = 0; p < pixels; ++p) sum += static_cast<double>(x.at(p, c));
    REQUIRE(std::abs(mean[c] - sum / static_cast<double>(pixels)) <= 3e-7);
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
