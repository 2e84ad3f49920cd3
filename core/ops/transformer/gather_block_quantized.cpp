// GatherBlockQuantized of com.microsoft - Gather from a table of small integers or floats whose blocks along
// one axis have a scale and a zero point each.

#include <bit>

#include "ops/axis.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kData, kIndices, kScales, kZeros };

struct GatherBlockQuantized {
  int64_t gather_axis, quantize_axis, block, bits;
};

GatherBlockQuantized parse(const NodeView& n) {
  const GatherBlockQuantized op{n.attr_int("gather_axis", 0), n.attr_int("quantize_axis", 1),
                                n.attr_int("block_size", 128), n.attr_int("bits", 4)};
  if (op.bits != 2 && op.bits != 4 && op.bits != 8)
    throw_error(ErrorCode::kModel, "attribute '{}' is {}", "bits", op.bits);
  const bool fits = op.block == 0 || (op.block >= 16 && std::has_single_bit(static_cast<uint64_t>(op.block)));
  if (!fits) throw_error(ErrorCode::kModel, "attribute '{}' is {}", "block_size", op.block);
  return op;
}

/// Elements in one of a tensor: uint8 holds several.
int64_t packed_elements(const GatherBlockQuantized& op, DType type) {
  return type == DType::kUint8 ? 8 / op.bits : 1;
}

void infer(const GatherBlockQuantized& op, InferContext& c) {
  check_type(c.dtype(kScales), kFloats & ~type_set(DType::kFloat64));
  const SymShape &data = c.shape(kData), &indices = c.shape(kIndices);
  if (!data.has_rank() || !indices.has_rank() || c.dtype(kData) == DType::kUndefined)
    return c.out(0, c.dtype(kScales), {});
  const size_t axis = normalize_axis(op.gather_axis, data.rank());
  normalize_axis(op.quantize_axis, data.rank());
  SymShape shape = SymShape::of_rank(0);
  for (size_t i = 0; i < data.rank(); ++i) {
    if (i == axis) {
      for (const Dim d : indices.dims()) shape.push_back(d);
    } else if (i + 1 == data.rank() && data[i].known()) {
      shape.push_back(multiply(data[i].value(), packed_elements(op, c.dtype(kData))));
    } else {
      shape.push_back(i + 1 == data.rank() ? Dim() : data[i]);
    }
  }
  c.out(0, c.dtype(kScales), shape);
}

/// Element i of a tensor that is read as `bits` wide where it is uint8, and converted otherwise.
class Elements {
 public:
  Elements(RunContext& c, const Tensor& t, int64_t bits)
      : bytes_(t.dtype() == DType::kUint8 ? t.data<uint8_t>() : nullptr),
        floats_(bytes_ != nullptr ? nullptr : as_f32(c, t)),
        bits_(static_cast<size_t>(bits)) {}

  float operator[](size_t i) const {
    if (bytes_ == nullptr) return floats_[i];
    const size_t per_byte = 8 / bits_;
    return static_cast<float>(bytes_[i / per_byte] >> i % per_byte * bits_ & ((1u << bits_) - 1));
  }

 private:
  const uint8_t* bytes_;
  const float* floats_;
  size_t bits_;
};

void run(const GatherBlockQuantized& op, RunContext& c) {
  const Tensor &data = c.in(kData), &scales = c.in(kScales);
  Shape shape = data.shape();
  const size_t rank = shape.rank(), axis = normalize_axis(op.gather_axis, rank),
               quantized = normalize_axis(op.quantize_axis, rank);
  const int64_t packed = packed_elements(op, data.dtype());
  c.require(packed == 1 || axis + 1 != rank, "packed elements {} are not gathered along their own axis",
            data.shape());
  shape[rank - 1] = multiply(shape[rank - 1], packed);
  const int64_t block = op.block == 0 ? std::max<int64_t>(1, shape[quantized]) : op.block;
  bool fits = scales.rank() == rank;
  for (size_t i = 0; fits && i < rank; ++i) {
    fits = i == quantized ? scales.dim(i) == (shape[i] + block - 1) / block
                          : scales.dim(i) == shape[i] || scales.dim(i) == 1;
  }
  c.require(fits, "scales {} do not go with {} in blocks of {}", scales.shape(), shape, block);
  if (c.has(kZeros)) {
    const Tensor& zeros = c.in(kZeros);
    const auto per_row = static_cast<size_t>(scales.shape().back());
    const size_t wanted = scales.count() / std::max<size_t>(1, per_row) *
                          ((per_row + static_cast<size_t>(packed) - 1) / static_cast<size_t>(packed));
    c.require(zeros.dtype() == data.dtype() && zeros.count() == wanted,
              "zero points {} do not go with scales {}", zeros.shape(), scales.shape());
  }
  const Elements values(c, data, op.bits);
  const float* const scale = as_f32(c, scales);
  const bool has_zeros = c.has(kZeros);
  const Elements zeros(c, has_zeros ? c.in(kZeros) : data, op.bits);
  const float middle = data.dtype() == DType::kUint8 ? static_cast<float>(1u << (op.bits - 1)) : 0.0f;
  const auto scale_row = static_cast<size_t>(scales.shape().back()),
             zero_row = (scale_row + static_cast<size_t>(packed) - 1) / static_cast<size_t>(packed) *
                        static_cast<size_t>(packed);

  // Strides of the scales along the dims of the data: 0 where one scale repeats.
  auto scale_strides = strides_of(scales.shape());
  for (size_t i = 0; i < rank; ++i) {
    if (scales.dim(i) == 1) scale_strides[i] = 0;
  }
  const auto scale_at = [&](size_t flat) {
    size_t at = 0;
    for (size_t i = rank; i-- > 0;) {
      auto index = flat % static_cast<size_t>(shape[i]);
      flat /= static_cast<size_t>(shape[i]);
      if (i == quantized) index /= static_cast<size_t>(block);
      at += index * static_cast<size_t>(scale_strides[i]);
    }
    return at;
  };
  const AxisView view(shape, axis);
  const Indices indices(c.in(kIndices));
  const size_t count = c.in(kIndices).count();
  F32Output out(c, c.out(0));
  float* y = out.data();
  for (size_t outer = 0; outer < view.outer; ++outer) {
    for (size_t i = 0; i < count; ++i) {
      const int64_t index = indices[i] < 0 ? indices[i] + static_cast<int64_t>(view.n) : indices[i];
      const bool inside = index >= 0 && index < static_cast<int64_t>(view.n);
      const size_t start = inside ? (outer * view.n + static_cast<size_t>(index)) * view.inner : 0;
      for (size_t k = 0; k < view.inner; ++k) {
        if (!inside) {
          *y++ = 0.0f;
          continue;
        }
        const size_t at = scale_at(start + k);
        const float zero = has_zeros ? zeros[at / scale_row * zero_row + at % scale_row] : middle;
        *y++ = (values[start + k] - zero) * scale[at];
      }
    }
  }
  out.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", GatherBlockQuantized,
              op<GatherBlockQuantized, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
