#pragma once
// The threads of a session. The caller of run() is one of them and takes part; the others take ranges from a common
// counter, so that a thread that is late, or never comes, only leaves more to the others.

#include <atomic>
#include <exception>
#include <memory>

#if !defined(__wasm__)
#include <thread>
#include <vector>
#endif

#include "base/workers.hpp"

namespace kinglet {

class ThreadPool final : public Workers {
 public:
  /// A pool of `threads` >= 1, whose others than the caller come from outside: each calls work() with a number in
  /// [1, threads). `may_block` is false where run() must not put its thread to sleep: the main thread of a page.
  explicit ThreadPool(size_t threads, bool may_block = true);
  /// Stops and joins the threads that start() made; those from outside must have left work().
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

#if !defined(__wasm__)
  /// Makes the other threads. Throws kInternal when the system refuses.
  void start();
#endif

  size_t count() const override { return threads_; }
  size_t grain(size_t items, size_t least, size_t unit) const override;
  void run(size_t items, size_t grain, Body body, const void* context) override;

  /// Looked at between ranges: when it becomes true, run() ends with kAborted. May be null.
  void set_cancel(const std::atomic<bool>* cancel) { cancel_ = cancel; }

  /// What a thread other than the caller does until stop().
  void work(size_t worker);
  /// Lets the threads leave work().
  void stop();
  /// The thread of this number died inside work(): from now on run() ends with kInternal.
  void lose(size_t worker);

 private:
  /// gate_: threads inside the present loop, and whether more may enter.
  static constexpr uint32_t kOpen = uint32_t{1} << 31;

  void take_ranges(size_t worker);
  void enter(size_t worker);
  void leave();

  const size_t threads_;
  const bool may_block_;
#if !defined(__wasm__)
  std::vector<std::thread> own_;
#endif
  std::unique_ptr<std::atomic<bool>[]> inside_;

  // The present loop; written while the gate is closed and nobody is inside.
  size_t items_ = 0, grain_ = 0, ranges_ = 0;
  Body body_ = nullptr;
  const void* context_ = nullptr;
  const std::atomic<bool>* cancel_ = nullptr;
  std::exception_ptr error_;

  alignas(64) std::atomic<size_t> next_{0};
  alignas(64) std::atomic<uint32_t> gate_{0};
  alignas(64) std::atomic<uint32_t> round_{0};  ///< counts loops and stop(); idle threads wait for its change
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<bool> failed_{false}, stopping_{false}, lost_{false};
};

}  // namespace kinglet
