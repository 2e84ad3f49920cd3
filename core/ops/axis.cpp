#include "ops/axis.hpp"

#include "ops/shape_inputs.hpp"

namespace kinglet::ops {

bool permute_axis(Node& node, std::span<const int64_t> perm, int64_t otherwise) {
  const Attribute* axis = node.find("axis");
  const auto moved = permuted_axis(axis != nullptr ? axis->i : otherwise, perm);
  if (!moved) return false;
  node.set_int("axis", *moved);
  return true;
}

}  // namespace kinglet::ops
