#pragma once
// What a C++ user sees of errors.
//
//   try {
//     auto session = kinglet::Session::load(std::move(bytes));
//   } catch (const kinglet::Error& e) {
//     std::fprintf(stderr, "%s\n", e.what());  // "conv1 (Conv): expected ..., got ..."
//   }

#include "base/error.hpp"
