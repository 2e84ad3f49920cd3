#include "kernels/resize.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

TEST_CASE("resize: nearest and linear through arbitrary tables") {
  for (size_t channels = 1; channels <= 9; ++channels) {
    CAPTURE(channels);
    Random random(static_cast<uint32_t>(channels));
    const ResizeShape s{
        .batch = 2, .channels = channels, .in_height = 4, .in_width = 5, .out_height = 7, .out_width = 6};
    const Rows x = Rows::random(random, s.batch * s.in_height * s.in_width, channels, channels % 3);
    const auto pixel = [&](size_t image, size_t row, size_t column, size_t c) -> double {
      return x.at((image * s.in_height + row) * s.in_width + column, c);
    };
    const size_t out_pixels = s.batch * s.out_height * s.out_width, lines = s.batch * s.out_height;
    const auto image = [&](size_t i) { return i / (s.out_height * s.out_width); };
    const auto row = [&](size_t i) { return i / s.out_width % s.out_height; };
    const auto column = [&](size_t i) { return i % s.out_width; };

    std::vector<uint32_t> rows(s.out_height), columns(s.out_width);
    for (auto& r : rows) r = static_cast<uint32_t>(random.below(s.in_height));
    for (auto& c : columns) c = static_cast<uint32_t>(random.below(s.in_width));
    Rows nearest(out_pixels, channels, 1);
    for (size_t i = 0; i < 3; ++i) {
      resize_nearest(s, rows.data(), columns.data(), x.data.data(), x.step(), nearest.data.data(),
                     nearest.step(), lines * i / 3, lines * (i + 1) / 3);
    }
    REQUIRE(matches(
        nearest, [&](size_t i, size_t c) { return pixel(image(i), rows[row(i)], columns[column(i)], c); },
        0));

    const auto taps = [&](size_t count, size_t size) {
      std::vector<LinearTap> t(count);
      for (auto& tap : t) {
        tap.low = static_cast<uint32_t>(random.below(size));
        tap.high = static_cast<uint32_t>(random.below(size));
        tap.weight = std::abs(random.value());
      }
      return t;
    };
    const auto row_taps = taps(s.out_height, s.in_height), column_taps = taps(s.out_width, s.in_width);
    Rows linear(out_pixels, channels, 2);
    for (size_t i = 0; i < 2; ++i) {
      resize_linear(s, row_taps.data(), column_taps.data(), x.data.data(), x.step(), linear.data.data(),
                    linear.step(), lines * i / 2, lines * (i + 1) / 2);
    }
    REQUIRE(matches(
        linear,
        [&](size_t i, size_t c) {
          const LinearTap v = row_taps[row(i)], h = column_taps[column(i)];
          const auto along = [&](size_t r) {
            return pixel(image(i), r, h.low, c) * (1.0 - h.weight) + pixel(image(i), r, h.high, c) * h.weight;
          };
          return along(v.low) * (1.0 - v.weight) + along(v.high) * v.weight;
        },
        1e-6));
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
