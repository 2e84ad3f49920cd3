#pragma once
// Who else needs the memory that a constant lies in: packed and scaled weights take that of the given ones.

#include <memory>
#include <span>
#include <vector>

#include "base/memory.hpp"
#include "graph/graph.hpp"

namespace kinglet {

/// A file that constants lie in. It stays in memory as long as one of them does.
struct ConstantFile {
  const std::byte* data = nullptr;
  size_t bytes = 0;
};

class ConstantMemory {
 public:
  /// Looks at the constants and attributes of `graph` and its subgraphs. `files` are what tensors may lie in,
  /// beside memory of their own.
  explicit ConstantMemory(const Graph& graph, std::span<const ConstantFile> files = {});

  /// Whether nothing else of the graph lies where `constant` does: its elements may be changed in place.
  bool is_alone(const Tensor& constant) const;

  /// `users` values of the graph that are this very tensor will be done with it at once: where nothing else lies there, it is alone.
  void count_as_one(const Tensor& constant, size_t users);

  /// The memory of `constant` with room for `bytes`, aligned to kAlignment and about to be written over. Null
  /// where something else needs it too, where it is too small, and where most of its file is dead weight.
  std::shared_ptr<std::byte[]> take(const Tensor& constant, size_t bytes);

  /// Whether memory in this file was taken: it must stay where it is.
  bool took_from(const std::byte* file) const;

  /// Memory until the next call.
  std::byte* temporary(size_t bytes);

 private:
  struct Range {
    const std::byte *begin, *end;
    size_t users;
  };
  struct File {
    ConstantFile file;
    size_t needed = 0;  ///< bytes of constants that keep their width
    bool taken = false;
  };
  void add_graph(const Graph& graph);
  void add(const Tensor& tensor);
  void merge_overlaps();
  File* file_of(const std::byte* data);
  /// The place in ranges_ of that of a tensor that so many values are and nothing else, or -1.
  ptrdiff_t find(const Tensor& constant, size_t users) const;

  std::vector<Range> ranges_;  // by address, without overlaps
  std::vector<File> files_;
  size_t largest_ = 0, temporary_bytes_ = 0;
  Block temporary_;
};

}  // namespace kinglet
