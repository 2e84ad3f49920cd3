#include "vision/normalize.hpp"

#include <xtensor/xadapt.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xnoalias.hpp>

#include "base/error.hpp"

namespace kinglet::vision {

void normalize_planes(std::span<float> planes, const Normalization& normalization) {
  if (planes.size() % 3 != 0) {
    throw_error(ErrorCode::kInvalidArgument, "planes: expected a multiple of 3 values, got {}",
                planes.size());
  }
  const size_t plane_size = planes.size() / 3;
  for (size_t c = 0; c < 3; ++c) {
    auto plane = xt::adapt(planes.data() + c * plane_size, plane_size, xt::no_ownership(),
                           std::array<size_t, 1>{plane_size});
    const float scale = 1 / (255 * normalization.deviation[c]);
    const float shift = -normalization.mean[c] / normalization.deviation[c];
    xt::noalias(plane) = plane * scale + shift;
  }
}

}  // namespace kinglet::vision
