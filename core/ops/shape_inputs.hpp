#pragma once
// What the shape operators' infer() functions share: reading integer inputs that may be known in part, and
// arithmetic on dims that may be unknown.

#include <optional>
#include <span>
#include <vector>

#include "base/flags.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {

/// The elements of the integer input i when all of them are known now.
std::optional<std::vector<int64_t>> known_ints(const InferContext& c, size_t i);

/// The elements of the integer input i as dims: negative and unknown ones are unknown dims. Nothing when not
/// even their number is known.
std::optional<std::vector<Dim>> known_dims(const InferContext& c, size_t i);

/// Throws kShape when an element of input i is known to be negative.
void require_non_negative(const InferContext& c, size_t i);

/// The axes in `axes` as a mask over `rank` dims. Throws kShape when one is outside or given twice.
Flags axis_mask(std::span<const int64_t> axes, size_t rank);

/// The product of non-negative numbers; throws kShape when it does not fit.
int64_t multiply(int64_t a, int64_t b);
int64_t add(int64_t a, int64_t b);

/// The product of dims where it can be said: all known, or one dim times ones.
Dim product(std::span<const Dim> dims);

/// What two statements of one dim say together; throws kShape when they contradict.
Dim unify(Dim a, Dim b);

/// Throws kModel unless the types of inputs i and j are the same, where both are known.
void require_same_types(const InferContext& c, size_t i, size_t j);

/// Where an axis of the old dims is among dims permuted by `perm` (new dim i is old dim perm[i]), and whether
/// it could be told.
std::optional<int64_t> permuted_axis(int64_t axis, std::span<const int64_t> perm);

/// For operators whose axes are inputs, which a pass cannot edit: the attribute `layout` says that dim i of
/// the tensors is dim layout[i] of those that the node was written for. A PermuteFn.
bool permute_layout(Node& node, std::span<const int64_t> perm);

/// Where each dim that the node was written for lies under `layout` (empty: where it was). Throws kModel when
/// the layout is no permutation of `rank` dims.
std::vector<size_t> layout_positions(const std::vector<int64_t>& layout, size_t rank);

}  // namespace kinglet::ops
