// What may be packed where it lies: nothing else of the graph needs that memory.

#include "graph/constant_memory.hpp"

#include "ops/support/op_test.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

/// A file of 1024 bytes that tensors lie in.
struct File {
  std::shared_ptr<std::byte[]> block = allocate_block(1024);
  ConstantFile file() const { return {block.get(), 1024}; }
  Tensor tensor(size_t offset, size_t floats, DType dtype = DType::kFloat32) const {
    return Tensor(dtype, {static_cast<int64_t>(floats)}, block.get() + offset, block);
  }
};

std::shared_ptr<std::byte[]> take(const Graph& graph, const File& file, const Tensor& tensor, size_t bytes) {
  const ConstantFile files[] = {file.file()};
  return ConstantMemory(graph, files).take(tensor, bytes);
}

}  // namespace

TEST_CASE("a constant that is alone is packed where it lies", "[graph]") {
  const File file;
  Graph graph;
  const Tensor first = file.tensor(16, 100), second = file.tensor(436, 100);
  graph.add_constant("first", first);
  graph.add_constant("second", second);
  CHECK(take(graph, file, first, 400).get() == first.raw());
  CHECK(take(graph, file, first, 401) == nullptr);
  // 20 bytes lie between the two, of which 4 are enough to align the second.
  CHECK(take(graph, file, second, 400).get() == file.block.get() + 432);
  const Tensor own = f32({2}, {1, 2});
  graph.add_constant("own", own);
  CHECK(take(graph, file, own, 8).get() == own.raw());
}

TEST_CASE("memory that something else needs is left alone", "[graph]") {
  const File file;
  const Tensor w = file.tensor(16, 200);
  const auto refused = [&](const Graph& graph) { return take(graph, file, w, 800) == nullptr; };
  Graph graph;
  graph.add_constant("w", w);
  REQUIRE_FALSE(refused(graph));
  SECTION("another constant overlaps") { graph.add_constant("v", file.tensor(812, 10)); }
  SECTION("another constant is the same") { graph.add_constant("v", w); }
  SECTION("a sequence has it") { graph.add_constant("s", Tensor::sequence(std::span(&w, 1))); }
  SECTION("an attribute has it") {
    Attribute a;
    a.tensors = {w};
    graph.nodes.emplace_back().attributes = {a};
  }
  SECTION("a subgraph has it") {
    auto body = std::make_shared<Graph>();
    body->add_constant("w", w);
    graph.nodes.emplace_back().subgraphs = {body};
  }
  CHECK(refused(graph));
}

TEST_CASE("a constant is not packed where that keeps what is dead", "[graph]") {
  const File file;
  SECTION("its file is dead weight") {
    Graph graph;
    const Tensor w = file.tensor(16, 100);
    graph.add_constant("w", w);
    CHECK(take(graph, file, w, 400) == nullptr);
  }
  SECTION("most of its file is packed wider, elsewhere") {
    Graph graph;
    const Tensor w = file.tensor(16, 100);
    graph.add_constant("w", w);
    graph.add_constant("halves", file.tensor(416, 300, DType::kFloat16));
    CHECK(take(graph, file, w, 400) == nullptr);
  }
  SECTION("nobody owns it, or no room is left to align it") {
    Graph graph;
    const Tensor w = file.tensor(16, 100), next = file.tensor(420, 140);
    graph.add_constant("w", w);
    graph.add_constant("before", file.tensor(416, 1));
    graph.add_constant("next", next);
    CHECK(take(graph, file, next, 560) == nullptr);
    float memory[4];
    const Tensor lent(DType::kFloat32, {4}, memory);
    graph.add_constant("lent", lent);
    CHECK(take(graph, file, lent, 16) == nullptr);
  }
}
