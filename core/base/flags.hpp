#pragma once
// A flag for each of many things: a byte, since the code of std::vector<bool> alone is 1 % of a small download.

#include <cstdint>
#include <vector>

namespace kinglet {

using Flags = std::vector<uint8_t>;

}  // namespace kinglet
