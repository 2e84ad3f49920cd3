#include "base/tensor.hpp"

#include <catch2/catch_amalgamated.hpp>

#include <array>

using namespace kinglet;

TEST_CASE("a new tensor owns aligned elements", "[base]") {
  CHECK_FALSE(Tensor().valid());
  for (const int64_t n : {0, 1, 7, 1000}) {
    const Tensor t(DType::kFloat32, {n, 3});
    CHECK(t.valid());
    CHECK(t.rank() == 2);
    CHECK(t.dim(1) == 3);
    CHECK(t.count() == static_cast<size_t>(3 * n));
    CHECK(t.bytes() == static_cast<size_t>(12 * n));
    CHECK(reinterpret_cast<uintptr_t>(t.raw()) % kAlignment == 0);
  }
  const Tensor strings(DType::kString, {3});
  for (const std::string& s : strings.values<std::string>()) CHECK(s.empty());
}

TEST_CASE("tensors from values", "[base]") {
  const std::array<int64_t, 4> values = {1, 2, 3, 4};
  const Tensor t = Tensor::from<int64_t>({2, 2}, values);
  CHECK(t.dtype() == DType::kInt64);
  CHECK(std::equal(values.begin(), values.end(), t.values<int64_t>().begin()));
  CHECK(*Tensor::scalar(true).data<bool>());
  CHECK(Tensor::scalar(2.5f).rank() == 0);
  CHECK_THROWS_AS(Tensor::from<int64_t>({3}, values), Error);
}

TEST_CASE("elements are given out under their own type only", "[base]") {
  Tensor t(DType::kInt32, {1});
  CHECK_THROWS_WITH(t.data<float>(), "a int32 tensor was read as float32");
  CHECK_NOTHROW(t.data<int32_t>());
}

TEST_CASE("copies of a tensor share its elements, clones do not", "[base]") {
  Tensor a = Tensor::scalar(1.0f);
  const Tensor shared = a;
  const Tensor cloned = a.clone();
  *a.data<float>() = 2;
  CHECK(*shared.data<float>() == 2);
  CHECK(*cloned.data<float>() == 1);
  const Tensor flat = Tensor(DType::kInt8, {2, 3}).reshaped({6});
  CHECK(flat.shape() == Shape{6});
  CHECK_THROWS_WITH(flat.reshaped({5}), "6 elements of shape [6] do not fit shape [5]");
}

TEST_CASE("a tensor over another's memory keeps its owner", "[base]") {
  auto block = std::make_shared<std::array<float, 4>>(std::array<float, 4>{1, 2, 3, 4});
  const std::weak_ptr<std::array<float, 4>> watch = block;
  {
    const Tensor t(DType::kFloat32, {2}, block->data() + 2, block);
    block.reset();
    CHECK_FALSE(watch.expired());
    CHECK(t.values<float>()[1] == 4);
  }
  CHECK(watch.expired());
}

TEST_CASE("copy_from wants the same type and count", "[base]") {
  const std::array<std::string, 2> words = {"a", std::string(50, 'b')};
  Tensor t(DType::kString, {2});
  t.copy_from(Tensor::from<std::string>({1, 2}, words));
  CHECK(t.data<std::string>()[1] == words[1]);
  CHECK_THROWS_AS(t.copy_from(Tensor(DType::kString, {3})), Error);
  CHECK_THROWS_AS(t.copy_from(Tensor(DType::kInt8, {2})), Error);
}

TEST_CASE("integers of a tensor", "[base]") {
  const std::array<int32_t, 2> values = {-1, 5};
  CHECK(to_int64s(Tensor::from<int32_t>({2}, values)) == std::vector<int64_t>{-1, 5});
  CHECK(to_int64s(Tensor::scalar(int64_t{7})) == std::vector<int64_t>{7});
  CHECK_THROWS_WITH(to_int64s(Tensor::scalar(1.0f)), "element type float32 is not supported here");
}

TEST_CASE("a tensor too large for memory is an error", "[base]") {
  try {
    Tensor(DType::kComplex128, {int64_t{1} << 24, int64_t{1} << 24});
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK((e.code == ErrorCode::kOutOfMemory || e.code == ErrorCode::kShape));
  }
}

TEST_CASE("element types: names, sizes and numbers agree", "[base]") {
  for (int64_t i = 1; i <= 26; ++i) {
    const auto type = dtype_from_onnx(i);
    REQUIRE(type);
    CHECK(static_cast<int64_t>(*type) == i);
    CHECK(dtype_from_name(dtype_name(*type)) == type);
    CHECK(dtype_size(*type) > 0);
  }
  // 29 to 31 are our own numbers of values that are no tensors: no file may claim one as an element type.
  for (const int64_t i : {0, -1, 27, 29, 30, 31, 99}) CHECK_FALSE(dtype_from_onnx(i));
  CHECK_FALSE(dtype_from_name("undefined"));
  CHECK_FALSE(dtype_from_name("sequence"));
  CHECK_FALSE(dtype_from_name("float"));
}

TEST_CASE("dispatch calls with the type of the element type", "[base]") {
  size_t size = 0;
  dispatch(DType::kInt16, NumericAndBoolTypes{},
           [&]<class T>() { size = std::is_same_v<T, int16_t> ? 1 : 2; });
  CHECK(size == 1);
  CHECK_THROWS_WITH(dispatch(DType::kBool, FloatTypes{}, []<class T>() {}),
                    "element type bool is not supported here");
  for (int64_t i = 1; i <= 16; ++i) {
    const DType type = *dtype_from_onnx(i);
    dispatch_width(type, [&]<class T>() { size = sizeof(T); });
    CHECK(size == dtype_size(type));
  }
}
