#pragma once
// A model that is ready to run.
//
//   kinglet::Session session = kinglet::Session::load(kinglet::ModelBytes::copy_of(file_bytes));
//   kinglet::Feed feeds[] = {{"input", kinglet::Tensor::from<float>({1, 3, 224, 224}, pixels)}};
//   std::vector<kinglet::Tensor> outputs = session.run(feeds);  // in the order of session.outputs()

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <kinglet/error.hpp>
#include <kinglet/tensor.hpp>

#include "base/value_type.hpp"

namespace kinglet {

/// A model file's bytes, given away: the reader keeps weights where they lie and may move them within the block.
struct ModelBytes {
  std::shared_ptr<std::byte[]> data;  ///< aligned to kAlignment
  size_t size = 0;

  /// Throws kOutOfMemory.
  static ModelBytes allocate(size_t size);
  static ModelBytes copy_of(std::span<const std::byte> bytes);
};

class ThreadPool;

struct SessionOptions {
  /// Run the optimising passes; false leaves the graph as the file has it (for comparing results).
  bool optimize = true;
  /// Threads that compute a run, the caller's among them. The session starts and ends the others.
  size_t threads = 1;
  /// Instead: threads that the host starts (runtime/thread_pool.hpp); it outlives the session.
  ThreadPool* pool = nullptr;
  /// Files that tensors refer to (TensorProto.external_data), by their `location`.
  std::map<std::string, ModelBytes> external_data = {};
  /// Names of passes (core/graph/passes/passes.cpp) that are left out, to find what each gains.
  std::vector<std::string> without_passes = {};
};

/// A model's input or output.
struct ValueDescription {
  /// A number >= 0, or a name ("batch"), or neither (-1 and "") when unknown.
  struct Dim {
    int64_t value = -1;
    std::string name;
  };
  std::string name;
  ValueType type;
  bool has_rank = false;  ///< false too for what is no tensor
  std::vector<Dim> dims;
};

struct Feed {
  std::string name;
  Tensor tensor;  ///< or another value (base/tensor.hpp); read in place; must stay unchanged until run() returns
};

/// How long one node took in one run.
struct NodeTime {
  std::string node, op;
  double milliseconds = 0;     ///< without the time of nodes inside its subgraphs
  std::vector<Shape> outputs;  ///< shapes of its outputs that are tensors
};

struct RunOptions {
  /// Read between operators; the run ends with kAborted when it becomes true.
  const std::atomic<bool>* cancel = nullptr;
  /// Receives a row for each node that ran, in order; nodes inside subgraphs come before the node that holds them.
  std::vector<NodeTime>* profile = nullptr;
};

/// Bytes that a session holds now.
struct MemoryUse {
  size_t weights = 0;      ///< constants and packed weights
  size_t activations = 0;  ///< the arena and scratch memory
  size_t total() const { return weights + activations; }
};

class Session {
 public:
  /// Reads, checks, optimises and prepares a model.
  /// Throws kModel, kUnsupportedOperator (with all that is missing), kOutOfMemory.
  static Session load(ModelBytes model, SessionOptions options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const std::vector<ValueDescription>& inputs() const;
  const std::vector<ValueDescription>& outputs() const;

  /// Runs the model. `wanted` names outputs (empty: all, in the order of outputs()); the result is in that order and
  /// lives until the next run() or the session's end.
  /// Throws kInvalidArgument, kShape, kOutOfMemory, kAborted; the session stays usable after each.
  std::vector<Tensor> run(std::span<const Feed> feeds, std::span<const std::string> wanted = {},
                          const RunOptions& options = {});

  MemoryUse memory() const;
  /// The graph after the passes, one line a node, for people.
  std::string describe() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kinglet
