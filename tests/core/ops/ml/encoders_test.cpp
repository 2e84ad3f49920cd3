// Scaling, encoding and picking of features, and maps; the expected values are those of ONNX Runtime.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

constexpr const char* kMl = "ai.onnx.ml";

OpCall call(const char* op, std::vector<Tensor> inputs, std::vector<Attribute> attributes,
            int64_t opset = 3) {
  return {.op = op,
          .opset = opset,
          .attributes = std::move(attributes),
          .inputs = std::move(inputs),
          .domain = kMl};
}

}  // namespace

TEST_CASE("Scaler, Normalizer, Binarizer, Imputer") {
  const Tensor x = f32({3, 2}, {1, 2, -1, .5f, .25f, -.75f}), m = f32({3, 2}, {3, -4, 0, 0, -1, -2});
  const Attribute nan = attr("replaced_value_float", kNaN);
  check_rows({
      {"an offset and a scale a feature",
       call("Scaler", {x}, {attr_floats("offset", {1, 2}), attr_floats("scale", {2, .5f})}),
       f32({3, 2}, {0, 0, -4, -.75f, -1.5f, -1.375f})},
      {"one for all, integers",
       call("Scaler", {i64({1, 2}, {3, 4})}, {attr_floats("offset", {1}), attr_floats("scale", {.5f})}),
       f32({1, 2}, {1, 1.5f})},
      {"MAX", call("Normalizer", {m}, {attr("norm", "MAX")}), f32({3, 2}, {1, -1.3333334f, 0, 0, 1, 2})},
      {"L1", call("Normalizer", {m}, {attr("norm", "L1")}),
       f32({3, 2}, {.42857143f, -.5714286f, 0, 0, -.33333334f, -.66666669f})},
      {"L2", call("Normalizer", {m}, {attr("norm", "L2")}),
       f32({3, 2}, {.6f, -.8f, 0, 0, -.44721359f, -.89442718f}), 1e-6},
      {"no features", call("Normalizer", {f32({2, 0}, {})}, {}), f32({2, 0}, {})},
      {"Binarizer", call("Binarizer", {i32({4}, {-1, 0, 1, 2})}, {attr("threshold", .5f)}),
       i32({4}, {0, 0, 1, 1})},
      {"NaN replaced by feature",
       call("Imputer", {f32({2, 2}, {kNaN, 1, 2, kNaN})}, {attr_floats("imputed_value_floats", {7, 8}), nan}),
       f32({2, 2}, {7, 1, 2, 8})},
      {"an integer replaced",
       call("Imputer", {i64({2, 2}, {0, 1, 2, 0})}, {attr_ints("imputed_value_int64s", {7})}),
       i64({2, 2}, {7, 1, 2, 7})},
      {"double", call("Imputer", {f64({2}, {kNaN, .1})}, {attr_floats("imputed_value_floats", {.5f}), nan}),
       f64({2}, {.5, .1})},
  });
  check_failures({
      {"offsets of other features", call("Scaler", {x}, {attr_floats("offset", {1, 2, 3})}),
       ErrorCode::kShape},
      {"a norm of no name", call("Normalizer", {x}, {attr("norm", "L3")}), ErrorCode::kModel},
      {"no imputed values", call("Imputer", {x}, {}), ErrorCode::kModel},
      {"integers for floats", call("Imputer", {x}, {attr_ints("imputed_value_int64s", {1})}),
       ErrorCode::kModel},
  });
}

TEST_CASE("LabelEncoder and CategoryMapper") {
  const Tensor words = strings({3}, {"a", "q", "b"}), numbers = i64({3}, {1, 7, 0});
  const Attribute classes = attr_strings("classes_strings", {"a", "b"});
  check_rows({
      {"opset 1, strings to numbers", call("LabelEncoder", {words}, {classes, attr("default_int64", 9)}, 1),
       i64({3}, {0, 9, 1})},
      {"opset 1, numbers to strings", call("LabelEncoder", {numbers}, {classes}, 1),
       strings({3}, {"b", "_Unused", "a"})},
      {"floats to strings",
       call("LabelEncoder", {f32({3}, {1.5f, 2.5f, 0})},
            {attr_floats("keys_floats", {1.5f, 2.5f}), attr_strings("values_strings", {"u", "v"}),
             attr("default_string", "?")},
            2),
       strings({3}, {"u", "v", "?"})},
      {"NaN and -0 as keys; of equal keys the last",
       call("LabelEncoder", {f32({3}, {kNaN, 0, 3})},
            {attr_floats("keys_floats", {3, kNaN, -0.f, 3}), attr_ints("values_int64s", {1, 2, 3, 4})}, 4),
       i64({3}, {2, 3, 4})},
      {"int16 to double by tensors",
       call("LabelEncoder", {make(DType::kInt16, {2, 1}, {-5, 6})},
            {attr("keys_tensor", make(DType::kInt16, {1}, {-5})), attr("values_tensor", f64({1}, {.1})),
             attr("default_tensor", f64({1}, {-2}))},
            4),
       f64({2, 1}, {.1, -2})},
      {"default of a float",
       call("LabelEncoder", {words}, {attr_strings("keys_strings", {"b"}), attr_floats("values_floats", {2})},
            2),
       f32({3}, {-0.f, -0.f, 2})},
      {"CategoryMapper",
       call("CategoryMapper", {words},
            {attr_strings("cats_strings", {"a", "b"}), attr_ints("cats_int64s", {5, 6}),
             attr("default_int64", 9)}),
       i64({3}, {5, 9, 6})},
      {"CategoryMapper, the other way",
       call("CategoryMapper", {i64({2}, {6, 1})},
            {attr_strings("cats_strings", {"a", "b"}), attr_ints("cats_int64s", {5, 6}),
             attr("default_string", "z")}),
       strings({2}, {"b", "z"})},
  });
  check_failures({
      {"more keys than values",
       call("LabelEncoder", {words},
            {attr_strings("keys_strings", {"a", "b"}), attr_ints("values_int64s", {1})}, 2),
       ErrorCode::kModel},
      {"two kinds of keys",
       call("LabelEncoder", {words},
            {attr_strings("keys_strings", {"a"}), attr_ints("keys_int64s", {1}),
             attr_ints("values_int64s", {1})},
            2),
       ErrorCode::kModel},
      {"no keys", call("LabelEncoder", {words}, {attr_ints("values_int64s", {1})}, 2), ErrorCode::kModel},
      {"input of another type",
       call("LabelEncoder", {words}, {attr_ints("keys_int64s", {1}), attr_ints("values_int64s", {1})}, 2),
       ErrorCode::kModel},
      {"a default of several elements",
       call("LabelEncoder", {words},
            {attr_strings("keys_strings", {"a"}), attr_ints("values_int64s", {1}),
             attr("default_tensor", i64({0}, {}))},
            4),
       ErrorCode::kModel},
      {"a default of another type",
       call("LabelEncoder", {words},
            {attr_strings("keys_strings", {"a"}), attr_ints("values_int64s", {1}),
             attr("default_tensor", f32({1}, {1}))},
            4),
       ErrorCode::kModel},
  });
}

TEST_CASE("OneHotEncoder, ArrayFeatureExtractor, FeatureVectorizer") {
  const Attribute cats = attr_ints("cats_int64s", {1, 2, 3});
  const Tensor a = f32({2, 2}, {1, 2, 3, 4}), b = f32({2, 1}, {5, 6});
  check_rows({
      {"categories, one unknown", call("OneHotEncoder", {i64({2, 2}, {1, 3, 2, 9})}, {cats}),
       f32({2, 2, 3}, {1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0})},
      {"fractions cut off", call("OneHotEncoder", {f32({2}, {1.9f, 3})}, {cats}),
       f32({2, 3}, {1, 0, 0, 0, 0, 1})},
      {"strings",
       call("OneHotEncoder", {strings({2}, {"b", "z"})}, {attr_strings("cats_strings", {"a", "b"})}),
       f32({2, 2}, {0, 1, 0, 0})},
      {"columns", call("ArrayFeatureExtractor", {a, i64({1, 3}, {1, 0, 1})}, {}),
       f32({2, 3}, {2, 1, 2, 4, 3, 4})},
      {"a vector becomes a row", call("ArrayFeatureExtractor", {f32({3}, {1, 2, 3}), i64({2}, {2, 0})}, {}),
       f32({1, 2}, {3, 1})},
      {"strings of three dims",
       call("ArrayFeatureExtractor", {strings({1, 2, 2}, {"a", "b", "c", "d"}), i64({1}, {1})}, {}),
       strings({1, 2, 1}, {"b", "d"})},
      {"side by side", call("FeatureVectorizer", {a, b}, {attr_ints("inputdimensions", {2, 1})}),
       f32({2, 3}, {1, 2, 5, 3, 4, 6})},
      {"cut off and filled up", call("FeatureVectorizer", {a, b}, {attr_ints("inputdimensions", {1, 3})}),
       f32({2, 4}, {1, 5, 0, 0, 3, 6, 0, 0})},
      {"integers without dimensions", call("FeatureVectorizer", {i32({2}, {1, 2}), i32({1}, {3})}, {}),
       f32({1, 3}, {1, 2, 3})},
  });
  check_failures({
      {"unknown and not allowed", call("OneHotEncoder", {i64({1}, {9})}, {cats, attr("zeros", 0)}),
       ErrorCode::kInvalidArgument},
      {"no categories", call("OneHotEncoder", {i64({1}, {9})}, {attr_ints("cats_int64s", {})}),
       ErrorCode::kModel},
      {"strings among numbers", call("OneHotEncoder", {strings({1}, {"a"})}, {cats}), ErrorCode::kModel},
      {"an index beyond", call("ArrayFeatureExtractor", {a, i64({1}, {2})}, {}), ErrorCode::kShape, "2"},
      {"a negative index", call("ArrayFeatureExtractor", {a, i64({1}, {-1})}, {}), ErrorCode::kShape},
      {"no indices", call("ArrayFeatureExtractor", {a, i64({0}, {})}, {}), ErrorCode::kShape},
      {"a scalar", call("ArrayFeatureExtractor", {f32({}, {1}), i64({1}, {0})}, {}), ErrorCode::kShape},
      {"other rows", call("FeatureVectorizer", {a, f32({3, 1}, {1, 2, 3})}, {}), ErrorCode::kShape},
      {"a negative width", call("FeatureVectorizer", {a, b}, {attr_ints("inputdimensions", {2, -1})}),
       ErrorCode::kModel},
      {"widths that overflow",
       call("FeatureVectorizer", {a, b}, {attr_ints("inputdimensions", {INT64_MAX, INT64_MAX})}),
       ErrorCode::kModel},
  });
}

TEST_CASE("Maps") {
  const Tensor scores = f32({2, 2}, {.25f, .75f, 1, 0}), labels = strings({2}, {"no", "yes"});
  const auto zipped = run_op(call("ZipMap", {scores}, {attr_strings("classlabels_strings", {"no", "yes"})}));
  REQUIRE(zipped[0].items().size() == 2);
  for (size_t row = 0; row < 2; ++row) {
    const auto parts = zipped[0].items()[row].items();
    CHECK(difference(parts[0], labels) == "");
    CHECK(difference(parts[1],
                     f32({2}, {scores.data<float>()[row * 2], scores.data<float>()[row * 2 + 1]})) == "");
  }
  const Tensor counts = Tensor::map(strings({3}, {"c", "a", "q"}), i64({3}, {8, 4, 5}));
  const Tensor sparse = Tensor::map(i64({3}, {3, 1, 9}), f32({3}, {2.5f, 1, 7}));
  const Tensor texts = Tensor::map(i64({2}, {1, 0}), strings({2}, {"2", "-3.5"}));
  check_rows({
      {"DictVectorizer",
       call("DictVectorizer", {counts}, {attr_strings("string_vocabulary", {"a", "c", "b", "z"})}),
       i64({1, 4}, {4, 8, 0, 0})},
      {"integer keys", call("DictVectorizer", {texts}, {attr_ints("int64_vocabulary", {1, 2})}),
       strings({1, 2}, {"2", ""})},
      {"CastMap in the order of keys", call("CastMap", {sparse}, {}), f32({1, 3}, {1, 2.5f, 7})},
      {"CastMap by key",
       call("CastMap", {sparse},
            {attr("map_form", "SPARSE"), attr("max_map", 5), attr("cast_to", "TO_INT64")}),
       i64({1, 5}, {0, 1, 0, 2, 0})},
      {"numbers as texts", call("CastMap", {sparse}, {attr("cast_to", "TO_STRING")}),
       strings({1, 3}, {"1.000000", "2.500000", "7.000000"})},
      {"texts as numbers", call("CastMap", {texts}, {}), f32({1, 2}, {-3.5f, 2})},
  });
  check_failures({
      {"labels of other columns", call("ZipMap", {scores}, {attr_ints("classlabels_int64s", {1})}),
       ErrorCode::kShape},
      {"no labels", call("ZipMap", {scores}, {}), ErrorCode::kModel},
      {"no map", call("CastMap", {scores}, {}), ErrorCode::kModel},
      {"a map of strings", call("CastMap", {counts}, {}), ErrorCode::kModel},
      {"a negative key",
       call("CastMap", {Tensor::map(i64({1}, {-1}), f32({1}, {1}))}, {attr("map_form", "SPARSE")}),
       ErrorCode::kShape},
      {"no number", call("CastMap", {Tensor::map(i64({1}, {1}), strings({1}, {"x"}))}, {}),
       ErrorCode::kInvalidArgument},
      {"keys of another type", call("DictVectorizer", {counts}, {attr_ints("int64_vocabulary", {1})}),
       ErrorCode::kModel},
      {"two vocabularies",
       call("DictVectorizer", {counts},
            {attr_ints("int64_vocabulary", {1}), attr_strings("string_vocabulary", {"a"})}),
       ErrorCode::kModel},
      {"keys and values of different lengths",
       call("DictVectorizer", {Tensor::map(i64({2}, {1, 2}), f32({1}, {1}))},
            {attr_ints("int64_vocabulary", {1})}),
       ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
