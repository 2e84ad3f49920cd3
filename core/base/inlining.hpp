#pragma once
// What becomes part of the function around it, and what stays one of its own.

/// For a hot loop that is to stay a function of its own. V8 optimises function by function, in the background: of a
/// few KiB in a few milliseconds, while one of 20 KiB runs as baseline code, ten times slower, for 50 ms and more. It
/// counts the bytes of code that loops pass over, so what a loop over nodes does to each is best a function too.
#define KINGLET_APART __attribute__((noinline))

/// For what must become part of the loop that calls it.
#define KINGLET_INLINE inline __attribute__((always_inline))

/// The same for a lambda, put after its parameters.
#define KINGLET_INLINE_LAMBDA __attribute__((always_inline))
