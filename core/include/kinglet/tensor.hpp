#pragma once
// What a C++ user sees of tensors.
//
//   const float pixels[] = {0, 1, 2, 3};
//   auto t = kinglet::Tensor::from<float>({1, 1, 2, 2}, pixels);
//   t.dtype();          // kinglet::DType::kFloat32
//   t.values<float>();  // std::span<const float> of 4

#include "base/tensor.hpp"
