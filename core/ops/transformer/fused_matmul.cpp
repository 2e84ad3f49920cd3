// FusedMatMul of com.microsoft - alpha * A' * B', where ' exchanges the last two dims (transA, transB) after
// moving the first dim behind the batch dims (transBatchA, transBatchB). TransposeMatMul is its older name.

#include <algorithm>
#include <array>

#include "kernels/gemm.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/epilogue.hpp"
#include "ops/in_f32.hpp"
#include "ops/packing.hpp"
#include "ops/product.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

struct Side {
  bool transpose = false, transpose_batch = false;
};

struct FusedMatMul {
  Side a, b;
  float alpha = 1;
  kernels::Activation activation;
  Shape b_shape;                        // of the packed constant B
  std::shared_ptr<std::byte[]> packed;  // alpha * its matrices, one after the other
};

FusedMatMul parse(const NodeView& n) {
  FusedMatMul op;
  op.a = {n.attr_int("transA", 0) != 0, n.attr_int("transBatchA", 0) != 0};
  op.b = {n.attr_int("transB", 0) != 0, n.attr_int("transBatchB", 0) != 0};
  op.alpha = n.attr_float("alpha", 1);
  op.activation = parse_activation(n);
  return op;
}

/// For each dim of the matrices [batch..., rows, columns] the dim of the operand it comes from. Vectors stay
/// as they are.
std::vector<size_t> order_of(const Side& side, size_t rank) {
  std::vector<size_t> order(rank);
  for (size_t i = 0; i < rank; ++i) order[i] = i;
  if (rank < 2) return order;
  if (side.transpose_batch) std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (side.transpose) std::swap(order[rank - 2], order[rank - 1]);
  return order;
}

SymShape ordered(const SymShape& s, const Side& side) {
  std::vector<Dim> dims;
  for (const size_t i : order_of(side, s.rank())) dims.push_back(s[i]);
  return SymShape(std::move(dims));
}

SymShape batch_of(const SymShape& s) {
  return SymShape(std::vector<Dim>(s.dims().begin(),
                                   s.dims().end() - static_cast<ptrdiff_t>(std::min<size_t>(2, s.rank()))));
}

void infer(const FusedMatMul& op, InferContext& c) {
  const DType type = common_type(c, 0, c.inputs(), kFloats);
  if (!c.shape(0).has_rank() || !c.shape(1).has_rank()) return c.out(0, type, {});
  const SymShape a = ordered(c.shape(0), op.a), b = ordered(c.shape(1), op.b);
  c.require(a.rank() > 0 && b.rank() > 0, "scalars have no matrix product");
  const Dim ka = a[a.rank() - 1], kb = b[b.rank() == 1 ? 0 : b.rank() - 2];
  c.require(!ka.known() || !kb.known() || ka.value() == kb.value(), "shapes {} and {} do not multiply", a, b);
  SymShape out = broadcast(batch_of(a), batch_of(b));
  if (a.rank() > 1) out.push_back(a[a.rank() - 2]);
  if (b.rank() > 1) out.push_back(b[b.rank() - 1]);
  c.out(0, type, out);
}

/// An operand as matrices under strides.
struct Operand {
  size_t rows = 1, columns = 1;
  ptrdiff_t row = 0, column = 0;
  Shape batch;
  std::array<int64_t, kMaxRank> batch_strides{};

  /// Where matrix `flat` of the broadcast batch dims begins.
  ptrdiff_t matrix(const Shape& dims, size_t flat) const {
    ptrdiff_t at = 0;
    for (size_t i = dims.rank(); i-- > 0;) {
      const auto index = static_cast<ptrdiff_t>(flat % static_cast<size_t>(dims[i]));
      flat /= static_cast<size_t>(dims[i]);
      if (i + batch.rank() < dims.rank()) continue;
      const size_t own = i + batch.rank() - dims.rank();
      if (batch[own] != 1) at += index * static_cast<ptrdiff_t>(batch_strides[own]);
    }
    return at;
  }
};

/// A vector is one row, or where it stands on the right one column.
Operand operand_of(const Shape& shape, const Side& side, bool right) {
  const auto strides = strides_of(shape);
  const std::vector<size_t> order = order_of(side, shape.rank());
  Operand o;
  const auto dim = [&](size_t from_end, size_t& size, ptrdiff_t& stride) {
    const size_t i = order[order.size() - from_end];
    size = static_cast<size_t>(shape[i]);
    stride = static_cast<ptrdiff_t>(strides[i]);
  };
  if (shape.rank() == 1) {
    right ? dim(1, o.rows, o.row) : dim(1, o.columns, o.column);
    return o;
  }
  dim(1, o.columns, o.column);
  dim(2, o.rows, o.row);
  for (size_t i = 0; i + 2 < order.size(); ++i) {
    o.batch_strides[i] = strides[order[i]];
    o.batch.push_back(shape[order[i]]);
  }
  return o;
}

void pack_matrix(const FusedMatMul& op, float* packed, const Operand& b, const float* from) {
  kernels::pack_b(packed, b.rows, b.columns, from, b.row, b.column);
  if (op.alpha == 1) return;
  for (size_t i = 0; i < kernels::packed_b_size(b.rows, b.columns); ++i) packed[i] *= op.alpha;
}

void prepare(FusedMatMul& op, PrepareContext& c) {
  const Tensor* b = c.constant(1);
  if (b == nullptr || b->rank() < 1 || !is_float(b->dtype()) || b->dtype() == DType::kFloat64) return;
  op.b_shape = b->shape();
  const Operand o = operand_of(op.b_shape, op.b, true);
  const size_t each = kernels::packed_b_size(o.rows, o.columns);
  Packing packing(c, 1, o.batch.count() * each);
  const float* const elements = packing.from();
  for (size_t i = 0; i < o.batch.count(); ++i) {
    pack_matrix(op, packing.to() + i * each, o, elements + o.matrix(o.batch, i));
  }
  op.packed = packing.finish();
}

void run_f64(const FusedMatMul& op, RunContext& c, const Operand& a, const Operand& b, const Shape& batch) {
  c.require(op.activation.kind == kernels::Activation::Kind::kNone, "double is computed without activation");
  double* y = c.out(0).data<double>();
  for (size_t i = 0; i < batch.count(); ++i) {
    const double *am = c.in(0).data<double>() + a.matrix(batch, i),
                 *bm = c.in(1).data<double>() + b.matrix(batch, i);
    for (size_t r = 0; r < a.rows; ++r) {
      for (size_t col = 0; col < b.columns; ++col) {
        double sum = 0;
        for (size_t k = 0; k < a.columns; ++k) {
          sum += am[static_cast<ptrdiff_t>(r) * a.row + static_cast<ptrdiff_t>(k) * a.column] *
                 bm[static_cast<ptrdiff_t>(k) * b.row + static_cast<ptrdiff_t>(col) * b.column];
        }
        *y++ = static_cast<double>(op.alpha) * sum;
      }
    }
  }
}

void run(const FusedMatMul& op, RunContext& c) {
  const Tensor& left = c.in(0);
  const Operand a = operand_of(left.shape(), op.a, false);
  const Operand b = operand_of(op.packed ? op.b_shape : c.in(1).shape(), op.b, true);
  const Shape batch = broadcast(a.batch, b.batch);
  if (left.dtype() == DType::kFloat64) return run_f64(op, c, a, b, batch);
  const size_t each = kernels::packed_b_size(b.rows, b.columns);
  const float* const a_data = as_f32(c, left);
  const float* const b_data = op.packed ? nullptr : as_f32(c, c.in(1));
  float* const fresh = op.packed ? nullptr : c.scratch<float>(each);
  float* const gathered = a.column == 1 || a.columns <= 1 ? nullptr : c.scratch<float>(a.rows * a.columns);
  F32Output output(c, c.out(0));
  const Product product(c, a.rows, b.columns, a.columns, false);
  Operand matrices;  // of the packed B: dense
  matrices.batch = b.batch;
  matrices.batch_strides = strides_of(b.batch);
  for (size_t i = 0; i < batch.count(); ++i) {
    const float* am = a_data + a.matrix(batch, i);
    if (gathered != nullptr) {
      const CopyAxis axes[] = {{static_cast<int64_t>(a.rows), static_cast<int64_t>(a.columns), a.row},
                               {static_cast<int64_t>(a.columns), 1, a.column}};
      copy_strided(DType::kFloat32, axes, gathered, am);
      am = gathered;
    }
    const float* packed = fresh;
    if (op.packed) {
      packed = reinterpret_cast<const float*>(op.packed.get()) +
               static_cast<size_t>(matrices.matrix(batch, i)) * each;
    } else {
      pack_matrix(op, fresh, b, b_data + b.matrix(batch, i));
    }
    product(am, gathered != nullptr ? static_cast<ptrdiff_t>(a.columns) : a.row, packed,
            output.data() + i * a.rows * b.columns, static_cast<ptrdiff_t>(b.columns),
            {.activation = op.activation});
  }
  output.store();
}

constexpr OpDef kFusedMatMul =
    op<FusedMatMul, parse, infer, run>(since(1)).with_prepare<FusedMatMul, prepare>();

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", FusedMatMul, kFusedMatMul);
KINGLET_OP_IN(com_microsoft, "com.microsoft", TransposeMatMul, kFusedMatMul);

}  // namespace kinglet::ops
