#include "base/error.hpp"

namespace kinglet {

void throw_formatted(ErrorCode code, std::string_view format, std::span<const TextArgument> arguments) {
  throw Error(code, format_text(format, arguments));
}

void throw_out_of_memory(uint64_t requested_bytes) {
  Error error(ErrorCode::kOutOfMemory, text("out of memory: {} bytes could not be allocated", requested_bytes));
  error.requested_bytes = requested_bytes;
  // wasm32 addresses 4 GiB; natively the limit is the machine's and not known here.
  if constexpr (sizeof(void*) == 4) error.limit_bytes = uint64_t{4} << 30;
  throw error;
}

}  // namespace kinglet
