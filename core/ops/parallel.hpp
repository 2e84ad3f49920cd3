#pragma once
// Loops of an operator on all threads of the session.
//
//   const ThreadScratch scratch = thread_scratch(c, bytes);
//   parallel(rows, worth_a_thread(columns), [&](size_t begin, size_t end, size_t worker) {
//     kernel(x + begin * columns, y + begin * columns, end - begin, columns, scratch[worker]);
//   });

#include "base/workers.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {

/// Says which threads operators that are run on this thread may use, until it is destroyed; null: no other.
class WithWorkers {
 public:
  explicit WithWorkers(Workers* workers);
  ~WithWorkers();
  WithWorkers(const WithWorkers&) = delete;
  WithWorkers& operator=(const WithWorkers&) = delete;

 private:
  Workers* before_;
};

/// Threads that parallel() uses, this one among them.
size_t threads();

/// How many items of `work` multiply-adds each (or what takes as long) are worth another thread's attention.
constexpr size_t worth_a_thread(size_t work) {
  constexpr size_t kLeastWork = size_t{1} << 17;  // some 5 microseconds
  return work >= kLeastWork ? 1 : kLeastWork / (work == 0 ? 1 : work);
}

/// A piece of scratch memory for each thread.
class ThreadScratch {
 public:
  ThreadScratch(std::byte* first, size_t stride) : first_(first), stride_(stride) {}
  std::byte* operator[](size_t worker) const { return first_ + worker * stride_; }
  template <class T>
  T* as(size_t worker) const {
    return reinterpret_cast<T*>((*this)[worker]);
  }

 private:
  std::byte* first_;
  size_t stride_;
};

/// `bytes` uninitialised bytes for each thread that parallel() uses, 16-byte aligned, until the operator's run() returns.
ThreadScratch thread_scratch(const RunContext& c, size_t bytes);

/// As parallel(), for a body without its type.
void split(size_t count, size_t least, size_t unit, Workers::Body body, const void* context);

/// Calls body(begin, end, worker) with ranges that make up [0, count): one when there is one thread or `count` is not
/// above `least`, else several at a time, each of at least `least` items and (but the last) a multiple of `unit`.
/// `worker` < threads() differs between calls at the same time. A body takes no scratch; what it splits further stays on
/// its thread. What it throws ends the others and is thrown here.
template <class F>
void parallel(size_t count, size_t least, const F& body, size_t unit = 1) {
  const auto call = [](const void* f, size_t begin, size_t end, size_t worker) {
    (*static_cast<const F*>(f))(begin, end, worker);
  };
  split(count, least, unit, call, &body);
}

}  // namespace kinglet::ops
