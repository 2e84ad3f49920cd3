#pragma once
// The boundary between C++ and JavaScript: nothing is thrown across it. A call answers with its result, or
// with `{error: {code, message, node, op, input, expected, actual, missing, requestedBytes, limitBytes}}`.
//
// One wasm instance holds one session, so the functions are free functions over the state of this module.
// Addresses and sizes are numbers: a signed 32-bit pointer would turn negative above 2 GiB.

#include <new>
#include <string>

#include <emscripten/bind.h>
#include <emscripten/val.h>

#include "base/error.hpp"
#include "base/shape.hpp"

namespace kinglet::binding {

using emscripten::val;

/// `{error: {...}}`; allocates nothing in the wasm heap, which may be full.
val to_js(const Error& error);
val out_of_memory_to_js();
val internal_error_to_js(const char* what);

/// What `f` returns, or the object of what it threw.
template <class F>
val guarded(F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    return to_js(error);
  } catch (const std::bad_alloc&) {
    return out_of_memory_to_js();
  } catch (const std::exception& error) {
    return internal_error_to_js(error.what());
  } catch (...) {
    return internal_error_to_js("an unknown C++ exception");
  }
}

inline val to_js(const void* address) {
  return val(static_cast<double>(reinterpret_cast<uintptr_t>(address)));
}

/// A pointer that this module gave to JavaScript before.
template <class T>
T* pointer_from_js(double address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

/// Numbers to size_t; throws kOutOfMemory for what wasm32 cannot address.
size_t bytes_from_js(double bytes);

val to_js(const Shape& shape);
/// From an array of whole numbers, as the Tensor class has checked them.
Shape shape_from_js(const val& dims);

}  // namespace kinglet::binding
