#include "ops/support/rows.hpp"

// Operators that only move elements take every element type and treat all of them alike.

namespace kinglet::test {
namespace {

/// `x`, float32 of small whole numbers, as another type: strings hold the digits, complex numbers the real
/// part.
Tensor as_type(DType type, const Tensor& x) {
  Tensor out(type, x.shape());
  for (size_t i = 0; i < x.count(); ++i) {
    const float v = x.data<float>()[i];
    if (type == DType::kString) {
      if (v != 0) out.data<std::string>()[i] = text("{}", static_cast<int64_t>(v));
    } else if (type == DType::kComplex64) {
      out.data<std::complex<float>>()[i] = v;
    } else if (type == DType::kComplex128) {
      out.data<std::complex<double>>()[i] = static_cast<double>(v);
    }
  }
  if (type == DType::kString || type == DType::kComplex64 || type == DType::kComplex128) return out;
  return make(type, x.shape(), to_doubles(x));
}

struct Mover {
  OpCall call;
  size_t data_inputs = 1;  ///< the first so many inputs hold data
  std::vector<size_t> also = {};
};

}  // namespace

TEST_CASE("Data movement of every element type") {
  const Tensor m = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  const std::vector<Mover> movers = {
      {{.op = "Concat", .attributes = {attr("axis", 1)}, .inputs = {m, f32({2, 1}, {7, 8})}}, 2},
      {{.op = "Split", .attributes = {attr("axis", 1)}, .inputs = {m, i64({2}, {1, 2})}, .outputs = 2}},
      {{.op = "Slice", .inputs = {m, i64({2}, {0, 2}), i64({2}, {2, -9}), {}, i64({2}, {1, -2})}}},
      {{.op = "Gather", .attributes = {attr("axis", 1)}, .inputs = {m, i64({2}, {2, 0})}}},
      {{.op = "Gather", .inputs = {m, i64({2}, {1, 0})}}},
      {{.op = "GatherElements", .inputs = {m, i64({1, 3}, {1, 0, 1})}}},
      {{.op = "GatherND", .inputs = {m, i64({1, 2}, {1, 1})}}},
      {{.op = "ScatterND", .inputs = {m, i64({1, 1}, {1}), f32({1, 3}, {7, 8, 9})}}, 1, {2}},
      {{.op = "ScatterElements", .inputs = {m, i64({1, 1}, {1}), f32({1, 1}, {7})}}, 1, {2}},
      {{.op = "Reshape", .inputs = {m, i64({1}, {6})}}},
      {{.op = "Flatten", .inputs = {m}}},
      {{.op = "Squeeze", .inputs = {f32({1, 2}, {1, 2}), i64({1}, {0})}}},
      {{.op = "Unsqueeze", .inputs = {m, i64({1}, {0})}}},
      {{.op = "Transpose", .inputs = {m}}},
      {{.op = "Expand", .inputs = {f32({2, 1}, {1, 2}), i64({2}, {2, 3})}}},
      {{.op = "Tile", .inputs = {m, i64({2}, {2, 2})}}},
      {{.op = "Pad", .inputs = {m, i64({4}, {1, 0, 0, 1})}}},
      {{.op = "Pad", .attributes = {attr("mode", "reflect")}, .inputs = {m, i64({4}, {1, 2, 0, 1})}}},
      {{.op = "Resize", .inputs = {m, {}, f32({2}, {2, 0.5f})}}},
      {{.op = "DepthToSpace", .attributes = {attr("blocksize", 2)}, .inputs = {iota({1, 4, 1, 2})}}},
      {{.op = "Compress", .inputs = {m, boolean({3}, {true, false, true})}}},
      {{.op = "Trilu", .inputs = {m}}},
      {{.op = "ReverseSequence", .inputs = {m, i64({3}, {2, 1, 2})}}},
      {{.op = "OneHot", .inputs = {i64({2}, {0, 1}), i64({}, {2}), f32({2}, {3, 4})}}, 0, {2}},
  };
  for (const Mover& mover : movers) {
    const std::vector<Tensor> want = run_op(mover.call);
    for (int number = 1; number <= 16; ++number) {
      const DType type = static_cast<DType>(number);
      INFO(mover.call.op << " of " << dtype_name(type));
      OpCall call = mover.call;
      for (size_t i = 0; i < call.inputs.size(); ++i) {
        const bool data = i < mover.data_inputs || std::count(mover.also.begin(), mover.also.end(), i) != 0;
        if (data) call.inputs[i] = as_type(type, call.inputs[i]);
      }
      const std::vector<Tensor> got = run_op(call);
      REQUIRE(got.size() == want.size());
      for (size_t i = 0; i < got.size(); ++i) {
        CHECK(difference(got[i], as_type(type, want[i])) == "");
      }
    }
  }
}

}  // namespace kinglet::test
