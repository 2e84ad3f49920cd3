// Linear models and support vector machines; the expected values are those of ONNX Runtime.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

constexpr const char* kMl = "ai.onnx.ml";

OpCall call(const char* op, Tensor x, std::vector<Attribute> attributes, size_t outputs = 1) {
  return {.op = op,
          .opset = 1,
          .attributes = std::move(attributes),
          .inputs = {std::move(x)},
          .outputs = outputs,
          .domain = kMl};
}

std::vector<Attribute> with(std::vector<Attribute> attributes, std::vector<Attribute> more) {
  attributes.insert(attributes.end(), more.begin(), more.end());
  return attributes;
}

const Tensor kX = f32({3, 2}, {1, 2, -1, .5f, .25f, -.75f});

}  // namespace

TEST_CASE("Linear models") {
  const std::vector<Attribute> three = {attr_floats("coefficients", {.5f, -1, .25f, 2, -.5f, 1}),
                                        attr_floats("intercepts", {.1f, -.2f, .3f}),
                                        attr_ints("classlabels_ints", {10, 20, 30})};
  const std::vector<Attribute> one = {attr_floats("coefficients", {.5f, -1}),
                                      attr_floats("intercepts", {.1f}),
                                      attr_strings("classlabels_strings", {"no", "yes"})};
  const Tensor labels = i64({3}, {20, 30, 10}), answers = strings({3}, {"no", "no", "yes"});
  const auto classifier = [](std::vector<Attribute> base, const char* transform, Tensor x = kX) {
    return call("LinearClassifier", x, with(std::move(base), {attr("post_transform", transform)}), 2);
  };
  check_rows({
      {"three classes",
       classifier(three, "NONE"),
       {labels, f32({3, 3}, {-1.4f, 4.05f, 1.8f, -.9f, .55f, 1.3f, .975f, -1.6375f, -.575f})},
       1e-6},
      {"LOGISTIC",
       classifier(three, "LOGISTIC"),
       {labels, f32({3, 3}, {.1978161f, .98287594f, .85814893f, .28905052f, .6341356f, .78583491f, .72611499f,
                             .16280553f, .36008391f})},
       1e-6},
      {"SOFTMAX",
       classifier(three, "SOFTMAX"),
       {labels, f32({3, 3}, {.0038716053f, .90114808f, .094980285f, .069988191f, .29836762f, .63164425f,
                             .77784759f, .057055838f, .16509658f})},
       1e-6},
      {"one score and two labels",
       classifier(one, "NONE"),
       {answers, f32({3, 2}, {2.4f, -1.4f, 1.9f, -.9f, .025f, .975f})},
       1e-6},
      {"one score and two labels, LOGISTIC",
       classifier(one, "LOGISTIC"),
       {answers, f32({3, 2}, {.80218393f, .19781607f, .71094948f, .28905052f, .27388501f, .72611499f})},
       1e-6},
      {"a row without a batch",
       classifier(three, "NONE", f32({2}, {1, 2})),
       {i64({1}, {20}), f32({1, 3}, {-1.4f, 4.05f, 1.8f})},
       1e-6},
      {"integers",
       classifier(three, "NONE", i64({1, 2}, {1, 2})),
       {i64({1}, {20}), f32({1, 3}, {-1.4f, 4.05f, 1.8f})},
       1e-6},
      {"no rows", classifier(three, "SOFTMAX", f32({0, 2}, {})), {i64({0}, {}), f32({0, 3}, {})}},
      {"regression to two targets",
       call("LinearRegressor", kX,
            {attr_floats("coefficients", {.5f, -1, .25f, 2}), attr_floats("intercepts", {.1f, -.2f}),
             attr("targets", 2)}),
       f32({3, 2}, {-1.4f, 4.05f, -.9f, .55f, .975f, -1.6375f}), 1e-6},
      {"SOFTMAX over targets",
       call("LinearRegressor", kX,
            {attr_floats("coefficients", {.5f, -1, .25f, 2}), attr("targets", 2),
             attr("post_transform", "SOFTMAX")}),
       f32({3, 2}, {.0031726828f, .9968273f, .14804719f, .85195273f, .90990698f, .090092994f}), 1e-6},
      {"PROBIT",
       call("LinearRegressor", f32({1, 2}, {.1f, .2f}),
            {attr_floats("coefficients", {1, 1}), attr_floats("intercepts", {.1f}),
             attr("post_transform", "PROBIT")}),
       f32({1, 1}, {-.25335351f}), 1e-5},
  });
  check_failures({
      {"more scores than labels",
       call("LinearClassifier", kX,
            {attr_floats("coefficients", {1, 1, 1, 1}), attr_floats("intercepts", {0, 0}),
             attr_ints("classlabels_ints", {1})},
            2),
       ErrorCode::kModel},
      {"labels of both kinds", classifier(with(one, {attr_ints("classlabels_ints", {1, 2})}), "NONE"),
       ErrorCode::kModel},
      {"coefficients that do not divide",
       call("LinearRegressor", kX, {attr_floats("coefficients", {1, 2, 3}), attr("targets", 2)}),
       ErrorCode::kModel},
      {"absurdly many targets",
       call("LinearRegressor", kX, {attr_floats("coefficients", {1}), attr("targets", INT64_MAX)}),
       ErrorCode::kModel},
      {"negative targets",
       call("LinearRegressor", kX, {attr_floats("coefficients", {1}), attr("targets", -1)}),
       ErrorCode::kModel},
      {"an unknown transform", classifier(three, "CUBIC"), ErrorCode::kModel, "CUBIC"},
      {"other features", classifier(three, "NONE", f32({1, 3}, {1, 2, 3})), ErrorCode::kShape, "3 features"},
      {"three dims", classifier(three, "NONE", f32({1, 1, 2}, {1, 2})), ErrorCode::kShape},
  });
}

TEST_CASE("Support vector machines") {
  const std::vector<Attribute> vectors = {attr_floats("support_vectors", {1, 0, 0, 1, -1, .5f, .5f, .5f})};
  const std::vector<Attribute> two =
      with(vectors, {attr_floats("coefficients", {1, -.5f, .25f, -1}), attr_ints("vectors_per_class", {2, 2}),
                     attr_floats("rho", {.1f}), attr_floats("kernel_params", {.5f, .25f, 2}),
                     attr_ints("classlabels_ints", {0, 1})});
  const std::vector<Attribute> three =
      with(vectors, {attr_floats("coefficients", {1, -.5f, .25f, -1, .5f, .75f, -.25f, 1}),
                     attr_ints("vectors_per_class", {1, 2, 1}), attr_floats("rho", {.1f, -.2f, .3f}),
                     attr_floats("kernel_params", {.5f, .25f, 3}),
                     attr_strings("classlabels_strings", {"a", "b", "c"}), attr("kernel_type", "RBF")});
  const std::vector<Attribute> regression =
      with(vectors, {attr_floats("coefficients", {1, -.5f, .25f, -1}), attr("n_supports", 4),
                     attr_floats("rho", {.1f}), attr_floats("kernel_params", {.5f, .25f, 2})});
  const auto classifier = [](std::vector<Attribute> base, std::vector<Attribute> more) {
    return call("SVMClassifier", kX, with(std::move(base), std::move(more)), 2);
  };
  const auto regressor = [](std::vector<Attribute> base, std::vector<Attribute> more) {
    return call("SVMRegressor", kX, with(std::move(base), std::move(more)));
  };
  const Tensor labels = i64({3}, {1, 1, 0});
  check_rows({
      {"LINEAR",
       classifier(two, {attr("kernel_type", "LINEAR")}),
       {labels, f32({3, 2}, {1.4f, -1.4f, .5875f, -.5875f, -.81875f, .81875f})},
       1e-6},
      {"POLY",
       classifier(two, {attr("kernel_type", "POLY")}),
       {i64({3}, {1, 0, 0}),
        f32({3, 2}, {1.103125f, -1.103125f, -.21328124f, .21328124f, -.21816406f, .21816406f})},
       1e-6},
      {"RBF",
       classifier(two, {attr("kernel_type", "RBF")}),
       {labels, f32({3, 2}, {.22412501f, -.22412501f, .12285022f, -.12285022f, -.1736327f, .1736327f})},
       1e-6},
      {"SIGMOID",
       classifier(two, {attr("kernel_type", "SIGMOID")}),
       {labels, f32({3, 2}, {.38935733f, -.38935733f, .32435381f, -.32435381f, -.38057622f, .38057622f})},
       1e-6},
      {"LOGISTIC of a decision",
       classifier(two, {attr("kernel_type", "RBF"), attr("post_transform", "LOGISTIC")}),
       {labels, f32({3, 2}, {.55579787f, .44420213f, .53067398f, .46932602f, .45670056f, .54329944f})},
       1e-6},
      {"probabilities of two classes",
       classifier(
           two, {attr("kernel_type", "RBF"), attr_floats("prob_a", {-1.5f}), attr_floats("prob_b", {.25f})}),
       {labels, f32({3, 2}, {.35386133f, .64613861f, .39194101f, .60805893f, .5f, .5f})},
       1e-5},
      {"three classes",
       classifier(three, {}),
       {strings({3}, {"a", "a", "a"}),
        f32({3, 3}, {.062379792f, -.41883716f, .85143018f, .20180225f, -.46493599f, .77609861f, .61738002f,
                     -.3588559f, .848553f})},
       1e-6},
      {"probabilities of three classes",
       classifier(three, {attr_floats("prob_a", {-1.5f, -2, -1}), attr_floats("prob_b", {.25f, 0, .5f})}),
       {strings({3}, {"a", "a", "a"}), f32({3, 3}, {.23854624f, .402473f, .3589808f, .24387828f, .37391165f,
                                                    .38221008f, .31434739f, .30836576f, .37728685f})},
       1e-5},
      {"no support vectors",
       classifier({attr_floats("coefficients", {.5f, -1, .25f, 2, -.5f, 1}), attr_floats("rho", {.1f}),
                   attr_ints("classlabels_ints", {5, 6, 7})},
                  {}),
       {i64({3}, {6, 7, 5}), f32({3, 3}, {-1.4f, 4.35f, 1.6f, -.9f, .85f, 1.1f, .975f, -1.3375f, -.775f})},
       1e-6},
      {"regression", regressor(regression, {attr("kernel_type", "POLY")}),
       f32({3, 1}, {-1.103125f, .21328124f, .21816406f}), 1e-6},
      {"one class", regressor(regression, {attr("kernel_type", "RBF"), attr("one_class", 1)}),
       f32({3, 1}, {-1, -1, 1})},
      {"regression without support vectors",
       regressor({attr_floats("coefficients", {1, -.5f}), attr_floats("rho", {.1f})}, {}),
       f32({3, 1}, {.1f, -1.15f, .725f}), 1e-6},
  });
  const auto changed = [&](Attribute a) {
    std::vector<Attribute> attributes = two;
    for (Attribute& old : attributes) {
      if (old.name == a.name) old = a;
    }
    return call("SVMClassifier", kX, std::move(attributes), 2);
  };
  check_failures({
      {"too few coefficients", changed(attr_floats("coefficients", {1, 2, 3})), ErrorCode::kModel},
      {"vectors that do not divide", changed(attr_floats("support_vectors", {1, 2, 3, 4, 5})),
       ErrorCode::kModel},
      {"no rho", changed(attr_floats("rho", {})), ErrorCode::kModel},
      {"vectors of one class only", changed(attr_ints("vectors_per_class", {4})), ErrorCode::kModel},
      {"negative counts", changed(attr_ints("vectors_per_class", {5, -1})), ErrorCode::kModel},
      {"counts that overflow", changed(attr_ints("vectors_per_class", {INT64_MAX, INT64_MAX})),
       ErrorCode::kModel},
      {"a kernel of no name", classifier(two, {attr("kernel_type", "WAVELET")}), ErrorCode::kModel,
       "WAVELET"},
      {"one half of the probabilities", classifier(two, {attr_floats("prob_a", {1})}), ErrorCode::kModel},
      {"fewer coefficients than supports",
       regressor({attr_floats("coefficients", {1}), attr("n_supports", 5), attr_floats("rho", {0})}, {}),
       ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
