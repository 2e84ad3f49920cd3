#pragma once
// ONNX models written by a test and run through Session, with the passes and without.

#include <kinglet/session.hpp>

#include <algorithm>
#include <cmath>

#include "model/onnx_writer.hpp"
#include "ops/support/op_test.hpp"

namespace kinglet::test {

inline Bytes longs_tensor(const std::string& name, const std::vector<int64_t>& dims,
                          const std::vector<int64_t>& values) {
  return raw_tensor(name, 7, dims, bytes_of(values));
}
/// A float tensor whose elements are small and differ from each other.
inline Bytes weights_tensor(const std::string& name, const std::vector<int64_t>& dims, float first = 0.25f) {
  size_t count = 1;
  for (const int64_t d : dims) count *= static_cast<size_t>(d);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>((i * 37 + 11) % 23) / 16 - 0.7f;
  return float_tensor(name, dims, values);
}
inline Bytes ints_attribute(const std::string& name, const std::vector<int64_t>& v) {
  return attribute(name, onnx::AttributeType::kInts,
                   [&](auto& w) { w.add_packed_int64(pb::attribute::kInts, v.begin(), v.end()); });
}
inline Bytes float_attribute(const std::string& name, float v) {
  return attribute(name, onnx::AttributeType::kFloat,
                   [&](auto& w) { w.add_float(pb::attribute::kFloat, v); });
}
inline Bytes string_attribute(const std::string& name, const std::string& v) {
  return attribute(name, onnx::AttributeType::kString,
                   [&](auto& w) { w.add_string(pb::attribute::kString, v); });
}

inline Session load(const Bytes& file, bool optimize = true) {
  return Session::load(model_bytes(file), {.optimize = optimize, .external_data = {}});
}

/// Copies of what a run gives.
inline std::vector<Tensor> run(Session& session, const std::vector<Feed>& feeds,
                               const std::vector<std::string>& wanted = {}) {
  std::vector<Tensor> out;
  for (const Tensor& t : session.run(feeds, wanted)) out.push_back(t.clone());
  return out;
}

/// The greatest magnitude of a float32 tensor, at least 1: passes reorder sums, and a small element has the rounding
/// errors of the large ones that it is made of.
inline double scale_of(const Tensor& t) {
  double scale = 1;
  if (t.dtype() != DType::kFloat32) return scale;
  for (const float v : t.values<float>()) {
    if (std::isfinite(v)) scale = std::max(scale, std::abs(static_cast<double>(v)));
  }
  return scale;
}

/// The outputs of a model that gives the same with the passes as without, and the second time as the first, within
/// `tolerance` of each output's scale.
inline std::vector<Tensor> run_both(const Bytes& file, const std::vector<Feed>& feeds,
                                    double tolerance = 1e-5) {
  Session plain = load(file, false), optimized = load(file, true);
  const std::vector<Tensor> want = run(plain, feeds);
  INFO(plain.describe() << "became\n" << optimized.describe());
  for (Session* session : {&plain, &optimized, &plain, &optimized}) {
    const std::vector<Tensor> got = run(*session, feeds);
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CHECK(difference(got[i], want[i], tolerance * scale_of(want[i])) == "");
    }
  }
  return want;
}

/// The Error of a call that must throw one.
template <class F>
Error error_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  FAIL("nothing was thrown");
  return Error(ErrorCode::kInternal, "");
}

}  // namespace kinglet::test
