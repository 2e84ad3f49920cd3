// Small operators of com.microsoft: what the comparison with ONNX Runtime in tests/models does not run, and what they
// refuse.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

OpCall contrib(const char* op, std::vector<Tensor> inputs, std::vector<Attribute> attributes = {}, size_t outputs = 1) {
  return {.op = op, .opset = 1, .attributes = std::move(attributes), .inputs = std::move(inputs), .outputs = outputs, .domain = "com.microsoft"};
}

Tensor ids(const Shape& shape, std::initializer_list<int64_t> values) { return i64(shape, values); }

}  // namespace

TEST_CASE("com.microsoft has operators of ONNX under its own numbers of opsets", "[op]") {
  const Tensor x = iota({2, 3});
  check_rows({
      {"Trilu", contrib("Trilu", {x}), f32({2, 3}, {0, 1, 2, 0, 4, 5})},
      {"ExpandDims", contrib("ExpandDims", {x, i32({}, {1})}), x.reshaped({2, 1, 3})},
      {"ExpandDims of a vector of one", contrib("ExpandDims", {x, i64({1}, {-1})}), x.reshaped({2, 3, 1})},
      {"Pad of a row", contrib("Pad", {f32({1}, {3}), ids({1, 2}, {1, 0})}), f32({2}, {0, 3})},
      {"Range without delta", contrib("Range", {f32({}, {1}), f32({}, {3.5f})}), f32({3}, {1, 2, 3})},
      {"Range of int16", contrib("Range", {make(DType::kInt16, {}, {1}), make(DType::kInt16, {}, {-3}), make(DType::kInt16, {}, {-2})}), make(DType::kInt16, {2}, {1, -1})},
      {"GatherND", contrib("GatherND", {x, ids({2, 1}, {1, 0})}), f32({2, 3}, {3, 4, 5, 0, 1, 2})},
      {"UnfoldTensor of strings", contrib("UnfoldTensor", {strings({3}, {"a", "b", "c"})}, {attr("size", 2)}), strings({2, 2}, {"a", "b", "b", "c"})},
      {"Inverse of a permutation", contrib("Inverse", {f32({2, 2}, {0, 2, 1, 0})}), f32({2, 2}, {0, 1, 0.5f, 0})},
      {"Inverse of float16", contrib("Inverse", {make(DType::kFloat16, {1, 1}, {4})}), make(DType::kFloat16, {1, 1}, {0.25})},
      {"Inverse of nothing", contrib("Inverse", {f32({0, 2, 2}, {})}), f32({0, 2, 2}, {})},
      {"CDist of no dims", contrib("CDist", {f32({2, 0}, {}), f32({1, 0}, {})}), f32({2, 1}, {0, 0})},
      {"MurmurHash3 of no key", contrib("MurmurHash3", {strings({0}, {})}), make(DType::kUint32, {0}, {})},
      {"DynamicTimeWarping of nothing", contrib("DynamicTimeWarping", {f32({2, 0}, {})}), i32({2, 0}, {})},
      {"ConvTransposeWithDynamicPads without pads", contrib("ConvTransposeWithDynamicPads", {iota({1, 1, 2}), f32({1, 1, 2}, {1, 2})}), f32({1, 1, 3}, {0, 1, 2})},
      {"GatedAdd of float16", contrib("GatedAdd", {make(DType::kFloat16, {2, 1}, {1, 2}), make(DType::kFloat16, {2, 1}, {3, 4}), make(DType::kFloat16, {2, 1}, {2, 0.5})}), make(DType::kFloat16, {2, 1}, {7, 4})},
      {"GatedAdd of nothing", contrib("GatedAdd", {f32({2, 0}, {}), f32({2, 0}, {}), iota({2, 1})}), f32({2, 0}, {})},
      {"MRotaryEmbedding: pair 0 by time, 1 by height", contrib("MRotaryEmbedding", {f32({1, 1, 1, 4}, {1, 2, 3, 4}), ids({3, 1, 1}, {0, 1, 0}), f32({2, 2}, {1, 0, 0, 0}), f32({2, 2}, {0, 0, 0, 1})}, {attr_ints("mrope_section", {1, 1, 0})}), f32({1, 1, 1, 4}, {1, -4, 3, 2})},
      {"a word without characters", contrib("WordConvEmbedding", {i32({1, 2}, {0, 3}), f32({1, 1, 1, 1}, {1}), f32({1}, {1}), f32({2, 1}, {1, 1})}), f32({1, 1}, {0})},
      {"a mask that hides a window", contrib("MaxpoolWithMask", {iota({1, 1, 2}, 5), i32({1, 1, 2}, {1, 0})}, {attr_ints("kernel_shape", {1})}), f32({1, 1, 2}, {5, std::numeric_limits<float>::lowest()})},
      {"nearest to NaN is outside", contrib("CropAndResize", {iota({1, 1, 2, 2}), f32({1, 4}, {kNaN, 0, 1, 1}), i32({1}, {0}), i32({2}, {1, 1})}, {attr("mode", "nearest"), attr("extrapolation_value", 9.0f)}), f32({1, 1, 1, 1}, {9})},
  });
  const auto unique = run_op(contrib("Unique", {f32({4}, {3, 1, 3, kNaN})}, {}, 3));
  CHECK(difference(unique[0], f32({3}, {3, 1, kNaN})) == "");
  CHECK(difference(unique[1], ids({4}, {0, 1, 0, 2})) == "");
  CHECK(difference(unique[2], ids({3}, {2, 1, 1})) == "");
}

TEST_CASE("what small operators of com.microsoft refuse", "[op]") {
  const Tensor x = iota({2, 3}), tokens = ids({1, 3}, {1, 2, 3}), source = ids({3}, {1, 2, 3}), one = ids({1}, {1});
  const std::vector<Attribute> runs = {attr("min_ngram_size", 1), attr("max_ngram_size", 2)};
  const Tensor image = iota({1, 1, 2, 2}), box = iota({1, 4}), image_0 = i32({1}, {0}), size = i32({2}, {2, 2});
  const Tensor words = i32({1, 2}, {1, 0}), filters = iota({2, 1, 2, 3}), bias = iota({2}), table = iota({2, 3});
  const Tensor kernel = iota({1, 1, 2});
  const Tensor heads = iota({1, 1, 2, 4}), places = ids({3, 1, 2}, {0, 1, 0, 1, 0, 1}), angles = iota({2, 2});
  const auto turned = [&](Tensor x, Tensor positions, Tensor cos, std::vector<int64_t> sections = {1, 1, 0}, int layout = 0) {
    return contrib("MRotaryEmbedding", {std::move(x), std::move(positions), cos, cos}, {attr_ints("mrope_section", std::move(sections)), attr("mrope_layout", layout)});
  };
  check_failures({
      {"Trilu of a vector", contrib("Trilu", {iota({2})})},
      {"ExpandDims of two axes", contrib("ExpandDims", {x, ids({2}, {0, 1})}), ErrorCode::kShape, "one axis"},
      {"ExpandDims outside", contrib("ExpandDims", {x, i32({}, {3})})},
      {"Pad of other dims", contrib("Pad", {x, ids({2}, {1, 1})})},
      {"Range of two types", contrib("Range", {f32({}, {1}), i64({}, {3})}), ErrorCode::kModel},
      {"GatherND outside", contrib("GatherND", {x, ids({1, 2}, {0, 3})})},
      {"Unique of a matrix", contrib("Unique", {x}, {}, 3), ErrorCode::kShape, "one dim"},
      {"UnfoldTensor of too few", contrib("UnfoldTensor", {x}, {attr("size", 4)}), ErrorCode::kShape, "does not fit"},
      {"UnfoldTensor of no elements", contrib("UnfoldTensor", {x}, {attr("size", 0)}), ErrorCode::kModel},
      {"UnfoldTensor without steps", contrib("UnfoldTensor", {x}, {attr("size", 1), attr("step", 0)}), ErrorCode::kModel},
      {"UnfoldTensor of another dim", contrib("UnfoldTensor", {x}, {attr("size", 1), attr("dim", 2)})},
      {"Inverse of a rectangle", contrib("Inverse", {x})},
      {"Inverse of a vector", contrib("Inverse", {iota({2})})},
      {"Inverse of integers", contrib("Inverse", {ids({1, 1}, {1})}), ErrorCode::kModel},
      {"CDist of two widths", contrib("CDist", {x, iota({2, 2})})},
      {"CDist of a vector", contrib("CDist", {x, iota({3})})},
      {"CDist by another metric", contrib("CDist", {x, x}, {attr("metric", "cosine")}), ErrorCode::kModel, "cosine"},
      {"DynamicTimeWarping of two matrices", contrib("DynamicTimeWarping", {iota({2, 2, 2})})},
      {"DynamicTimeWarping of integers", contrib("DynamicTimeWarping", {tokens}), ErrorCode::kModel},
      {"MurmurHash3 of bytes", contrib("MurmurHash3", {u8({1}, {1})}), ErrorCode::kModel},
      {"boxes of three numbers", contrib("CropAndResize", {image, iota({1, 3}), image_0, size})},
      {"a box too many", contrib("CropAndResize", {image, iota({2, 4}), image_0, size})},
      {"an image outside", contrib("CropAndResize", {image, box, i32({1}, {1}), size})},
      {"a crop of nothing", contrib("CropAndResize", {image, box, image_0, i32({2}, {0, 2})}), ErrorCode::kShape, "crop size"},
      {"a crop of three dims", contrib("CropAndResize", {image, box, image_0, i32({3}, {1, 2, 3})}), ErrorCode::kShape, "crop size"},
      {"a crop by another mode", contrib("CropAndResize", {image, box, image_0, size}, {attr("mode", "cubic")}), ErrorCode::kModel, "cubic"},
      {"scores of other batches", contrib("NGramRepeatBlock", {tokens, iota({2, 5})}, {attr("ngram_size", 1)})},
      {"a token without a score", contrib("NGramRepeatBlock", {tokens, iota({1, 3})}, {attr("ngram_size", 1)}), ErrorCode::kShape, "outside"},
      {"a negative token", contrib("NGramRepeatBlock", {ids({1, 1}, {-1}), iota({1, 3})}, {attr("ngram_size", 1)}), ErrorCode::kShape, "outside"},
      {"runs of no token", contrib("NGramRepeatBlock", {tokens, iota({1, 5})}, {attr("ngram_size", 0)}), ErrorCode::kModel},
      {"too few predictions", contrib("BifurcationDetector", {source, one, one, one}, runs, 2), ErrorCode::kShape, "predicted"},
      {"a start behind the source", contrib("BifurcationDetector", {source, one, ids({1}, {4}), ids({0}, {})}, runs, 2), ErrorCode::kShape, "predicted"},
      {"a negative start", contrib("BifurcationDetector", {source, one, ids({1}, {-1}), ids({5}, {1, 2, 3, 4, 5})}, runs, 2), ErrorCode::kShape, "predicted"},
      {"two starts", contrib("BifurcationDetector", {source, one, ids({2}, {1, 1}), source}, runs, 2), ErrorCode::kShape, "one number"},
      {"runs of 3 to 2", contrib("BifurcationDetector", {source, one, one, source}, {attr("min_ngram_size", 3), attr("max_ngram_size", 2)}, 2), ErrorCode::kModel},
      {"a character without a row", contrib("WordConvEmbedding", {i32({1, 2}, {2, 0}), filters, bias, table}), ErrorCode::kShape, "outside"},
      {"filters wider than words", contrib("WordConvEmbedding", {words, iota({2, 1, 3, 3}), bias, table}), ErrorCode::kShape, "do not go with"},
      {"filters of other characters", contrib("WordConvEmbedding", {words, iota({2, 1, 2, 4}), bias, table}), ErrorCode::kShape, "do not go with"},
      {"filters that are not the attributes'", contrib("WordConvEmbedding", {words, filters, bias, table}, {attr("embedding_size", 3)}), ErrorCode::kShape, "attributes"},
      {"a bias of another size", contrib("WordConvEmbedding", {words, filters, iota({3}), table}), ErrorCode::kShape, "bias"},
      {"a mask of two planes", contrib("MaxpoolWithMask", {iota({1, 2, 2}), i32({1, 2, 2}, {1, 1, 1, 1})}, {attr_ints("kernel_shape", {1})}), ErrorCode::kShape, "mask"},
      {"a mask of another size", contrib("MaxpoolWithMask", {iota({1, 2, 2}), i32({1, 1, 1}, {1})}, {attr_ints("kernel_shape", {1})}), ErrorCode::kShape, "mask"},
      {"dilated windows", contrib("MaxpoolWithMask", {iota({1, 2, 2}), i32({1, 1, 2}, {1, 1})}, {attr_ints("kernel_shape", {1}), attr_ints("dilations", {2})}), ErrorCode::kModel, "dilations"},
      {"a position outside", turned(heads, ids({3, 1, 2}, {0, 1, 0, 2, 0, 1}), angles), ErrorCode::kShape, "outside"},
      {"a negative position", turned(heads, ids({3, 1, 2}, {0, 1, 0, -1, 0, 1}), angles), ErrorCode::kShape, "outside"},
      {"positions of one axis", turned(heads, ids({1, 2}, {0, 1}), angles), ErrorCode::kShape, "positions"},
      {"sections of other pairs", turned(heads, places, angles, {1, 1, 1}), ErrorCode::kShape, "sections"},
      {"two sections", turned(heads, places, angles, {1, 1}), ErrorCode::kModel, "sections"},
      {"a negative section", turned(heads, places, angles, {3, -1, 0}), ErrorCode::kModel, "sections"},
      {"a third layout", turned(heads, places, angles, {1, 1, 0}, 2), ErrorCode::kModel, "layout"},
      {"heads that are too small", turned(iota({1, 1, 2, 2}), places, angles), ErrorCode::kShape},
      {"a gate a column", contrib("GatedAdd", {x, x, iota({1, 3})})},
      {"gates of rank 1", contrib("GatedAdd", {x, x, iota({2})}), ErrorCode::kShape, "gate"},
      {"a summand of another size", contrib("GatedAdd", {x, iota({2, 2}), iota({2, 1})})},
      {"a gate of another type", contrib("GatedAdd", {x, x, make(DType::kFloat16, {2, 1}, {1, 1})}), ErrorCode::kModel},
      {"three pads", contrib("ConvTransposeWithDynamicPads", {iota({1, 1, 2}), kernel, ids({3}, {0, 0, 0})}), ErrorCode::kShape, "pads"},
      {"negative pads", contrib("ConvTransposeWithDynamicPads", {iota({1, 1, 2}), kernel, ids({2}, {-1, 0})}), ErrorCode::kShape, "pads"},
      {"pads of everything", contrib("ConvTransposeWithDynamicPads", {iota({1, 1, 2}), kernel, ids({2}, {2, 2})}), ErrorCode::kShape, "cut off"},
      {"pads of floats", contrib("ConvTransposeWithDynamicPads", {iota({1, 1, 2}), kernel, iota({2})}), ErrorCode::kModel},
      {"a bias of another count", contrib("ConvTransposeWithDynamicPads", {iota({1, 1, 2}), kernel, ids({2}, {0, 0}), iota({2})}), ErrorCode::kShape, "bias"},
  });
}
