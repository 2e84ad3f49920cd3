#include "graph/constant_memory.hpp"

#include <algorithm>

#include "ops/op.hpp"

namespace kinglet {
namespace {

const std::byte* align_down(const std::byte* p) { return p - reinterpret_cast<uintptr_t>(p) % kAlignment; }

}  // namespace

ConstantMemory::ConstantMemory(const Graph& graph, std::span<const ConstantFile> files) {
  for (const ConstantFile& file : files) files_.push_back({file});
  add_graph(graph);
  merge_overlaps();
}

void ConstantMemory::add_graph(const Graph& graph) {
  for (const Value& value : graph.values) add(value.constant);
  for (const Node& node : graph.nodes) {
    for (const Attribute& attribute : node.attributes) {
      for (const Tensor& tensor : attribute.tensors) add(tensor);
    }
    for (const auto& body : node.subgraphs) add_graph(*body);
    if (node.def == nullptr || node.def->prepare == nullptr) continue;
    for (const ValueId id : node.inputs) {
      if (!graph.is_constant(id)) continue;
      const Tensor& constant = graph.value(id).constant;
      // Matrices are packed in parts, weights of more dims whole.
      if (std::ranges::count_if(constant.shape().dims(), [](int64_t dim) { return dim != 1; }) < 3) continue;
      largest_ = std::max(largest_, constant.bytes());
    }
  }
}

void ConstantMemory::add(const Tensor& tensor) {
  if (!tensor.valid() || tensor.dtype() == DType::kNone) return;
  if (is_container(tensor.dtype())) {
    for (const Tensor& item : tensor.items()) add(item);
    return;
  }
  if (tensor.count() == 0) return;
  ranges_.push_back({tensor.raw(), tensor.raw() + tensor.bytes(), 1});
  const bool is_widened = tensor.dtype() == DType::kFloat16 || tensor.dtype() == DType::kBFloat16;
  if (File* file = file_of(tensor.raw()); file != nullptr && !is_widened) file->needed += tensor.bytes();
}

void ConstantMemory::merge_overlaps() {
  // By a heap: std::sort is five times the code.
  const auto by_begin = [](const Range& a, const Range& b) { return a.begin < b.begin; };
  std::make_heap(ranges_.begin(), ranges_.end(), by_begin);
  std::sort_heap(ranges_.begin(), ranges_.end(), by_begin);
  size_t kept = 0;
  for (const Range& range : ranges_) {
    if (kept != 0 && range.begin < ranges_[kept - 1].end) {
      ranges_[kept - 1].end = std::max(ranges_[kept - 1].end, range.end);
      ++ranges_[kept - 1].users;
    } else {
      ranges_[kept++] = range;
    }
  }
  ranges_.resize(kept);
}

ConstantMemory::File* ConstantMemory::file_of(const std::byte* data) {
  for (File& f : files_) {
    if (data >= f.file.data && data < f.file.data + f.file.bytes) return &f;
  }
  return nullptr;
}

ptrdiff_t ConstantMemory::find(const Tensor& constant, size_t users) const {
  const auto found = std::lower_bound(ranges_.begin(), ranges_.end(), constant.raw(),
                                      [](const Range& range, const std::byte* p) { return range.begin < p; });
  if (constant.owner() == nullptr || found == ranges_.end() || found->users != users) return -1;
  const bool is_it = found->begin == constant.raw() && found->end == constant.raw() + constant.bytes();
  return is_it ? found - ranges_.begin() : -1;
}

bool ConstantMemory::is_alone(const Tensor& constant) const { return find(constant, 1) >= 0; }

void ConstantMemory::count_as_one(const Tensor& constant, size_t users) {
  if (const ptrdiff_t found = find(constant, users); found >= 0) ranges_[static_cast<size_t>(found)].users = 1;
}

std::shared_ptr<std::byte[]> ConstantMemory::take(const Tensor& constant, size_t bytes) {
  const ptrdiff_t found = find(constant, 1);
  if (found < 0 || constant.bytes() < bytes) return nullptr;
  Range& range = ranges_[static_cast<size_t>(found)];
  File* const file = file_of(constant.raw());
  if (file != nullptr && file->needed < file->file.bytes / 2) return nullptr;
  // A file aligns nothing, but before a tensor's elements it has what describes them, which was read before.
  const std::byte* to = align_down(range.begin);
  if (to != range.begin) {
    const std::byte* free = file != nullptr ? file->file.data : range.begin;
    if (found != 0) free = std::max(free, ranges_[static_cast<size_t>(found) - 1].end);
    if (to < free) return nullptr;
    range.begin = to;
  }
  if (file != nullptr) file->taken = true;
  return std::shared_ptr<std::byte[]>(constant.owner(), const_cast<std::byte*>(to));
}

bool ConstantMemory::took_from(const std::byte* file) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&](const File& f) { return f.taken && f.file.data == file; });
}

std::byte* ConstantMemory::temporary(size_t bytes) {
  if (bytes > temporary_bytes_) {
    temporary_.reset();
    temporary_bytes_ = 0;
    const size_t wanted = std::max(bytes, largest_);
    temporary_ = allocate_block(wanted);
    temporary_bytes_ = wanted;
  }
  return temporary_.get();
}

}  // namespace kinglet
