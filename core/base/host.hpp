#pragma once
// What the core asks of the system it runs on. The standard library's own answers may throw std::system_error, whose
// texts bring strerror and printf along: 13 KB of wasm.

#include <cstdint>

namespace kinglet {

/// Milliseconds since some moment in the past; never goes back.
double monotonic_ms();

/// Random bits of the system.
uint32_t random_bits();

}  // namespace kinglet
