#include <cstring>

#include "model/onnx_proto.hpp"
#include "model/tensor_reader.hpp"

namespace kinglet::onnx {
namespace {

// A few bytes can claim a tensor of any size; a real sparse initializer made dense stays far below this.
constexpr size_t kMaxDenseBytes = size_t{1} << 29;

/// The position in the dense tensor of the sparse value `i`. `indices` is [nnz] of positions or [nnz, rank]
/// of coordinates.
size_t position(const Tensor& indices, size_t i, const Shape& shape, size_t count) {
  const int64_t* at = indices.data<int64_t>();
  if (indices.rank() == 1) {
    if (at[i] < 0 || static_cast<uint64_t>(at[i]) >= count) {
      throw_error(ErrorCode::kModel, "sparse index {} is outside of shape {}", at[i], shape);
    }
    return static_cast<size_t>(at[i]);
  }
  size_t out = 0;
  for (size_t d = 0; d < shape.rank(); ++d) {
    const int64_t c = at[i * shape.rank() + d];
    if (c < 0 || c >= shape[d]) {
      throw_error(ErrorCode::kModel, "sparse index {} is outside of shape {}", c, shape);
    }
    out = out * static_cast<size_t>(shape[d]) + static_cast<size_t>(c);
  }
  return out;
}

Tensor make_dense(const Tensor& values, const Tensor& indices, const Shape& shape) {
  const size_t count = shape.count();
  if (count > kMaxDenseBytes / dtype_size(values.dtype())) {
    throw_error(ErrorCode::kModel, "a sparse tensor of shape {} is too large to be made dense", shape);
  }
  if (values.rank() != 1) {
    throw_error(ErrorCode::kModel, "sparse values of shape {}, expected one dim", values.shape());
  }
  const int64_t nnz = values.dim(0);
  const bool fits =
      indices.dtype() == DType::kInt64 &&
      (indices.shape() == Shape{nnz} || indices.shape() == Shape{nnz, static_cast<int64_t>(shape.rank())});
  if (!fits) {
    throw_error(ErrorCode::kModel, "sparse indices are {} {}, expected int64 [{}] or [{},{}]",
                indices.dtype(), indices.shape(), nnz, nnz, shape.rank());
  }
  Tensor out(values.dtype(), shape);
  if (values.dtype() != DType::kString && count != 0) std::memset(out.raw(), 0, out.bytes());
  dispatch_width(values.dtype(), [&]<class T>() {
    const T* from = reinterpret_cast<const T*>(values.raw());
    T* to = reinterpret_cast<T*>(out.raw());
    for (size_t i = 0; i < static_cast<size_t>(nnz); ++i) to[position(indices, i, shape, count)] = from[i];
  });
  return out;
}

}  // namespace

NamedTensor read_sparse_tensor(Fields fields, const WeightSources& sources, std::string_view what) {
  NamedTensor values, indices;
  std::vector<int64_t> dims;
  while (fields.next()) {
    switch (fields.number()) {
      case field::sparse_tensor::kValues: values = read_tensor(fields.message(), sources, what); break;
      case field::sparse_tensor::kIndices: indices = read_tensor(fields.message(), sources, what); break;
      case field::sparse_tensor::kDims:
        fields.integers(dims);
        if (dims.size() > kMaxRank) throw_error(ErrorCode::kModel, "a tensor of more than {} dims", kMaxRank);
        break;
      default: fields.skip();
    }
  }
  try {
    if (!values.tensor.valid() || !indices.tensor.valid()) {
      throw_error(ErrorCode::kModel, "a sparse tensor without values or indices");
    }
    return {values.name, make_dense(values.tensor, indices.tensor, Shape(dims))};
  } catch (Error& e) {
    if (e.code == ErrorCode::kShape) e.code = ErrorCode::kModel;
    e.message = text("{} '{}': {}", what, values.name, e.message);
    throw;
  }
}

}  // namespace kinglet::onnx
