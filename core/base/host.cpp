#include "base/host.hpp"

#if __has_include(<unistd.h>)
#include <time.h>
#include <unistd.h>

#include "base/error.hpp"
#else
#include <chrono>
#include <random>
#endif

namespace kinglet {

#if __has_include(<unistd.h>)

double monotonic_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

uint32_t random_bits() {
  uint32_t bits = 0;
  if (getentropy(&bits, sizeof bits) != 0) throw_error(ErrorCode::kInternal, "the system gives no random numbers");
  return bits;
}

#else

double monotonic_ms() {
  const std::chrono::duration<double, std::milli> now = std::chrono::steady_clock::now().time_since_epoch();
  return now.count();
}

uint32_t random_bits() { return std::random_device{}(); }

#endif

}  // namespace kinglet
