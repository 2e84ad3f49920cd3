#pragma once
// The threads of an instance over shared memory; without, there are none.

#include "runtime/thread_pool.hpp"

namespace kinglet::binding {

/// What sessions of this instance run on: the pool that startThreads() made, or null.
extern ThreadPool* thread_pool;

}  // namespace kinglet::binding
