#include "session_models.hpp"

namespace kinglet::test {
namespace {

using Ints = FuzzAttribute::Ints;
using Floats = FuzzAttribute::Floats;

const FuzzInput kImage{"x", 1, {"n", "4", "5", "6"}};
const FuzzInput kMatrix{"x", 1, {"3", "4"}};

FuzzAttribute body(const std::string& name, FuzzGraph g) {
  return {name, std::make_shared<FuzzGraph>(std::move(g))};
}

/// One operator on x and constants.
FuzzGraph single(FuzzNode n, std::vector<FuzzConstant> constants = {}, FuzzInput x = kMatrix) {
  Strings outputs = n.outputs;
  std::erase(outputs, "");
  return {{std::move(n)}, std::move(constants), {std::move(x)}, outputs};
}

void add_convolutions(std::vector<FuzzGraph>& out) {
  out.push_back({{{"Conv",
                   {"x", "w", "b"},
                   {"c"},
                   {{"pads", Ints{1, 1, 1, 1}},
                    {"strides", Ints{1, 1}},
                    {"dilations", Ints{1, 1}},
                    {"group", int64_t{2}},
                    {"kernel_shape", Ints{3, 3}}}},
                  {"BatchNormalization", {"c", "s", "b", "m", "v"}, {"n"}},
                  {"Relu", {"n"}, {"r"}},
                  {"Conv", {"r", "w1"}, {"d"}},
                  {"Add", {"d", "r"}, {"a"}},
                  {"Clip", {"a", "lo", "hi"}, {"y"}}},
                 {weights("w", {4, 2, 3, 3}),
                  weights("b", {4}),
                  weights("s", {4}),
                  weights("m", {4}),
                  {"v", 1, {4}, {8, 16, 8, 4}},
                  weights("w1", {4, 4, 1, 1}),
                  {"lo", 1, {}, {-4}},
                  {"hi", 1, {}, {16}}},
                 {kImage},
                 {"y"}});
  out.push_back({{{"Conv",
                   {"x", "w"},
                   {"c"},
                   {{"auto_pad", "SAME_UPPER"}, {"strides", Ints{2, 2}}, {"group", int64_t{4}}}},
                  {"Sigmoid", {"c"}, {"s"}},
                  {"Mul", {"c", "s"}, {"m"}},
                  {"MaxPool",
                   {"m"},
                   {"p"},
                   {{"kernel_shape", Ints{2, 2}}, {"ceil_mode", int64_t{1}}, {"pads", Ints{0, 1, 1, 0}}}},
                  {"Concat", {"p", "p"}, {"k"}, {{"axis", int64_t{1}}}},
                  {"Conv", {"k", "w1"}, {"y"}}},
                 {weights("w", {4, 1, 3, 3}), weights("w1", {3, 8, 1, 1})},
                 {kImage},
                 {"y"}});
  out.push_back({{{"ConvTranspose",
                   {"x", "w", "b"},
                   {"c"},
                   {{"strides", Ints{2, 2}},
                    {"pads", Ints{1, 0, 0, 1}},
                    {"output_padding", Ints{1, 0}},
                    {"dilations", Ints{1, 1}},
                    {"group", int64_t{1}}}},
                  {"LeakyRelu", {"c"}, {"l"}, {{"alpha", 0.1f}}},
                  {"ReduceMean", {"l", "axes"}, {"y"}, {{"keepdims", int64_t{1}}}}},
                 {weights("w", {4, 3, 2, 3}), weights("b", {3}), longs("axes", {2, -1})},
                 {kImage},
                 {"y"}});
  out.push_back(single({"ConvTranspose",
                        {"x", "w"},
                        {"y"},
                        {{"output_shape", Ints{9, 12}}, {"auto_pad", "SAME_LOWER"}, {"strides", Ints{2, 2}}}},
                       {weights("w", {4, 2, 3, 3})}, kImage));
  out.push_back({{{"AveragePool",
                   {"x"},
                   {"a"},
                   {{"kernel_shape", Ints{3, 2}},
                    {"strides", Ints{2, 1}},
                    {"pads", Ints{1, 0, 1, 1}},
                    {"count_include_pad", int64_t{1}}}},
                  {"GlobalAveragePool", {"a"}, {"g"}},
                  {"Flatten", {"g"}, {"f"}, {{"axis", int64_t{1}}}},
                  {"Gemm", {"f", "w", "b"}, {"m"}, {{"alpha", 0.5f}, {"beta", 2.0f}, {"transB", int64_t{1}}}},
                  {"Softmax", {"m"}, {"y"}, {{"axis", int64_t{-1}}}}},
                 {weights("w", {5, 4}), weights("b", {5})},
                 {kImage},
                 {"y", "a"}});
  out.push_back(single({"MaxPool",
                        {"x"},
                        {"y", "i"},
                        {{"kernel_shape", Ints{2, 3}},
                         {"strides", Ints{2, 1}},
                         {"dilations", Ints{1, 2}},
                         {"storage_order", int64_t{1}}}},
                       {}, kImage));
  out.push_back(single(
      {"Conv", {"x", "w"}, {"y"}, {{"pads", Ints{2, 2}}, {"dilations", Ints{2}}, {"strides", Ints{3}}}},
      {weights("w", {2, 4, 3})}, {"x", 1, {"1", "4", "9"}}));
  out.push_back(single({"Conv", {"x", "w"}, {"y"}, {{"pads", Ints{1, 1, 1, 1, 1, 1}}}},
                       {weights("w", {2, 2, 3, 2, 3})}, {"x", 1, {"1", "2", "3", "4", "3"}}));
  out.push_back(single({"InstanceNormalization", {"x", "s", "b"}, {"y"}, {{"epsilon", 0.01f}}},
                       {weights("s", {4}), weights("b", {4})}, kImage));
  for (const std::string mode : {"nearest", "linear", "cubic"}) {
    out.push_back({{{"Conv", {"x", "w"}, {"c"}},
                    {"Resize",
                     {"c", "", "scales"},
                     {"y"},
                     {{"mode", mode},
                      {"coordinate_transformation_mode", "half_pixel"},
                      {"antialias", int64_t{0}},
                      {"nearest_mode", "floor"}}}},
                   {weights("w", {3, 4, 1, 1}), {"scales", 1, {4}, {8, 8, 16, 12}}},
                   {kImage},
                   {"y"}});
  }
  out.push_back(single({"Resize",
                        {"x", "", "", "sizes"},
                        {"y"},
                        {{"mode", "linear"},
                         {"keep_aspect_ratio_policy", "not_larger"},
                         {"axes", Ints{2, 3}},
                         {"exclude_outside", int64_t{0}}}},
                       {longs("sizes", {7, 3})}, kImage));
  out.push_back(
      single({"DepthToSpace", {"x"}, {"y"}, {{"blocksize", int64_t{2}}, {"mode", "CRD"}}}, {}, kImage));
  out.push_back(single({"SpaceToDepth", {"x"}, {"y"}, {{"blocksize", int64_t{2}}}}, {},
                       {"x", 1, {"1", "3", "4", "6"}}));
}

void add_shape_operators(std::vector<FuzzGraph>& out) {
  out.push_back({{{"Shape", {"x"}, {"s"}, {{"start", int64_t{0}}}},
                  {"Gather", {"s", "zero"}, {"d"}, {{"axis", int64_t{0}}}},
                  {"Unsqueeze", {"d", "zeros"}, {"u"}},
                  {"Concat", {"u", "rest"}, {"t"}, {{"axis", int64_t{0}}}},
                  {"Relu", {"x"}, {"r"}},
                  {"Reshape", {"r", "t"}, {"q"}, {{"allowzero", int64_t{0}}}},
                  {"Transpose", {"q"}, {"v"}, {{"perm", Ints{1, 0}}}},
                  {"Transpose", {"v"}, {"y"}, {{"perm", Ints{1, 0}}}}},
                 {long_scalar("zero", 0), longs("zeros", {0}), longs("rest", {-1})},
                 {kImage},
                 {"y"}});
  out.push_back({{{"Slice", {"x", "starts", "ends", "axes", "steps"}, {"a"}},
                  {"Pad", {"a", "pads", "value"}, {"b"}, {{"mode", "constant"}}},
                  {"Tile", {"b", "repeats"}, {"c"}},
                  {"Expand", {"c", "shape"}, {"y"}}},
                 {longs("starts", {0, -1}),
                  longs("ends", {3, -4}),
                  longs("axes", {0, 1}),
                  longs("steps", {2, -1}),
                  longs("pads", {1, 0, 0, 2}),
                  {"value", 1, {}, {12}},
                  longs("repeats", {2, 1}),
                  longs("shape", {2, 1, 1})},
                 {kMatrix},
                 {"y"}});
  for (const std::string mode : {"reflect", "edge", "wrap"}) {
    out.push_back(single({"Pad", {"x", "pads"}, {"y"}, {{"mode", mode}}}, {longs("pads", {2, 1, 1, 2})}));
  }
  out.push_back({{{"Split", {"x", "sizes"}, {"a", "b"}, {{"axis", int64_t{1}}}},
                  {"Concat", {"b", "a"}, {"c"}, {{"axis", int64_t{1}}}},
                  {"Unsqueeze", {"c", "axes"}, {"u"}},
                  {"Squeeze", {"u", "axes"}, {"q"}},
                  {"ReduceSum",
                   {"q", "axes"},
                   {"y"},
                   {{"keepdims", int64_t{0}}, {"noop_with_empty_axes", int64_t{1}}}}},
                 {longs("sizes", {1, 3}), longs("axes", {0})},
                 {kMatrix},
                 {"y"}});
  out.push_back({{{"NonZero", {"x"}, {"i"}},
                  {"Transpose", {"i"}, {"t"}},
                  {"GatherND", {"x", "t"}, {"g"}, {{"batch_dims", int64_t{0}}}},
                  {"Shape", {"g"}, {"s"}},
                  {"ConstantOfShape", {"s"}, {"o"}},
                  {"Add", {"g", "o"}, {"y"}}},
                 {},
                 {kMatrix},
                 {"y"}});
  // A view whose shape is known only when it runs, while other operators want memory.
  out.push_back({{{"Sub", {"i", "i"}, {"o"}},
                  {"Concat", {"o", "minus"}, {"shape"}, {{"axis", int64_t{0}}}},
                  {"Relu", {"x"}, {"r"}},
                  {"Reshape", {"r", "shape"}, {"v"}},
                  {"Neg", {"x"}, {"n"}},
                  {"Abs", {"n"}, {"a"}},
                  {"Flatten", {"v"}, {"f"}},
                  {"Add", {"a", "n"}, {"z"}}},
                 {longs("minus", {-1})},
                 {kMatrix, {"i", 7, {"1"}}},
                 {"f", "z"}});
  out.push_back(single({"Range", {"a", "b", "c"}, {"y"}},
                       {long_scalar("a", 1), long_scalar("b", 9), long_scalar("c", 2)}));
  out.push_back(
      single({"Gather", {"x", "i"}, {"y"}, {{"axis", int64_t{1}}}}, {{"i", 7, {2, 2}, {0, -1, 3, 1}}}));
  out.push_back(single({"GatherElements", {"x", "i"}, {"y"}, {{"axis", int64_t{0}}}},
                       {{"i", 7, {2, 4}, {0, -1, 2, 1}}}));
  out.push_back(
      single({"ScatterElements", {"x", "i", "u"}, {"y"}, {{"axis", int64_t{1}}, {"reduction", "add"}}},
             {{"i", 7, {3, 2}, {0, -1, 3, 1}}, weights("u", {3, 2})}));
  out.push_back(single({"ScatterND", {"x", "i", "u"}, {"y"}, {{"reduction", "none"}}},
                       {{"i", 7, {2, 1}, {0, 2}}, weights("u", {2, 4})}));
  out.push_back(single({"OneHot", {"i", "depth", "v"}, {"y"}, {{"axis", int64_t{-1}}}},
                       {longs("i", {1, 0, 2}), long_scalar("depth", 3), weights("v", {2})}));
  out.push_back(single({"Trilu", {"x", "k"}, {"y"}, {{"upper", int64_t{0}}}}, {long_scalar("k", 1)}));
  out.push_back(single({"CumSum", {"x", "a"}, {"y"}, {{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}}},
                       {long_scalar("a", 1)}));
  out.push_back(single({"TopK",
                        {"x", "k"},
                        {"y", "i"},
                        {{"axis", int64_t{-1}}, {"largest", int64_t{0}}, {"sorted", int64_t{1}}}},
                       {longs("k", {2})}));
  out.push_back(
      single({"ReverseSequence", {"x", "l"}, {"y"}, {{"batch_axis", int64_t{1}}, {"time_axis", int64_t{0}}}},
             {longs("l", {1, 2, 3, 1})}));
  out.push_back(single({"Compress", {"x", "c"}, {"y"}, {{"axis", int64_t{1}}}}, {{"c", 9, {3}, {1, 0, 1}}}));
  out.push_back(
      single({"ArgMax",
              {"x"},
              {"y"},
              {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}, {"select_last_index", int64_t{1}}}}));
  out.push_back(single({"EyeLike", {"x"}, {"y"}, {{"k", int64_t{1}}, {"dtype", int64_t{6}}}}));
}

void add_arithmetic(std::vector<FuzzGraph>& out) {
  out.push_back({{{"MatMul", {"x", "w"}, {"m"}},
                  {"Add", {"m", "b"}, {"a"}},
                  {"ReduceMean", {"a", "last"}, {"u"}},
                  {"Sub", {"a", "u"}, {"d"}},
                  {"Pow", {"d", "two"}, {"q"}},
                  {"ReduceMean", {"q", "last"}, {"v"}},
                  {"Add", {"v", "e"}, {"ve"}},
                  {"Sqrt", {"ve"}, {"sd"}},
                  {"Div", {"d", "sd"}, {"n"}},
                  {"Mul", {"n", "b"}, {"ns"}},
                  {"Add", {"ns", "b"}, {"l"}},
                  {"Div", {"l", "root"}, {"lr"}},
                  {"Erf", {"lr"}, {"er"}},
                  {"Add", {"er", "one"}, {"e1"}},
                  {"Mul", {"l", "e1"}, {"le"}},
                  {"Mul", {"le", "half"}, {"y"}}},
                 {weights("w", {4, 5}),
                  weights("b", {5}),
                  longs("last", {-1}),
                  {"two", 1, {}, {16}},
                  {"e", 1, {}, {1}},
                  {"root", 1, {}, {11}},
                  {"one", 1, {}, {8}},
                  {"half", 1, {}, {4}}},
                 {kMatrix},
                 {"y"}});
  out.push_back(single(
      {"LayerNormalization", {"x", "s", "b"}, {"y", "", "i"}, {{"axis", int64_t{1}}, {"epsilon", 0.01f}}},
      {weights("s", {4}), weights("b", {4})}));
  out.push_back({{{"Add", {"x", "three"}, {"a"}},
                  {"Clip", {"a", "lo", "hi"}, {"c"}},
                  {"Mul", {"x", "c"}, {"m"}},
                  {"Div", {"m", "six"}, {"h"}},
                  {"PRelu", {"h", "p"}, {"y"}}},
                 {{"three", 1, {}, {24}},
                  {"lo", 1, {}, {0}},
                  {"hi", 1, {}, {48}},
                  {"six", 1, {}, {48}},
                  weights("p", {4})},
                 {kMatrix},
                 {"y"}});
  out.push_back({{{"Greater", {"x", "t"}, {"g"}},
                  {"Where", {"g", "x", "t"}, {"w"}},
                  {"Cast", {"w"}, {"i"}, {{"to", int64_t{7}}}},
                  {"Neg", {"i"}, {"n"}},
                  {"Min", {"n", "k"}, {"m"}},
                  {"Pow", {"m", "k"}, {"p"}},
                  {"Div", {"p", "k"}, {"v"}},
                  {"Cast", {"v"}, {"y"}, {{"to", int64_t{10}}}}},
                 {{"t", 1, {4}, {1, 2, -3, 4}}, longs("k", {2})},
                 {kMatrix},
                 {"y"}});
  out.push_back(single({"Mod", {"x", "m"}, {"y"}, {{"fmod", int64_t{1}}}}, {weights("m", {4})}));
  out.push_back(single({"Softmax", {"x"}, {"y"}, {{"axis", int64_t{0}}}}));
  out.push_back(
      single({"Gemm", {"w", "x", "c"}, {"y"}, {{"transA", int64_t{1}}, {"alpha", 2.0f}, {"beta", 0.5f}}},
             {weights("w", {3, 2}), weights("c", {2, 1})}));
  out.push_back(
      single({"MatMul", {"x", "w"}, {"y"}}, {weights("w", {2, 1, 4, 3})}, {"x", 1, {"2", "3", "4"}}));
  for (const auto& [op, gates] : {std::pair<std::string, int64_t>{"RNN", 1}, {"GRU", 3}, {"LSTM", 4}}) {
    FuzzNode n{op,
               {"x", "w", "r", "b", "l", "h"},
               {"y", "yh"},
               {{"hidden_size", int64_t{3}},
                {"direction", "bidirectional"},
                {"clip", 4.0f},
                {"layout", int64_t{0}}}};
    if (op == "GRU") n.attributes.push_back({"linear_before_reset", int64_t{1}});
    if (op == "LSTM")
      n.outputs.push_back("yc"),
          n.attributes.push_back(
              {"activations", Strings{"Sigmoid", "Tanh", "Elu", "HardSigmoid", "Relu", "Affine"}});
    if (op == "RNN") n.attributes.push_back({"activation_alpha", Floats{0.5f}});
    out.push_back(single(n,
                         {weights("w", {2, gates * 3, 2}),
                          weights("r", {2, gates * 3, 3}),
                          weights("b", {2, gates * 6}),
                          {"l", 6, {2}, {1, 3}},
                          weights("h", {2, 2, 3})},
                         {"x", 1, {"3", "2", "2"}}));
  }
}

/// The trip count is an input, which the fuzzer feeds small numbers: no change of the model can make it
/// endless.
void add_control_flow(std::vector<FuzzGraph>& out) {
  const FuzzGraph then_branch{{{"Add", {"r", "w"}, {"t"}}}, {}, {}, {"t"}};
  const FuzzGraph else_branch{{{"Conv", {"r", "k"}, {"e"}, {{"pads", Ints{1, 1}}}}, {"Relu", {"e"}, {"e1"}}},
                              {weights("k", {2, 2, 3})},
                              {},
                              {"e1"}};
  const FuzzGraph step{
      {{"Less", {"i", "three"}, {"less"}},
       {"If", {"less"}, {"o"}, {body("then_branch", then_branch), body("else_branch", else_branch)}},
       {"Add", {"o", "one"}, {"r1"}},
       {"ReduceSum", {"r1"}, {"sum"}},
       {"Identity", {"c"}, {"c1"}}},
      {long_scalar("three", 2), {"one", 1, {}, {8}}},
      {{"i", 7, {}}, {"c", 9, {}}, {"r", 1, {"1", "2", "5"}}},
      {"c1", "r1", "sum"}};
  out.push_back({{{"Relu", {"x"}, {"a"}},
                  {"Loop", {"m", "go", "a"}, {"y", "sums"}, {body("body", step)}},
                  {"Reshape", {"sums", "flat"}, {"z"}}},
                 {weights("w", {1}), {"go", 9, {}, {1}}, longs("flat", {-1})},
                 {{"x", 1, {"1", "2", "5"}}, {"m", 7, {}}},
                 {"y", "z"}});
  const FuzzGraph grow{{{"Concat", {"r", "r"}, {"r1"}, {{"axis", int64_t{0}}}}, {"Identity", {"c"}, {"c1"}}},
                       {},
                       {{"i", 7, {}}, {"c", 9, {}}, {"r", 1, {}}},
                       {"c1", "r1"}};
  out.push_back({{{"Loop", {"m", "", "x"}, {"y"}, {body("body", grow)}}, {"Shape", {"y"}, {"s"}}},
                 {},
                 {kMatrix, {"m", 7, {}}},
                 {"y", "s"}});
  out.push_back(
      {{{"ReduceMax", {"x"}, {"top"}, {{"keepdims", int64_t{0}}}},
        {"Greater", {"top", "w"}, {"g"}},
        {"Squeeze", {"g"}, {"q"}},
        {"If",
         {"q"},
         {"y"},
         {body("then_branch", {{{"MatMul", {"x", "k"}, {"t"}}}, {weights("k", {4, 2})}, {}, {"t"}}),
          body("else_branch",
               {{{"Slice", {"x", "a", "b"}, {"e"}}}, {longs("a", {1}), longs("b", {3})}, {}, {"e"}})}}},
       {weights("w", {1})},
       {kMatrix},
       {"y"}});
}

}  // namespace

std::vector<FuzzGraph> fuzz_models() {
  std::vector<FuzzGraph> out;
  add_convolutions(out);
  add_shape_operators(out);
  add_arithmetic(out);
  add_control_flow(out);
  return out;
}

}  // namespace kinglet::test
