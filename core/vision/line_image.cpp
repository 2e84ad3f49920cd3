#include "vision/line_image.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "vision/normalize.hpp"
#include "vision/pixels.hpp"

namespace kinglet::vision {
namespace {

/// At most this many samples a side for one target pixel: lines up to 8 times as large as the input stay
/// smooth.
constexpr size_t kMaxSamples = 8;

float distance(Point a, Point b) { return std::hypot(b.x - a.x, b.y - a.y); }

float across(const Quad& q) { return std::max(distance(q[0], q[1]), distance(q[3], q[2])); }
float down(const Quad& q) { return std::max(distance(q[0], q[3]), distance(q[1], q[2])); }

void check_quad(const Quad& quad) {
  // Beyond this, floats no longer tell neighbouring pixels apart.
  constexpr float kFarthest = 1e6f;
  bool good = true;
  for (size_t i = 0; i < 4; ++i) {
    const Point a = quad[i], b = quad[(i + 1) % 4], c = quad[(i + 2) % 4];
    good = good && std::abs(a.x) <= kFarthest && std::abs(a.y) <= kFarthest &&
           (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > 1e-3f;
  }
  if (!good) {
    throw_error(ErrorCode::kInvalidArgument,
                "quad: expected a convex, clockwise one, got ({}, {}) ({}, {}) ({}, {}) ({}, {})", quad[0].x,
                quad[0].y, quad[1].x, quad[1].y, quad[2].x, quad[2].y, quad[3].x, quad[3].y);
  }
}

/// The homography that takes the unit square to a convex quad.
class SquareToQuad {
 public:
  explicit SquareToQuad(const Quad& q) : origin_(q[0]) {
    const float dx1 = q[1].x - q[2].x, dx2 = q[3].x - q[2].x, sx = q[0].x - q[1].x + q[2].x - q[3].x;
    const float dy1 = q[1].y - q[2].y, dy2 = q[3].y - q[2].y, sy = q[0].y - q[1].y + q[2].y - q[3].y;
    const float det = dx1 * dy2 - dx2 * dy1;
    g_ = (sx * dy2 - dx2 * sy) / det;
    h_ = (dx1 * sy - sx * dy1) / det;
    u_ = {q[1].x - q[0].x + g_ * q[1].x, q[1].y - q[0].y + g_ * q[1].y};
    v_ = {q[3].x - q[0].x + h_ * q[3].x, q[3].y - q[0].y + h_ * q[3].y};
  }

  Point operator()(float u, float v) const {
    const float w = 1 / (1 + g_ * u + h_ * v);
    return {(origin_.x + u_.x * u + v_.x * v) * w, (origin_.y + u_.y * u + v_.y * v) * w};
  }

 private:
  Point origin_, u_, v_;
  float g_, h_;
};

/// Adds the picture's colour at `at` to `bgr`, between the four nearest pixels.
void add_sample(const ImageView& image, Point at, float* bgr) {
  const float right = static_cast<float>(image.size.width - 1),
              bottom = static_cast<float>(image.size.height - 1);
  const float x = std::clamp(at.x - 0.5f, 0.0f, right), y = std::clamp(at.y - 0.5f, 0.0f, bottom);
  const auto x0 = static_cast<size_t>(x), y0 = static_cast<size_t>(y);
  const size_t x1 = std::min(x0 + 1, image.size.width - 1), y1 = std::min(y0 + 1, image.size.height - 1);
  const float fx = x - static_cast<float>(x0), fy = y - static_cast<float>(y0);
  const float weights[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
  const size_t pixels[4] = {y0 * image.size.width + x0, y0 * image.size.width + x1,
                            y1 * image.size.width + x0, y1 * image.size.width + x1};
  for (size_t i = 0; i < 4; ++i) {
    float pixel[3];
    load_bgr(&image.rgba[4 * pixels[i]], pixel);
    for (size_t c = 0; c < 3; ++c) bgr[c] += weights[i] * pixel[c];
  }
}

size_t samples_per_pixel(float source, size_t target) {
  return static_cast<size_t>(
      std::clamp(std::ceil(source / static_cast<float>(target)), 1.0f, float{kMaxSamples}));
}

}  // namespace

Quad upright(const Quad& quad) {
  if (down(quad) < 1.5f * across(quad)) return quad;
  return {quad[1], quad[2], quad[3], quad[0]};
}

Quad half_turn(const Quad& quad) { return {quad[2], quad[3], quad[0], quad[1]}; }

size_t line_width(const Quad& quad, size_t height) {
  check_quad(quad);
  if (height == 0 || height > kMaxLineWidth) {
    throw_error(ErrorCode::kInvalidArgument, "line height: expected 1 to {}, got {}", kMaxLineWidth, height);
  }
  const float width = std::ceil(static_cast<float>(height) * across(quad) / down(quad));
  return static_cast<size_t>(std::clamp(width, 1.0f, float{kMaxLineWidth}));
}

void line_input(const ImageView& image, const Quad& quad, size_t content_width, Size size,
                std::span<float> input) {
  check_image(image);
  check_quad(quad);
  const size_t plane_size = pixel_count(size, "line");
  check_count(input.size(), uint64_t{3} * plane_size, "values of the line");
  if (content_width == 0 || content_width > size.width) {
    throw_error(ErrorCode::kInvalidArgument, "line: expected a content width of 1 to {}, got {}", size.width,
                content_width);
  }

  const SquareToQuad map(quad);
  const size_t across_samples = samples_per_pixel(across(quad), content_width);
  const size_t down_samples = samples_per_pixel(down(quad), size.height);
  const float du = 1 / static_cast<float>(content_width * across_samples);
  const float dv = 1 / static_cast<float>(size.height * down_samples);
  const float share = 1 / static_cast<float>(across_samples * down_samples);

  // Padding is 0 after normalization, which is the middle of the range before.
  std::ranges::fill(input, 127.5f);
  for (size_t y = 0; y < size.height; ++y) {
    for (size_t x = 0; x < content_width; ++x) {
      float bgr[3] = {0, 0, 0};
      for (size_t j = 0; j < down_samples; ++j) {
        const float v = (static_cast<float>(y * down_samples + j) + 0.5f) * dv;
        for (size_t i = 0; i < across_samples; ++i) {
          add_sample(image, map((static_cast<float>(x * across_samples + i) + 0.5f) * du, v), bgr);
        }
      }
      for (size_t c = 0; c < 3; ++c) input[c * plane_size + y * size.width + x] = bgr[c] * share;
    }
  }
  normalize_planes(input, kRecognizerNormalization);
}

void line_batch(const ImageView& image, std::span<const Quad> quads, size_t width, std::span<float> input) {
  const Size size{width, kLineHeight};
  const size_t line_count = 3 * pixel_count(size, "line");
  check_count(input.size(), uint64_t{line_count} * quads.size(), "values of the batch");
  for (size_t i = 0; i < quads.size(); ++i) {
    line_input(image, quads[i], std::min(width, line_width(quads[i])), size,
               input.subspan(i * line_count, line_count));
  }
}

void orientation_input(const ImageView& image, const Quad& quad, std::span<float> input) {
  line_input(image, quad, std::min(kOrientationWidth, line_width(quad)), {kOrientationWidth, kLineHeight},
             input);
}

bool is_upside_down(std::span<const float> probabilities, float threshold) {
  check_count(probabilities.size(), 2, "probabilities of the orientation");
  return probabilities[1] > threshold;
}

}  // namespace kinglet::vision
