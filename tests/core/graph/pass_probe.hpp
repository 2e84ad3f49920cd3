#pragma once
// What the tests of passes feed a graph, and what they read of it.

#include "runtime/models.hpp"

namespace kinglet::test {

/// "Transpose Conv+Relu Transpose" of describe()'s lines.
inline std::string operators(const std::string& description) {
  std::string out;
  size_t at = 0;
  while (at < description.size()) {
    const size_t end = description.find('\n', at);
    const std::string line = description.substr(at, end - at);
    const size_t begin = line.find(" = ") + 3;
    out += (out.empty() ? "" : " ") + line.substr(begin, line.find('(', begin) - begin);
    if (const size_t a = line.find("activation="); a != std::string::npos)
      out += "+" + line.substr(a + 11, line.find_first_of(",}", a) - a - 11);
    at = end + 1;
  }
  return out;
}

/// A float32 tensor of numbers from -3 to 2.75, each unlike its neighbours.
inline Tensor unlike_neighbours(const std::vector<int64_t>& shape) {
  Tensor x(DType::kFloat32, Shape(shape));
  for (size_t i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>((i * 29 + 5) % 47) / 8 - 3;
  return x;
}

}  // namespace kinglet::test
