#include "ops/transformer/in_type.hpp"

#include "ops/convert.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {

void* scratch_of(RunContext& c, DType type, size_t count) {
  return type == DType::kFloat64 ? static_cast<void*>(c.scratch<double>(count)) : c.scratch<float>(count);
}

const void* as_type(RunContext& c, const Tensor& t, DType type) {
  if (t.dtype() == type) return t.raw();
  void* const copy = scratch_of(c, type, t.count());
  convert(t.dtype(), t.raw(), type, copy, t.count());
  return copy;
}

const void* spread(RunContext& c, const Tensor& t, const Shape& dims, DType type) {
  const void* const own = as_type(c, t, type);
  const size_t skipped = dims.rank() - std::min(dims.rank(), t.rank());
  bool fits = t.rank() <= dims.rank();
  for (size_t i = 0; fits && i < t.rank(); ++i) fits = t.dim(i) == 1 || t.dim(i) == dims[skipped + i];
  c.require(fits, "{} does not broadcast to {}", t.shape(), dims);
  if (t.count() == dims.count()) return own;
  const auto from = strides_of(t.shape()), to = strides_of(dims);
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < dims.rank(); ++i) {
    const bool repeats = i < skipped || t.dim(i - skipped) == 1;
    axes.push_back({dims[i], to[i], repeats ? 0 : from[i - skipped]});
  }
  void* const all = scratch_of(c, type, dims.count());
  copy_strided(type, axes, all, own);
  return all;
}

TypedOutput::TypedOutput(RunContext& c, Tensor& out, DType type)
    : out_(out), type_(type), data_(out.dtype() == type ? out.raw() : scratch_of(c, type, out.count())) {}

void TypedOutput::store() {
  if (out_.dtype() != type_) convert(type_, data_, out_.dtype(), out_.raw(), out_.count());
}

}  // namespace kinglet::ops
