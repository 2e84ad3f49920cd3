// Threads are JavaScript workers: each has an instance of its own of this module, over the same memory, and calls one
// function of it, by its place in the table, with the address of its ThreadBlock. web/src/threads/ is the other side.

#include "threads.hpp"

#include <pthread.h>

#include <deque>
#include <optional>

#include "base/memory.hpp"
#include "boundary.hpp"

namespace {

constexpr size_t kStackBytes = size_t{256} << 10;

/// What a thread starts from. The function below reads the first two.
struct ThreadBlock {
  uintptr_t stack_top = 0;
  uintptr_t tls = 0;  ///< room for its thread_local variables
  kinglet::ThreadPool* pool = nullptr;
  size_t worker = 0;
  bool entered = false;
  kinglet::Block memory;
};

}  // namespace

/// A fresh instance's stack pointer is that of the main thread: no C++ may run before this has set it.
extern "C" void kinglet_thread_entry(ThreadBlock* block);
__asm__(R"(
  .globaltype __stack_pointer, i32
  .functype __wasm_init_tls (i32) -> ()
  .functype kinglet_thread_main (i32) -> ()
  .section .text.kinglet_thread_entry,"",@
  .globl kinglet_thread_entry
  .type kinglet_thread_entry,@function
kinglet_thread_entry:
  .functype kinglet_thread_entry (i32) -> ()
  local.get 0
  i32.load 4
  call __wasm_init_tls
  local.get 0
  i32.load 0
  global.set __stack_pointer
  local.get 0
  call kinglet_thread_main
  end_function
)");

/// Works until the pool stops. A worker whose call ended in a trap calls once more, to say so.
extern "C" __attribute__((used)) void kinglet_thread_main(ThreadBlock* block) {
  if (block->entered) return block->pool->lose(block->worker);
  block->entered = true;
  block->pool->work(block->worker);
}

// The C++ library guards its heap for exceptions with these, and builds without pthreads have none. Nothing holds the lock
// for longer than a few instructions.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
  while (__atomic_exchange_n(reinterpret_cast<int*>(mutex), 1, __ATOMIC_ACQUIRE) != 0) {
  }
  return 0;
}
extern "C" int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  __atomic_store_n(reinterpret_cast<int*>(mutex), 0, __ATOMIC_RELEASE);
  return 0;
}

namespace kinglet::binding {
namespace {

struct Threads {
  std::optional<ThreadPool> pool;
  std::deque<ThreadBlock> blocks;
};

Threads& threads() {
  static Threads instance;
  return instance;
}

/// Makes the pool of `count` threads, this one among them: `{entry, blocks}`, the function's place in the table and what
/// to call it with, once a worker.
val start_threads(double count, bool may_block) {
  return guarded([&] {
    Threads& t = threads();
    t.pool.emplace(bytes_from_js(count), may_block);
    thread_pool = &*t.pool;
    const size_t tls_bytes = align_up(__builtin_wasm_tls_size());
    val addresses = val::array();
    for (size_t i = 1; i < t.pool->count(); ++i) {
      ThreadBlock& block = t.blocks.emplace_back();
      block.memory = allocate_block(tls_bytes + kStackBytes);
      block.tls = reinterpret_cast<uintptr_t>(block.memory.get());
      block.stack_top = block.tls + tls_bytes + kStackBytes;
      block.pool = &*t.pool;
      block.worker = i;
      addresses.set(i - 1, to_js(static_cast<const void*>(&block)));
    }
    val result = val::object();
    result.set("entry", static_cast<double>(reinterpret_cast<uintptr_t>(&kinglet_thread_entry)));
    result.set("blocks", addresses);
    return result;
  });
}

/// Lets the workers return from their call.
void stop_threads() {
  if (thread_pool != nullptr) thread_pool->stop();
}

}  // namespace

EMSCRIPTEN_BINDINGS(threads) {
  emscripten::function("startThreads", &start_threads);
  emscripten::function("stopThreads", &stop_threads);
}

}  // namespace kinglet::binding
