// Runs ONNX conformance cases natively: quick to build, and under the sanitizers.
//   kinglet_cases DIR [FILTER]   DIR holds a folder a case (model.onnx, test_data_set_*/{input,output}_*.pb);
//                                FILTER: only cases whose name holds it
// Prints each failing case with its reason, then "N passed, N failed". Exit code 0 unless a case could not be read.

#include <algorithm>
#include <cstdio>

#include <kinglet/session.hpp>

#include "values.hpp"

namespace {

namespace fs = std::filesystem;
using namespace kinglet;

/// "" when the case passes, else why not.
std::string run_case(const fs::path& folder) {
  const std::string bytes = conformance::read_file(folder / "model.onnx");
  try {
    Session session = Session::load(ModelBytes::copy_of(std::as_bytes(std::span(bytes))));
    for (const auto& set : fs::directory_iterator(folder)) {
      if (!set.is_directory()) continue;
      std::vector<Feed> feeds;
      for (size_t i = 0; i < session.inputs().size(); ++i) {
        const fs::path file = set.path() / text("input_{}.pb", i);
        if (!fs::exists(file)) continue;
        const auto& input = session.inputs()[i];
        feeds.push_back({input.name, conformance::read_value(conformance::read_file(file), input.type)});
      }
      const std::vector<Tensor> outputs = session.run(feeds);
      for (size_t i = 0; i < outputs.size(); ++i) {
        const auto& output = session.outputs()[i];
        const fs::path file = set.path() / text("output_{}.pb", i);
        if (!fs::exists(file)) continue;
        const Tensor expected = conformance::read_value(conformance::read_file(file), output.type);
        const std::string found = conformance::difference(outputs[i], expected);
        if (!found.empty()) return text("{}: {}", output.name, found);
      }
    }
  } catch (const Error& error) {
    return error.message;
  }
  return "";
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: kinglet_cases DIR [FILTER]\n");
    return 2;
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(arguments[1])) {
    const std::string name = entry.path().filename().string();
    if (!fs::exists(entry.path() / "model.onnx")) continue;
    if (count > 2 && name.find(arguments[2]) == std::string::npos) continue;
    folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  size_t passed = 0;
  for (const fs::path& folder : folders) {
    const std::string reason = run_case(folder);
    if (reason.empty()) {
      ++passed;
    } else {
      std::printf("%s: %s\n", folder.filename().c_str(), reason.c_str());
    }
  }
  std::printf("%zu passed, %zu failed\n", passed, folders.size() - passed);
  return folders.empty() ? 2 : 0;
}
