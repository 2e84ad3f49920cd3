#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace kinglet {
namespace {

/// Looks at a value that is about to change before a thread sleeps: some 30 microseconds. Between two loops of a run
/// there is mostly less.
#if defined(__x86_64__)
constexpr int kSpins = 700;
void relax() { __builtin_ia32_pause(); }
#else
constexpr int kSpins = 20000;
void relax() {}
#endif

void sleep_now(std::atomic<uint32_t>& value, uint32_t seen) {
#if defined(__wasm_atomics__)
  __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int*>(&value), static_cast<int>(seen), -1);
#elif !defined(__wasm__)
  value.wait(seen);
#else
  (void)value, (void)seen;
#endif
}

/// sleep_now, which nothing makes part of its caller: there, baseline code of V8 11 (Node 20) has lost the address after an
/// atomic wait, and the thread would look at another place for ever.
void (*volatile sleep_while)(std::atomic<uint32_t>&, uint32_t) = sleep_now;

void wake(std::atomic<uint32_t>& value) {
#if defined(__wasm_atomics__)
  __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(&value), UINT32_MAX);
#elif !defined(__wasm__)
  value.notify_all();
#else
  (void)value;
#endif
}

/// Waits until the value is no longer `seen`, at first awake.
bool changes_soon(const std::atomic<uint32_t>& value, uint32_t seen) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != seen) return true;
    relax();
  }
  return false;
}

}  // namespace

ThreadPool::ThreadPool(size_t threads, bool may_block)
    : threads_(std::max<size_t>(threads, 1)),
      may_block_(may_block),
      inside_(std::make_unique<std::atomic<bool>[]>(threads_)) {}

#if defined(__wasm__)
ThreadPool::~ThreadPool() = default;
#else
ThreadPool::~ThreadPool() {
  stop();
  for (std::thread& thread : own_) thread.join();
}

void ThreadPool::start() {
  own_.reserve(threads_ - 1);
  try {
    for (size_t i = 1; i < threads_; ++i) own_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error& error) {
    throw_error(ErrorCode::kInternal, "no thread could be started: {}", error.what());
  }
}
#endif

size_t ThreadPool::grain(size_t items, size_t least, size_t unit) const {
  // Several ranges a thread: one that is held up leaves what it has not begun to the others. How many is chosen so that
  // undisturbed threads end at about the same time.
  constexpr size_t kMostRanges = 6, kLeastRanges = 2;
  size_t best = unit, best_time = SIZE_MAX;
  for (size_t ranges = kMostRanges; ranges >= kLeastRanges && items != 0; --ranges) {
    const size_t wanted = std::max({(items - 1) / (threads_ * ranges) + 1, least, size_t{1}});
    const size_t grain = (wanted - 1) / unit * unit + unit;
    const size_t before_last = (items - 1) / grain;
    const size_t last = before_last % threads_ == 0 ? items - before_last * grain : std::min(grain, items);
    const size_t time = before_last / threads_ * grain + last;
    // A few percent are not worth larger ranges.
    if (best_time != SIZE_MAX && time + time / 32 >= best_time) continue;
    best = grain;
    best_time = time;
  }
  return best;
}

void ThreadPool::run(size_t items, size_t grain, Body body, const void* context) {
  if (items <= grain || threads_ == 1) return body(context, 0, items, 0);
  if (lost_.load(std::memory_order_relaxed)) throw_error(ErrorCode::kInternal, "a thread of the session stopped");
  items_ = items;
  grain_ = grain;
  ranges_ = (items - 1) / grain + 1;
  body_ = body;
  context_ = context;
  next_.store(0, std::memory_order_relaxed);
  gate_.fetch_or(kOpen, std::memory_order_release);
  // Sequentially consistent, both here and in work(): either this sees the sleeper or that sees the new round.
  round_.fetch_add(1);
  if (sleepers_.load() != 0) wake(round_);

  take_ranges(0);
  gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
  for (uint32_t left; (left = gate_.load(std::memory_order_acquire)) != 0;) {
    if (!changes_soon(gate_, left) && may_block_) sleep_while(gate_, left);
  }
  if (!failed_.load(std::memory_order_relaxed)) return;
  failed_.store(false, std::memory_order_relaxed);
  if (lost_.load(std::memory_order_relaxed)) throw_error(ErrorCode::kInternal, "a thread of the session stopped");
  std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::take_ranges(size_t worker) {
  try {
    for (size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < ranges_;) {
      if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
        throw_error(ErrorCode::kAborted, "the run was aborted");
      }
      const size_t begin = i * grain_;
      body_(context_, begin, begin + std::min(grain_, items_ - begin), worker);
    }
  } catch (...) {
    if (!failed_.exchange(true)) error_ = std::current_exception();
    next_.store(ranges_, std::memory_order_relaxed);
  }
}

void ThreadPool::work(size_t worker) {
  uint32_t seen = 0;
  while (!stopping_.load(std::memory_order_acquire)) {
    if (!changes_soon(round_, seen)) {
      sleepers_.fetch_add(1);
      // Only now: a round that began before is seen here, one that begins later sees the sleeper.
      if (round_.load() == seen) sleep_while(round_, seen);
      sleepers_.fetch_sub(1);
      continue;
    }
    seen = round_.load(std::memory_order_acquire);
    enter(worker);
  }
}

void ThreadPool::enter(size_t worker) {
  inside_[worker].store(true, std::memory_order_relaxed);
  if ((gate_.fetch_add(1, std::memory_order_acq_rel) & kOpen) != 0) take_ranges(worker);
  inside_[worker].store(false, std::memory_order_relaxed);
  leave();
}

void ThreadPool::leave() {
  if (gate_.fetch_sub(1, std::memory_order_acq_rel) == 1 && may_block_) wake(gate_);
}

void ThreadPool::stop() {
  stopping_.store(true, std::memory_order_release);
  round_.fetch_add(1);
  wake(round_);
}

void ThreadPool::lose(size_t worker) {
  lost_.store(true);
  failed_.store(true);
  next_.store(SIZE_MAX / 2, std::memory_order_relaxed);
  if (inside_[worker].exchange(false)) leave();
}

}  // namespace kinglet
