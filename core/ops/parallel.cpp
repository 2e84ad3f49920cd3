#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

thread_local Workers* current = nullptr;

}  // namespace

WithWorkers::WithWorkers(Workers* workers) : before_(current) { current = workers; }
WithWorkers::~WithWorkers() { current = before_; }

size_t threads() { return current == nullptr ? 1 : current->count(); }

ThreadScratch thread_scratch(const RunContext& c, size_t bytes) {
  const size_t count = threads();
  if (bytes > SIZE_MAX / 2 / count) throw_out_of_memory(uint64_t{bytes} * count);
  return {c.scratch<std::byte>(align_up(bytes) * count), align_up(bytes)};
}

void split(size_t count, size_t least, size_t unit, Workers::Body body, const void* context) {
  Workers* const workers = current;
  if (workers == nullptr) return body(context, 0, count, 0);
  const WithWorkers no_more(nullptr);
  workers->run(count, workers->grain(count, least, unit), body, context);
}

}  // namespace kinglet::ops
