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

/// The plain loops.
template <class T>
struct Sums {
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;

  /// to[row] = the sum of `length` neighbours
  static void rows(const void* from, size_t rows, size_t length, void* to) {
    const T* x = static_cast<const T*>(from);
    for (size_t row = 0; row < rows; ++row) {
      Sum sum = 0;
      for (size_t i = 0; i < length; ++i) sum += static_cast<Sum>(*x++);
      static_cast<T*>(to)[row] = static_cast<T>(sum);
    }
  }

  /// to[m, n] = a[m, k] b[k, n] for any strides
  static void product(size_t m, size_t k, size_t n, const void* a, int64_t a_row, int64_t a_column, const void* b,
                      int64_t b_row, int64_t b_column, void* to) {
    T* out = static_cast<T*>(to);
    for (size_t row = 0; row < m; ++row) {
      for (size_t column = 0; column < n; ++column) {
        const T* x = static_cast<const T*>(a) + static_cast<int64_t>(row) * a_row;
        const T* y = static_cast<const T*>(b) + static_cast<int64_t>(column) * b_column;
        Sum sum = 0;
        for (size_t i = 0; i < k; ++i, x += a_column, y += b_row) sum += static_cast<Sum>(*x) * static_cast<Sum>(*y);
        *out++ = static_cast<T>(sum);
      }
    }
  }
};

/// A tensor whose dims have labels, each once; dims of 1 are left out.
struct Operand {
  Labels labels;
  std::vector<int64_t> strides;
  const std::byte* data = nullptr;

  /// The stride of a label that it has.
  int64_t stride(Label label) const {
    return strides[static_cast<size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin())];
  }
};

LabelSet set_of(const Labels& labels) {
  LabelSet set;
  for (const Label label : labels) set.set(label);
  return set;
}

Labels join(const Labels& first, const Labels& second, const Labels& third = {}) {
  Labels all = first;
  all.insert(all.end(), second.begin(), second.end());
  all.insert(all.end(), third.begin(), third.end());
  return all;
}

/// What a type is computed in: float32, float64, or uint64, in which all integers wrap as they should.
DType compute_type(DType type) {
  const DType wide = wide_type(type);
  return wide == DType::kInt64 ? DType::kUint64 : wide;
}

class Contraction {
 public:
  Contraction(RunContext& c, const EinsumEquation::Resolved& equation)
      : c_(c), equation_(equation), type_(compute_type(c.in(0).dtype())), width_(dtype_size(type_)) {
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
    std::byte* const target = out.dtype() == type_ ? out.raw() : nullptr;
    Operand result = load(0);
    for (size_t i = 1; i < c_.inputs(); ++i) {
      LabelSet needed = kept;
      for (size_t k = i + 1; k < c_.inputs(); ++k) needed |= set_of(equation_.operands[k]);
      const Operand other = load(i);
      result = multiply(sum_out(result, needed | set_of(other.labels)), sum_out(other, needed | set_of(result.labels)),
                        needed, i + 1 == c_.inputs() ? target : nullptr, order);
    }
    const std::byte* values = dense(sum_out(result, kept), order);
    if (values != target) convert(type_, values, out.dtype(), out.raw(), out.count());
  }

 private:
  /// An operand as a batch of matrices.
  struct Matrices {
    const std::byte* data;
    int64_t row, column;         // strides
    std::vector<int64_t> batch;  // a stride for each label of the batch
  };

  size_t count(const Labels& labels) const {
    int64_t product = 1;
    for (const Label label : labels) product = ops::multiply(product, sizes_[label]);
    if (static_cast<uint64_t>(product) > SIZE_MAX / width_) throw_out_of_memory(static_cast<uint64_t>(product));
    return static_cast<size_t>(product);
  }

  std::byte* allocate(const Labels& labels) { return c_.scratch<std::byte>(count(labels) * width_); }

  /// Input i; a label that it has more than once walks the diagonal.
  Operand load(size_t i) {
    const Tensor& t = c_.in(i);
    Operand out;
    out.data = t.raw();
    if (t.dtype() != type_) {
      c_.require(t.count() <= SIZE_MAX / width_, "an operand of {}", t.shape());
      std::byte* copy = c_.scratch<std::byte>(t.count() * width_);
      convert(t.dtype(), t.raw(), type_, copy, t.count());
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
  const std::byte* dense(const Operand& a, const Labels& order) {
    std::array<CopyAxis, 2 * kMaxRank> axes;
    c_.require(order.size() <= axes.size(), "an intermediate result of {} dims", order.size());
    int64_t stride = 1;
    bool as_is = true;
    for (size_t i = order.size(); i-- > 0;) {
      axes[i] = {sizes_[order[i]], stride, a.stride(order[i])};
      as_is = as_is && stride == axes[i].src_stride;
      stride *= sizes_[order[i]];
    }
    if (as_is || count(order) == 0) return a.data;
    std::byte* copy = allocate(order);
    copy_strided(type_, std::span(axes).first(order.size()), copy, a.data);
    return copy;
  }

  Operand dense_operand(Labels labels, const std::byte* data) const {
    Operand out{std::move(labels), {}, data};
    out.strides.resize(out.labels.size());
    int64_t stride = 1;
    for (size_t i = out.labels.size(); i-- > 0;) {
      out.strides[i] = stride;
      stride *= sizes_[out.labels[i]];
    }
    return out;
  }

  Operand sum_out(const Operand& a, const LabelSet& kept) {
    Labels rows, summed;
    for (const Label label : a.labels) (kept[label] ? rows : summed).push_back(label);
    if (summed.empty()) return a;
    const std::byte* from = dense(a, join(rows, summed));
    std::byte* sums = allocate(rows);
    dispatch(type_, Types{}, [&]<class T>() { Sums<T>::rows(from, count(rows), count(summed), sums); });
    return dense_operand(std::move(rows), sums);
  }

  /// The stride with which the labels, in this order, are walked as one dim.
  std::optional<int64_t> stride_of(const Operand& a, const Labels& labels) const {
    int64_t next = 0;
    for (size_t i = labels.size(); i-- > 0;) {
      if (i + 1 != labels.size() && a.stride(labels[i]) != next) return std::nullopt;
      next = a.stride(labels[i]) * sizes_[labels[i]];
    }
    return labels.empty() ? 1 : a.stride(labels.back());
  }

  Matrices matrices(const Operand& a, const Labels& batch, const Labels& rows, const Labels& columns, bool contiguous) {
    const auto row = stride_of(a, rows), column = stride_of(a, columns);
    if (!row || !column || (contiguous && *column != 1)) {
      Labels order = join(batch, rows, columns);
      const std::byte* copy = dense(a, order);
      return matrices(dense_operand(std::move(order), copy), batch, rows, columns, false);
    }
    Matrices out{a.data, *row, *column, {}};
    for (const Label label : batch) out.batch.push_back(a.stride(label));
    return out;
  }

  /// The labels of both are a batch of matrices (needed later) or summed over; those of one are rows or columns. The
  /// product is written to `target`, if there is one, when its labels come in the order wanted there.
  Operand multiply(const Operand& a, const Operand& b, const LabelSet& needed, std::byte* target, const Labels& order) {
    const LabelSet in_a = set_of(a.labels), in_b = set_of(b.labels);
    Labels batch, rows, columns, summed;
    for (const Label label : a.labels) (!in_b[label] ? rows : needed[label] ? batch : summed).push_back(label);
    for (const Label label : b.labels) {
      if (!in_a[label]) columns.push_back(label);
    }
    Labels result = join(batch, rows, columns);
    c_.require(batch.size() <= kMaxRank, "a batch of {} dims", batch.size());
    std::byte* product = target != nullptr && result == order ? target : allocate(result);
    const Matrices x = matrices(a, batch, rows, summed, true), y = matrices(b, batch, summed, columns, false);
    std::vector<int64_t> dims;
    for (const Label label : batch) dims.push_back(sizes_[label]);
    const size_t m = count(rows), k = count(summed), n = count(columns);
    // Packing pays off for all but the smallest matrices.
    const bool packs = type_ == DType::kFloat32 && m > 1 && k > 1 && n > 1;
    float* packed = packs ? c_.scratch<float>(kernels::packed_b_size(k, n)) : nullptr;
    Odometer x_at(dims, x.batch), y_at(dims, y.batch);
    for (size_t i = 0, matrices = count(batch); i < matrices; ++i, x_at.next(), y_at.next()) {
      const std::byte* x_data = x.data + x_at.offset() * static_cast<int64_t>(width_);
      const std::byte* y_data = y.data + y_at.offset() * static_cast<int64_t>(width_);
      std::byte* to = product + i * m * n * width_;
      if (packs) {
        kernels::pack_b(packed, k, n, reinterpret_cast<const float*>(y_data), static_cast<ptrdiff_t>(y.row),
                        static_cast<ptrdiff_t>(y.column));
        kernels::gemm(m, n, k, reinterpret_cast<const float*>(x_data), static_cast<ptrdiff_t>(x.row), packed,
                      reinterpret_cast<float*>(to), static_cast<ptrdiff_t>(n));
        continue;
      }
      dispatch(type_, Types{}, [&]<class T>() {
        Sums<T>::product(m, k, n, x_data, x.row, x.column, y_data, y.row, y.column, to);
      });
    }
    return dense_operand(std::move(result), product);
  }

  using Types = TypeList<float, double, uint64_t>;

  RunContext& c_;
  const EinsumEquation::Resolved& equation_;
  DType type_;
  size_t width_;
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
  Contraction(c, resolved).run();
}

}  // namespace

KINGLET_OP(Einsum, op<Einsum, parse, infer, run>(since(12)));

}  // namespace kinglet::ops
