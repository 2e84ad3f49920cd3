#pragma once
// Loops split over threads, as operators see it (ops/parallel.hpp); runtime/thread_pool.hpp is what stands behind it.

#include <cstddef>

namespace kinglet {

class Workers {
 public:
  /// Computes items [begin, end). `worker` < count() differs between calls at the same time.
  using Body = void (*)(const void* context, size_t begin, size_t end, size_t worker);

  /// Threads, the caller of run() among them.
  virtual size_t count() const = 0;
  /// How many of `items` a range should have: at least `least`, and a multiple of `unit`.
  virtual size_t grain(size_t items, size_t least, size_t unit) const = 0;
  /// Calls `body` with the ranges of `grain` items that make up [0, items), each once, on whatever thread is free;
  /// returns when all have ended. The first exception of a body ends the rest and is thrown here. A body does not
  /// call run().
  virtual void run(size_t items, size_t grain, Body body, const void* context) = 0;

 protected:
  ~Workers() = default;
};

}  // namespace kinglet
