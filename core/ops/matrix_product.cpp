#include "ops/matrix_product.hpp"

#include <algorithm>

namespace kinglet::ops {

SymShape product_shape(const SymShape& a, const SymShape& b) {
  if (!a.has_rank() || !b.has_rank()) return {};
  if (a.rank() == 0 || b.rank() == 0) throw_error(ErrorCode::kShape, "scalars have no matrix product");
  const Dim ka = a[a.rank() - 1];
  const Dim kb = b[b.rank() == 1 ? 0 : b.rank() - 2];
  if (ka.known() && kb.known() && ka.value() != kb.value()) throw_error(ErrorCode::kShape, "shapes {} and {} do not multiply", a, b);
  const auto batch_of = [](const SymShape& s) {
    return SymShape(std::vector<Dim>(s.dims().begin(), s.dims().end() - static_cast<ptrdiff_t>(std::min<size_t>(2, s.rank()))));
  };
  SymShape out = broadcast(batch_of(a), batch_of(b));
  if (a.rank() > 1) out.push_back(a[a.rank() - 2]);
  if (b.rank() > 1) out.push_back(b[b.rank() - 1]);
  return out;
}

SymShape product_shape(SymShape a, size_t k, size_t n) {
  if (!a.has_rank()) return a;
  if (a.rank() == 0) throw_error(ErrorCode::kShape, "a scalar has no matrix product");
  const Dim depth = a[a.rank() - 1];
  if (depth.known() && depth.value() != static_cast<int64_t>(k)) throw_error(ErrorCode::kShape, "{} does not multiply with weights of depth {}", a, k);
  a[a.rank() - 1] = static_cast<int64_t>(n);
  return a;
}

MatrixProduct take_apart(const Shape& a, const Shape& b) {
  MatrixProduct p;
  p.k = static_cast<size_t>(a.back());
  p.m = a.rank() > 1 ? static_cast<size_t>(a[a.rank() - 2]) : 1;
  p.n = b.rank() > 1 ? static_cast<size_t>(b.back()) : 1;
  const Shape a_batch(a.dims().first(a.rank() - std::min<size_t>(2, a.rank())));
  const Shape b_batch(b.dims().first(b.rank() - std::min<size_t>(2, b.rank())));
  p.b_matrices = b_batch.count();
  if (b_batch.rank() == 0) {
    // One B for all: the batch is more rows.
    p.m *= a_batch.count();
    p.a_matrix = p.b_matrix = {0};
    return p;
  }
  const Shape batch = broadcast(a_batch, b_batch);
  const auto matrix_at = [&](const Shape& own, size_t flat) {
    size_t index = 0, stride = 1;
    for (size_t i = batch.rank(); i-- > 0;) {
      const auto at = flat % static_cast<size_t>(batch[i]);
      flat /= static_cast<size_t>(batch[i]);
      if (i + own.rank() < batch.rank()) continue;
      const auto dim = static_cast<size_t>(own[i + own.rank() - batch.rank()]);
      index += (dim == 1 ? 0 : at) * stride;
      stride *= dim;
    }
    return index;
  };
  for (size_t i = 0; i < batch.count(); ++i) {
    p.a_matrix.push_back(matrix_at(a_batch, i));
    p.b_matrix.push_back(matrix_at(b_batch, i));
  }
  return p;
}

}  // namespace kinglet::ops
