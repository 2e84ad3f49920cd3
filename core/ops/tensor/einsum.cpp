// Einsum: sums of products of operands, whose dims an equation names (see einsum_equation.hpp). Operands are contracted
// one after the other, each time as a batch of matrix products.

#include "kernels/gemm.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/tensor/einsum_equation.hpp"

namespace kinglet::ops {
namespace {

struct Einsum {
  EinsumEquation equation;
};

Einsum parse(const NodeView& n) { return {EinsumEquation(n.attr_string("equation"), n.inputs())}; }

void infer(const Einsum& op, InferContext& c) {
  const DType type = common_type(c, 0, c.inputs(), kNumbers);
  std::vector<size_t> ranks;
  for (size_t i = 0; i < c.inputs(); ++i) {
    if (!c.shape(i).has_rank()) return c.out(0, type, {});
    ranks.push_back(c.shape(i).rank());
  }
  const EinsumEquation::Resolved resolved = op.equation.resolve(ranks);
  std::array<SymShape, kLabels> dims;
  dims.fill(Shape{1});
  for (size_t i = 0; i < c.inputs(); ++i) {
    for (size_t d = 0; d < ranks[i]; ++d) {
      SymShape& dim = dims[resolved.operands[i][d]];
      dim = broadcast(dim, SymShape({c.shape(i)[d]}));
    }
  }
  SymShape out = SymShape::of_rank(0);
  for (const Label label : resolved.output) out.push_back(dims[label][0]);
  c.require(out.rank() <= kMaxRank, "an output of {} dims", out.rank());
  c.out(0, type, std::move(out));
}

/// A tensor whose dims have labels, each once; dims of 1 are left out.
template <class T>
struct Operand {
  Labels labels;
  std::vector<int64_t> strides;
  const T* data = nullptr;
};

/// T is float, double, or uint64_t, in which all integers wrap as they should.
template <class T>
class Contraction {
 public:
  Contraction(RunContext& c, const EinsumEquation::Resolved& equation) : c_(c), equation_(equation) {
    sizes_.fill(1);
    for (size_t i = 0; i < c.inputs(); ++i) {
      for (size_t d = 0; d < c.in(i).rank(); ++d) {
        if (c.in(i).dim(d) != 1) sizes_[equation.operands[i][d]] = c.in(i).dim(d);
      }
    }
  }

  void run() {
    Tensor& out = c_.out(0);
    const LabelSet kept = set_of(equation_.output);
    Labels order;
    for (const Label label : equation_.output) {
      if (sizes_[label] != 1) order.push_back(label);
    }
    T* const target = out.dtype() == dtype_of<T> ? reinterpret_cast<T*>(out.raw()) : nullptr;
    Operand<T> result = load(0);
    for (size_t i = 1; i < c_.inputs(); ++i) {
      LabelSet needed = kept;
      for (size_t k = i + 1; k < c_.inputs(); ++k) needed |= set_of(equation_.operands[k]);
      const Operand<T> other = load(i);
      result = multiply(sum_out(result, needed | set_of(other.labels)), sum_out(other, needed | set_of(result.labels)),
                        needed, i + 1 == c_.inputs() ? target : nullptr, order);
    }
    const T* values = dense(sum_out(result, kept), order);
    if (values != target) convert(dtype_of<T>, values, out.dtype(), out.raw(), out.count());
  }

 private:
  static LabelSet set_of(const Labels& labels) {
    LabelSet set;
    for (const Label label : labels) set.set(label);
    return set;
  }

  size_t count(const Labels& labels) const {
    int64_t product = 1;
    for (const Label label : labels) product = ops::multiply(product, sizes_[label]);
    if (static_cast<uint64_t>(product) > SIZE_MAX / sizeof(T)) throw_out_of_memory(static_cast<uint64_t>(product));
    return static_cast<size_t>(product);
  }

  /// Input i; a label that it has more than once walks the diagonal.
  Operand<T> load(size_t i) {
    const Tensor& t = c_.in(i);
    Operand<T> out;
    out.data = reinterpret_cast<const T*>(t.raw());
    if (t.dtype() != dtype_of<T>) {
      T* copy = c_.scratch<T>(t.count());
      convert(t.dtype(), t.raw(), dtype_of<T>, copy, t.count());
      out.data = copy;
    }
    const auto strides = strides_of(t.shape());
    for (size_t d = 0; d < t.rank(); ++d) {
      if (t.dim(d) == 1) continue;
      const Label label = equation_.operands[i][d];
      const auto at = static_cast<size_t>(std::find(out.labels.begin(), out.labels.end(), label) - out.labels.begin());
      if (at == out.labels.size()) {
        out.labels.push_back(label);
        out.strides.push_back(0);
      }
      out.strides[at] += strides[d];
    }
    return out;
  }

  /// The elements row-major in this order of the operand's labels.
  const T* dense(const Operand<T>& a, const Labels& order) {
    std::array<CopyAxis, 2 * kMaxRank> axes;
    c_.require(order.size() <= axes.size(), "an intermediate result of {} dims", order.size());
    const size_t total = count(order);
    int64_t stride = 1;
    bool as_is = true;
    for (size_t i = order.size(); i-- > 0;) {
      const auto at = static_cast<size_t>(std::find(a.labels.begin(), a.labels.end(), order[i]) - a.labels.begin());
      axes[i] = {sizes_[order[i]], stride, a.strides[at]};
      as_is = as_is && stride == a.strides[at];
      stride *= sizes_[order[i]];
    }
    if (as_is || total == 0) return a.data;
    T* copy = c_.scratch<T>(total);
    copy_strided(dtype_of<T>, std::span(axes).first(order.size()), copy, a.data);
    return copy;
  }

  Operand<T> dense_operand(Labels labels, const T* data) const {
    Operand<T> out{std::move(labels), {}, data};
    out.strides.resize(out.labels.size());
    int64_t stride = 1;
    for (size_t i = out.labels.size(); i-- > 0;) {
      out.strides[i] = stride;
      stride *= sizes_[out.labels[i]];
    }
    return out;
  }

  Operand<T> sum_out(const Operand<T>& a, const LabelSet& kept) {
    Labels rows, summed;
    for (const Label label : a.labels) (kept[label] ? rows : summed).push_back(label);
    if (summed.empty()) return a;
    Labels order = rows;
    order.insert(order.end(), summed.begin(), summed.end());
    const size_t row_count = count(rows), length = count(summed);
    const T* from = dense(a, order);
    T* sums = c_.scratch<T>(row_count);
    for (size_t row = 0; row < row_count; ++row) {
      Sum sum = 0;
      for (size_t i = 0; i < length; ++i) sum += static_cast<Sum>(*from++);
      sums[row] = static_cast<T>(sum);
    }
    return dense_operand(std::move(rows), sums);
  }

  /// An operand as a batch of matrices.
  struct Matrices {
    const T* data;
    int64_t row, column;         // strides
    std::vector<int64_t> batch;  // a stride for each label of the batch
  };

  /// The stride with which the labels, in this order, are walked as one dim.
  std::optional<int64_t> stride_of(const Operand<T>& a, const Labels& labels) const {
    int64_t stride = 1, next = 0;
    for (size_t i = labels.size(); i-- > 0;) {
      const auto at = static_cast<size_t>(std::find(a.labels.begin(), a.labels.end(), labels[i]) - a.labels.begin());
      if (i + 1 == labels.size()) {
        stride = a.strides[at];
      } else if (a.strides[at] != next) {
        return std::nullopt;
      }
      next = a.strides[at] * sizes_[labels[i]];
    }
    return stride;
  }

  Matrices matrices(const Operand<T>& a, const Labels& batch, const Labels& rows, const Labels& columns,
                    bool contiguous) {
    const auto row = stride_of(a, rows), column = stride_of(a, columns);
    if (!row || !column || (contiguous && *column != 1)) {
      Labels order = join(batch, rows, columns);
      const T* copy = dense(a, order);
      return matrices(dense_operand(std::move(order), copy), batch, rows, columns, false);
    }
    Matrices out{a.data, *row, *column, {}};
    for (const Label label : batch) out.batch.push_back(*stride_of(a, {label}));
    return out;
  }

  static Labels join(const Labels& first, const Labels& second, const Labels& third) {
    Labels all = first;
    all.insert(all.end(), second.begin(), second.end());
    all.insert(all.end(), third.begin(), third.end());
    return all;
  }

  /// The labels of both are a batch of matrices (needed later) or summed over; those of one are rows or columns. The
  /// product is written to `target`, if there is one, when its labels come in the order wanted there.
  Operand<T> multiply(const Operand<T>& a, const Operand<T>& b, const LabelSet& needed, T* target,
                      const Labels& order) {
    const LabelSet in_a = set_of(a.labels), in_b = set_of(b.labels);
    Labels batch, rows, columns, summed;
    for (const Label label : a.labels) (!in_b[label] ? rows : needed[label] ? batch : summed).push_back(label);
    for (const Label label : b.labels) {
      if (!in_a[label]) columns.push_back(label);
    }
    Labels result = join(batch, rows, columns);
    c_.require(batch.size() <= kMaxRank, "a batch of {} dims", batch.size());
    T* product = target != nullptr && result == order ? target : c_.scratch<T>(count(result));
    const Matrices x = matrices(a, batch, rows, summed, true), y = matrices(b, batch, summed, columns, false);
    std::vector<int64_t> dims;
    for (const Label label : batch) dims.push_back(sizes_[label]);
    const size_t m = count(rows), k = count(summed), n = count(columns);
    float* packed = packs(m, k, n) ? c_.scratch<float>(kernels::packed_b_size(k, n)) : nullptr;
    Odometer x_at(dims, x.batch), y_at(dims, y.batch);
    for (size_t i = 0, matrices = count(batch); i < matrices; ++i, x_at.next(), y_at.next()) {
      matrix_product(x, x.data + x_at.offset(), m, k, y, y.data + y_at.offset(), n, packed, product + i * m * n);
    }
    return dense_operand(std::move(result), product);
  }

  /// Packing pays off for all but the smallest matrices.
  static bool packs(size_t m, size_t k, size_t n) { return std::is_same_v<T, float> && m > 1 && k > 1 && n > 1; }

  static void matrix_product(const Matrices& x, const T* a, size_t m, size_t k, const Matrices& y, const T* b, size_t n,
                             float* packed, T* to) {
    if constexpr (std::is_same_v<T, float>) {
      if (packed != nullptr) {
        kernels::pack_b(packed, k, n, b, static_cast<ptrdiff_t>(y.row), static_cast<ptrdiff_t>(y.column));
        return kernels::gemm(m, n, k, a, static_cast<ptrdiff_t>(x.row), packed, to, static_cast<ptrdiff_t>(n));
      }
    }
    for (size_t row = 0; row < m; ++row, a += x.row) {
      for (size_t column = 0; column < n; ++column) {
        const T* from = b + static_cast<int64_t>(column) * y.column;
        Sum sum = 0;
        for (size_t i = 0; i < k; ++i, from += y.row) sum += static_cast<Sum>(a[i]) * static_cast<Sum>(*from);
        *to++ = static_cast<T>(sum);
      }
    }
  }

  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;

  RunContext& c_;
  const EinsumEquation::Resolved& equation_;
  std::array<int64_t, kLabels> sizes_;
};

void run(const Einsum& op, RunContext& c) {
  if (c.out(0).count() == 0) return;
  std::vector<size_t> ranks;
  for (size_t i = 0; i < c.inputs(); ++i) {
    require_same_type(c.in(0), c.in(i));
    ranks.push_back(c.in(i).rank());
  }
  const EinsumEquation::Resolved resolved = op.equation.resolve(ranks);
  switch (wide_type(c.in(0).dtype())) {
    case DType::kFloat32: return Contraction<float>(c, resolved).run();
    case DType::kFloat64: return Contraction<double>(c, resolved).run();
    default: return Contraction<uint64_t>(c, resolved).run();
  }
}

}  // namespace

KINGLET_OP(Einsum, op<Einsum, parse, infer, run>(since(12)));

}  // namespace kinglet::ops
