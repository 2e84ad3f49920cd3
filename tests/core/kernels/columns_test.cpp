// Ranges of columns: together they are the whole product or convolution.

#include <array>

#include "kernels/conv_channels.hpp"
#include "kernels/gemm_columns.hpp"
#include "kernels/strassen.hpp"
#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

/// Calls f(begin, end) for ranges of one to five panels that make up [0, n).
template <class F>
void for_ranges(size_t n, F f) {
  for (size_t begin = 0, panels = 1; begin < n; panels = panels % 5 + 1) {
    const size_t end = std::min(n, begin + panels * kPanelWidth);
    f(begin, end);
    begin = end;
  }
}

TEST_CASE("gemm_columns: ranges are the columns of gemm") {
  for (const size_t m : {1, 2, 3, 5, 6, 13, 140}) {
    for (const size_t n : {1, 7, 8, 9, 31, 64, 117}) {
      for (const size_t k : {0, 1, 17, 384, 385, 900}) {
        CAPTURE(m, n, k);
        Random random(static_cast<uint32_t>(m * 131 + n * 17 + k + 1));
        const Rows a = Rows::random(random, m, k + 1, 2), residual = Rows::random(random, m, n, 3);
        const auto b = random.values(k * n), bias = random.values(n);
        std::vector<float> packed(packed_b_size(k, n));
        pack_b(packed.data(), k, n, b.data(), static_cast<ptrdiff_t>(n), 1);
        const Epilogue epilogue{bias.data(), residual.data.data(), residual.step(), {Activation::Kind::kGelu}};
        Rows want(m, n, 1), got(m, n, 1);
        gemm(m, n, k, a.data.data(), a.step(), packed.data(), want.data.data(), want.step(), epilogue);
        for_ranges(n, [&](size_t begin, size_t end) {
          gemm_columns(m, n, k, a.data.data(), a.step(), packed.data(), got.data.data(), got.step(), epilogue, begin, end);
        });
        REQUIRE(matches(got, [&](size_t i, size_t j) { return want.at(i, j); }, 1e-6));
      }
    }
  }
}

TEST_CASE("strassen_columns: ranges are the columns of strassen") {
  for (const auto& [m, n, k] :
       std::vector<std::array<size_t, 3>>{{256, 520, 256}, {300, 777, 512}, {256, 1040, 772}}) {
    CAPTURE(m, n, k);
    Random random(static_cast<uint32_t>(n));
    const Rows a = Rows::random(random, m, k), residual = Rows::random(random, m, n, 1);
    const auto b = random.values(k * n), bias = random.values(n);
    std::vector<float> packed(packed_b_size(k, n));
    pack_b(packed.data(), k, n, b.data(), static_cast<ptrdiff_t>(n), 1);
    for (const bool with_residual : {false, true}) {
      const Epilogue epilogue{bias.data(), with_residual ? residual.data.data() : nullptr, residual.step(), {}};
      Rows want(m, n, 2), got(m, n, 2);
      gemm(m, n, k, a.data.data(), a.step(), packed.data(), want.data.data(), want.step(), epilogue);
      for (size_t begin = 0; begin < n;) {
        const size_t end = std::min(n, begin + 264);
        std::vector<float> scratch(strassen_scratch_size(m, end - begin, k, with_residual));
        strassen_columns(m, n, k, a.data.data(), a.step(), packed.data(), got.data.data(), got.step(), epilogue,
                         scratch.data(), begin, end);
        begin = end;
      }
      const double tolerance = 1.5e-5 * std::sqrt(static_cast<double>(k));
      REQUIRE(matches(got, [&](size_t i, size_t j) { return want.at(i, j); }, tolerance));
    }
  }
}

TEST_CASE("conv_channels: ranges are the channels of conv") {
  for (const size_t kernel : {1, 3}) {
    for (const size_t channels : {3, 20, 300}) {
      for (const size_t outputs : {5, 8, 43}) {
        CAPTURE(kernel, channels, outputs);
        ConvShape shape;
        shape.in_channels = channels;
        shape.out_channels = outputs;
        shape.in = {7, 6, 1};
        shape.out = shape.in;
        shape.kernel = {kernel, kernel, 1};
        const auto pad = static_cast<ptrdiff_t>(kernel / 2);
        shape.pad_begin = {pad, pad, 0};
        Random random(static_cast<uint32_t>(channels + outputs));
        const auto input = random.values(42 * channels), weights = random.values(outputs * channels * kernel * kernel);
        const auto bias = random.values(outputs);
        std::vector<float> packed(packed_conv_weights_size(shape));
        const Scratch scratch(conv_scratch_bytes(shape));
        pack_conv_weights(packed.data(), shape, weights.data());
        const auto in_stride = static_cast<ptrdiff_t>(channels);
        const Epilogue epilogue{bias.data(), nullptr, 0, {Activation::Kind::kSilu}};
        Rows want(42, outputs, 2), got(42, outputs, 2);
        conv(shape, input.data(), in_stride, packed.data(), want.data.data(), want.step(), epilogue, scratch.get(), 0, 42);
        for_ranges(outputs, [&](size_t first, size_t last) {
          conv_channels(shape, input.data(), in_stride, packed.data(), got.data.data(), got.step(), epilogue,
                        scratch.get(), 0, 42, first, last);
        });
        REQUIRE(matches(got, [&](size_t i, size_t j) { return want.at(i, j); }, 1e-6));
      }
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
