#include "ops/conv_shape.hpp"

#include <algorithm>

#include "ops/shape_inputs.hpp"

namespace kinglet::ops {

SymShape convolved_shape(const Spatial& spatial, int64_t groups, const SymShape& x, const SymShape& w) {
  if (!x.has_rank()) return w.has_rank() ? SymShape::of_rank(w.rank()) : SymShape();
  ImageDims image = split_image(x, spatial.channels_last);
  const Dim in_channels = image.channels;
  image.channels = w.has_rank() && w.rank() > 0 ? w[0] : Dim();
  if (!w.has_rank()) {
    std::fill(image.size.begin(), image.size.end(), Dim());
    return join_image(image, spatial.channels_last);
  }
  if (w.rank() != x.rank()) throw_error(ErrorCode::kShape, "expected weights of rank {}, got {}", x.rank(), w);
  if (in_channels.known() && w[1].known()) {
    const int64_t wanted = multiply(w[1].value(), groups);
    if (in_channels.value() != wanted) {
      throw_error(ErrorCode::kShape, "input has {} channels, weights {} with group {} need {}", in_channels.value(), w, groups, wanted);
    }
  }
  if (w[0].known() && w[0].value() % groups != 0) {
    throw_error(ErrorCode::kShape, "weights {} do not divide into {} groups", w, groups);
  }
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < w.rank() && w[i].known(); ++i) kernel.push_back(w[i].value());
  if (kernel.size() != image.size.size()) kernel.clear();
  const bool kernel_known = !spatial.kernel.empty() || !kernel.empty();
  const Spatial s = kernel_known ? with_kernel(spatial, image.size.size(), kernel) : spatial;
  for (size_t i = 0; i < image.size.size(); ++i) {
    image.size[i] = kernel_known && image.size[i].known() ? Dim(output_size(s, i, image.size[i].value())) : Dim();
  }
  return join_image(image, spatial.channels_last);
}

kernels::ConvShape conv_shape(const Spatial& spatial, int64_t groups, const Image& x, int64_t out_channels,
                              std::span<const int64_t> kernel) {
  const Spatial s = with_kernel(spatial, x.rank, kernel);
  kernels::ConvShape shape;
  shape.rank = x.rank;
  shape.batch = x.batch;
  shape.groups = static_cast<size_t>(groups);
  shape.in_channels = x.channels;
  shape.out_channels = static_cast<size_t>(out_channels);
  for (size_t i = 0; i < x.rank; ++i) {
    shape.in[i] = x.size[i];
    shape.out[i] = static_cast<size_t>(output_size(s, i, static_cast<int64_t>(x.size[i])));
    shape.kernel[i] = static_cast<size_t>(s.kernel[i]);
    shape.stride[i] = static_cast<size_t>(s.stride(i));
    shape.dilation[i] = static_cast<size_t>(s.dilation(i));
    shape.pad_begin[i] = static_cast<ptrdiff_t>(pads_of(s, i, static_cast<int64_t>(x.size[i])).begin);
  }
  return shape;
}

kernels::ConvShape conv_shape_for_packing(const Spatial& spatial, int64_t groups, const Shape& w) {
  if (w[0] % groups != 0) throw_error(ErrorCode::kShape, "weights {} do not divide into {} groups", w, groups);
  kernels::ConvShape shape;
  shape.rank = w.rank() - 2;
  shape.groups = static_cast<size_t>(groups);
  shape.in_channels = static_cast<size_t>(multiply(w[1], groups));
  shape.out_channels = static_cast<size_t>(w[0]);
  for (size_t i = 0; i < shape.rank; ++i) {
    shape.kernel[i] = static_cast<size_t>(spatial.kernel[i]);
    shape.stride[i] = static_cast<size_t>(spatial.stride(i));
    shape.dilation[i] = static_cast<size_t>(spatial.dilation(i));
  }
  return shape;
}

}  // namespace kinglet::ops
