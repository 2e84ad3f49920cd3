// Runs ONNX conformance cases natively: quick to build, and under the sanitizers.
//   kinglet_cases SUITE_DIR... [--filter TEXT] [--expected FILE] [--results FILE]
// A SUITE_DIR (.../node) holds a folder a case: model.onnx, test_data_set_*/{input,output}_*.pb. --filter: only cases
// whose name holds TEXT. --expected: a list of suite/case; only these count, the others just run. --results: where to
// write the counts as JSON. Prints each failing case with its reason, then "N passed, N failed"; exit code 0 when all
// pass.

#include <cstdio>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

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

struct Arguments {
  std::vector<fs::path> suites;
  std::string filter, expected, results;
};

std::optional<Arguments> parse(int count, char** given) {
  Arguments out;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = given[i];
    std::string* value = name == "--filter"     ? &out.filter
                         : name == "--expected" ? &out.expected
                         : name == "--results"  ? &out.results
                                                : nullptr;
    if (value == nullptr) {
      out.suites.emplace_back(given[i]);
    } else if (++i == count) {
      return std::nullopt;
    } else {
      *value = given[i];
    }
  }
  return out.suites.empty() ? std::nullopt : std::optional(out);
}

std::set<std::string> read_lines(const std::string& path) {
  std::set<std::string> lines;
  std::istringstream in(conformance::read_file(path));
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

}  // namespace

int main(int count, char** given) {
  const auto arguments = parse(count, given);
  if (!arguments) {
    std::fprintf(stderr, "usage: kinglet_cases SUITE_DIR... [--filter TEXT] [--expected FILE] [--results FILE]\n");
    return 2;
  }
  const std::set<std::string> expected = arguments->expected.empty() ? std::set<std::string>()
                                                                     : read_lines(arguments->expected);
  size_t passed = 0, failed = 0;
  for (const fs::path& suite : arguments->suites) {
    std::set<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(suite)) {
      const std::string name = entry.path().filename().string();
      if (name.find(arguments->filter) != std::string::npos && fs::exists(entry.path() / "model.onnx")) {
        folders.insert(entry.path());
      }
    }
    for (const fs::path& folder : folders) {
      const std::string reason = run_case(folder);
      const std::string id = text("{}/{}", suite.filename().string(), folder.filename().string());
      // Cases outside the list are run all the same: they must not crash either.
      if (!arguments->expected.empty() && !expected.contains(id)) continue;
      ++(reason.empty() ? passed : failed);
      if (!reason.empty()) std::printf("%s: %s\n", id.c_str(), reason.c_str());
    }
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  if (!arguments->results.empty()) {
    std::ofstream(arguments->results) << "{\"passed\": " << passed << ", \"failed\": " << failed << "}\n";
  }
  return failed == 0 && passed > 0 ? 0 : 1;
}
