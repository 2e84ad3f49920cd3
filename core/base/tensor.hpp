#pragma once
// Tensor: element type, shape and a pointer to dense row-major elements. A handle: copies share the elements.
//
// It holds ONNX's other values too. A sequence is a vector [n] of type kSequence whose elements are Tensors; a map
// is a vector [2] of type kMap: its keys and its values, two vectors of one length (the values may be a sequence).
// An optional is the value it holds, or no_value() when it holds none.

#include <memory>
#include <span>
#include <string>

#include "base/dtype.hpp"
#include "base/memory.hpp"
#include "base/shape.hpp"

namespace kinglet {

class Tensor;
namespace detail {
/// Tensors are elements of sequences.
template <> struct DTypeOf<Tensor> { static constexpr DType value = DType::kSequence; };
}  // namespace detail

/// Throws kOutOfMemory when a tensor of this shape is too large for the machine's address space.
void check_addressable(DType dtype, const Shape& shape);

class Tensor {
 public:
  Tensor() = default;  ///< no tensor; valid() is false

  /// A new tensor that owns its elements: uninitialised, strings empty. Throws kOutOfMemory.
  Tensor(DType dtype, const Shape& shape);

  /// A tensor over memory that `owner` (may be null: the caller's promise) keeps alive.
  Tensor(DType dtype, const Shape& shape, void* data, std::shared_ptr<void> owner = nullptr)
      : dtype_(dtype), shape_(shape), data_(static_cast<std::byte*>(data)), owner_(std::move(owner)) {}

  template <class T>
  static Tensor from(const Shape& shape, std::span<const T> values) {
    Tensor t(dtype_of<T>, shape);
    if (values.size() != shape.count()) {
      throw_error(ErrorCode::kInvalidArgument, "{} values given for shape {}", values.size(), shape);
    }
    std::copy(values.begin(), values.end(), t.data<T>());
    return t;
  }
  template <class T>
  static Tensor scalar(const T& value) {
    return from<T>({}, std::span(&value, 1));
  }

  /// An optional without a value.
  static Tensor no_value() { return Tensor(DType::kNone, {}, nullptr); }
  static Tensor sequence(std::span<const Tensor> values);
  static Tensor map(Tensor keys, Tensor values);

  bool valid() const { return dtype_ != DType::kUndefined; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t rank() const { return shape_.rank(); }
  int64_t dim(size_t i) const { return shape_[i]; }
  /// Number of elements.
  size_t count() const { return shape_.count(); }
  /// Bytes of the elements in memory.
  size_t bytes() const { return count() * dtype_size(dtype_); }

  std::byte* raw() { return data_; }
  const std::byte* raw() const { return data_; }
  const std::shared_ptr<void>& owner() const { return owner_; }

  /// The elements as T; throws kInternal when T has not the tensor's type. Data-moving code uses raw().
  template <class T>
  T* data() {
    check(dtype_of<T>);
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  const T* data() const {
    check(dtype_of<T>);
    return reinterpret_cast<const T*>(data_);
  }
  template <class T>
  std::span<const T> values() const {
    return {data<T>(), count()};
  }

  /// The same elements under another shape of the same count.
  Tensor reshaped(const Shape& shape) const;
  /// A deep copy that owns its elements, those of a sequence included.
  Tensor clone() const;
  /// A tensor that stays as it is when the memory of a run is used again: this one when it owns its elements, else a
  /// clone.
  Tensor owned() const { return owner_ != nullptr ? *this : clone(); }
  /// The values of a sequence, or the two parts of a map.
  std::span<const Tensor> items() const;
  /// Copies the elements of `source`, which has this type and count.
  void copy_from(const Tensor& source);

 private:
  void check(DType wanted) const {
    if (dtype_ != wanted) throw_error(ErrorCode::kInternal, "a {} tensor was read as {}", dtype_, wanted);
  }

  DType dtype_ = DType::kUndefined;
  Shape shape_;
  std::byte* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

/// The elements of an int32 or int64 tensor as int64; throws kModel for another type.
std::vector<int64_t> to_int64s(const Tensor& t);

}  // namespace kinglet
