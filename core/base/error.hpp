#pragma once
// The one exception type of the core. It is thrown anywhere below runtime/ and caught once, at the binding.

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace kinglet {

enum class ErrorCode : uint8_t {
  kModel,                ///< the model's bytes or graph are malformed or contradict themselves
  kUnsupportedOperator,  ///< the model uses operators this build does not have; `missing` lists all of them
  kShape,                ///< a tensor given to run() does not fit the model's input, or shapes do not fit each other
  kOutOfMemory,          ///< an allocation failed; `requested_bytes` and `limit_bytes` say how much
  kInvalidArgument,      ///< a call's arguments are wrong: unknown name, missing feed, wrong type
  kAborted,              ///< the caller asked to stop
  kInternal,             ///< a broken promise inside Kinglet itself
};

/// One operator that a model needs and the build lacks.
struct MissingOperator {
  std::string op, domain;
  int64_t opset = 0;
  std::vector<std::string> nodes;
};

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message) : code(code), message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }

  ErrorCode code;
  std::string message;
  std::string node, op;                  ///< where, when a node is known
  std::string input, expected, actual;   ///< kShape: which input, what was wanted, what came
  std::string location;                  ///< kModel: the file of external data that was not given
  std::vector<MissingOperator> missing;  ///< kUnsupportedOperator
  uint64_t requested_bytes = 0, limit_bytes = 0;  ///< kOutOfMemory
};

[[noreturn]] void throw_formatted(ErrorCode code, std::string_view format, std::span<const TextArgument> arguments);

/// throw_error(ErrorCode::kModel, "tensor '{}' has {} dims", name, n)
template <class... Args>
[[noreturn]] void throw_error(ErrorCode code, std::string_view format, const Args&... args) {
  const std::array<TextArgument, sizeof...(Args)> list{TextArgument(args)...};
  throw_formatted(code, format, list);
}

[[noreturn]] void throw_out_of_memory(uint64_t requested_bytes);

}  // namespace kinglet
