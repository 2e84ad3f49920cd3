// A deterministic mutation fuzzer over the ONNX reader: the same seeds on every machine, a bounded number of
// files.

#include <algorithm>
#include <random>

#include "model/sample_files.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  /// Below `limit`, which is not 0. std::uniform_int_distribution differs between libraries.
  size_t below(size_t limit) { return random_() % limit; }

  void mutate(Bytes& file, const std::vector<SampleFile>& samples) {
    if (file.empty()) file = "\x08";
    const size_t at = below(file.size());
    switch (below(7)) {
      case 0: file[at] ^= static_cast<char>(1u << below(8)); break;
      case 1: file[at] = static_cast<char>(below(256)); break;
      case 2: file[at] = kTelling[below(std::size(kTelling))]; break;
      case 3: file.erase(at, 1 + below(8)); break;
      case 4: file.insert(at, Bytes(1 + below(8), static_cast<char>(below(256)))); break;
      case 5: {  // a piece of the file over another place
        const size_t from = below(file.size());
        const Bytes piece = file.substr(from, 1 + below(64));
        file.replace(at, std::min(piece.size(), file.size() - at), piece);
        break;
      }
      default: {  // a piece of another file put in
        const Bytes& other = samples[below(samples.size())].file;
        file.insert(at, other.substr(below(other.size()), 1 + below(128)));
      }
    }
  }

 private:
  // Lengths and tags at the edges of what fits.
  static constexpr char kTelling[] = {0, 1, 0x7f, '\x80', '\xff', 0x08, 0x0a, 0x12, 0x3a, 0x4a};
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("mutated models read or are refused", "[fuzz]") {
  constexpr size_t kFiles = 20000;
  const std::vector<SampleFile> samples = sample_files();
  const std::map<std::string, ModelBytes> external = sample_external_data();
  size_t read_count = 0, refused = 0;
  for (uint32_t seed = 0; seed < kFiles; ++seed) {
    Mutator mutator(seed);
    Bytes file = samples[mutator.below(samples.size())].file;
    const size_t rounds = 1 + mutator.below(6);
    for (size_t i = 0; i < rounds; ++i) mutator.mutate(file, samples);
    CAPTURE(seed);
    try {
      read_onnx(model_bytes(file), external);
      ++read_count;
    } catch (const Error& e) {
      if (e.code != ErrorCode::kModel || e.message.empty()) FAIL("error of another kind: " << e.message);
      ++refused;
    }
  }
  // Both ends of the reader must have been reached.
  CHECK(read_count > kFiles / 100);
  CHECK(refused > kFiles / 2);
}
