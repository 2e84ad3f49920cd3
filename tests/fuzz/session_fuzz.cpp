// A deterministic fuzzer of whole sessions: small models with changed numbers, names and types are loaded and
// run, with the passes and without. They give the same results, or are refused with an Error that is not
// kInternal.

#include <cmath>
#include <limits>
#include <random>

#include <kinglet/session.hpp>

#include "session_models.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  /// Below `limit`, which is not 0. std::uniform_int_distribution differs between libraries.
  size_t below(size_t limit) { return random_() % limit; }

  void mutate(FuzzGraph& g) {
    // A body is as likely to change as what is around it.
    for (FuzzNode& n : g.nodes) {
      for (FuzzAttribute& a : n.attributes) {
        auto* body = std::get_if<std::shared_ptr<FuzzGraph>>(&a.value);
        if (body == nullptr || below(2) == 0) continue;
        *body = std::make_shared<FuzzGraph>(**body);
        return mutate(**body);
      }
    }
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return mutate(pick(pick(g.nodes).attributes), g);
      case 3:
        return mutate_elements(pick(g.constants));
      case 4:
        return mutate_dims(pick(g.constants));
      case 5:
        return mutate(pick(g.inputs));
      case 6:
        return mutate(pick(g.nodes), g);
      default:
        g.opset = static_cast<int64_t>(1 + below(24));
    }
  }

 private:
  /// An element of `v`, or one of its own when there is none.
  template <class T>
  T& pick(std::vector<T>& v) {
    static T nothing;
    return v.empty() ? nothing : v[below(v.size())];
  }

  /// Nothing between 40 and 2^60: products are either small, or refused before anything of that size is made.
  int64_t number() {
    static constexpr int64_t kNumbers[] = {
        0,         1,        2, 3, 4, 5, 7, 40, -1, -2, -3, -5, -40, int64_t{1} << 60, -(int64_t{1} << 60),
        INT64_MAX, INT64_MIN};
    return kNumbers[below(std::size(kNumbers))];
  }

  void mutate_list(std::vector<int64_t>& v) {
    if (v.empty() || below(5) == 0) return v.push_back(number());
    if (below(5) == 0) return v.pop_back();
    v[below(v.size())] = number();
  }

  void mutate(FuzzAttribute& a, FuzzGraph& g) {
    static const float kFloats[] = {0, -1, 0.5f, 3, 1e30f, -1e30f, 1e-30f, INFINITY, -INFINITY, NAN};
    static const Strings kStrings = {"",
                                     "VALID",
                                     "SAME_LOWER",
                                     "forward",
                                     "reverse",
                                     "Relu",
                                     "ScaledTanh",
                                     "linear",
                                     "cubic",
                                     "asymmetric",
                                     "align_corners",
                                     "tf_crop_and_resize",
                                     "pytorch_half_pixel",
                                     "ceil",
                                     "reflect",
                                     "wrap",
                                     "mul",
                                     "max",
                                     "DCR",
                                     "tanh"};
    if (below(12) == 0) {
      FuzzNode& n = pick(g.nodes);
      if (!n.attributes.empty()) n.attributes.pop_back();
      return;
    }
    if (auto* i = std::get_if<int64_t>(&a.value)) *i = number();
    if (auto* f = std::get_if<float>(&a.value)) *f = kFloats[below(std::size(kFloats))];
    if (auto* s = std::get_if<std::string>(&a.value)) *s = kStrings[below(kStrings.size())];
    if (auto* v = std::get_if<FuzzAttribute::Ints>(&a.value)) mutate_list(*v);
    if (auto* v = std::get_if<FuzzAttribute::Floats>(&a.value))
      v->push_back(kFloats[below(std::size(kFloats))]);
    if (auto* v = std::get_if<Strings>(&a.value)) pick(*v) = kStrings[below(kStrings.size())];
  }

  int64_t type() {
    static constexpr int64_t kTypes[] = {1, 1, 7, 6, 9, 10, 11, 2, 3};
    return kTypes[below(std::size(kTypes))];
  }

  void mutate_elements(FuzzConstant& c) {
    if (below(6) == 0) {
      c.type = type();
    } else if (!c.values.empty()) {
      // Huge weights would leave the results to rounding; huge scales are to be refused.
      const int64_t v = number();
      c.values[below(c.values.size())] = c.type == 1 && c.name != "scales" ? v % 64 : v;
    }
  }

  void mutate_dims(FuzzConstant& c) { mutate_list(c.dims); }

  void mutate(FuzzInput& i) {
    static const Strings kDims = {"0", "1", "2", "3", "7", "n", "k", "?"};
    if (below(5) == 0) {
      i.type = type();
    } else if (i.dims.empty() || below(4) == 0) {
      i.dims.push_back(kDims[below(kDims.size())]);
    } else if (below(4) == 0) {
      i.dims.pop_back();
    } else {
      i.dims[below(i.dims.size())] = kDims[below(kDims.size())];
    }
  }

  void mutate(FuzzNode& n, FuzzGraph& g) {
    if (n.op == "Loop") return;
    switch (below(4)) {
      case 0:
        if (!n.inputs.empty()) n.inputs.pop_back();
        break;
      case 1:
        pick(n.inputs) = "";
        break;
      case 2:
        std::swap(pick(n.inputs), pick(n.inputs));
        break;
      default:
        if (const FuzzNode& other = pick(g.nodes); other.op != "Loop" && other.op != "If") n.op = other.op;
    }
  }

  std::mt19937 random_;
};

/// Small elements for an input of a model; a name or unknown dim gets 1 to 3.
Tensor feed_for(const ValueDescription& d, uint32_t seed) {
  std::mt19937 random(seed);
  Shape shape;
  for (const ValueDescription::Dim& dim : d.dims) {
    shape.push_back(dim.value >= 0 ? dim.value : 1 + static_cast<int64_t>((seed + dim.name.size()) % 3));
  }
  if (shape.count() > 4096) throw Error(ErrorCode::kShape, "too large to be fed");
  Tensor t(d.type.dtype == DType::kUndefined ? DType::kFloat32 : d.type.dtype, shape);
  dispatch(t.dtype(), NumericAndBoolTypes{}, [&]<class T>() {
    for (size_t i = 0; i < t.count(); ++i) {
      const auto v = static_cast<int>(random() % 17);
      if constexpr (std::is_same_v<T, bool>) {
        t.data<T>()[i] = v % 2 != 0;
      } else if constexpr (std::is_integral_v<T>) {
        t.data<T>()[i] = static_cast<T>(v % 4);
      } else {
        t.data<T>()[i] = T(static_cast<float>(v - 8) / 4);
      }
    }
  });
  return t;
}

struct Outcome {
  std::vector<Tensor> outputs;  ///< of the second run
  std::string error;            ///< "" when it ran
  std::string broken;           ///< an error that must not be
  std::string graph;
};

Outcome run_model(const Bytes& file, bool optimize, uint32_t seed) {
  Outcome out;
  try {
    Session session = Session::load(model_bytes(file), {.optimize = optimize, .external_data = {}});
    out.graph = session.describe();
    std::vector<Feed> feeds;
    for (const ValueDescription& d : session.inputs()) feeds.push_back({d.name, feed_for(d, seed)});
    session.run(feeds);
    for (const Tensor& t : session.run(feeds)) out.outputs.push_back(t.clone());
  } catch (const Error& e) {
    out.error = e.message;
    if (e.code == ErrorCode::kInternal || e.message.empty())
      out.broken = "an error of another kind: " + e.message;
  }
  return out;
}

/// "" when both are the same, or where rounding at the edges of float32 decides.
std::string disagreement(const std::vector<Tensor>& got, const std::vector<Tensor>& want) {
  for (size_t o = 0; o < want.size(); ++o) {
    if (got[o].dtype() != want[o].dtype() || !(got[o].shape() == want[o].shape())) {
      return text("output {} is {}{}, without passes {}{}", o, got[o].dtype(), got[o].shape(),
                  want[o].dtype(), want[o].shape());
    }
    if (!is_float(want[o].dtype())) continue;
    double largest = 1, worst = 0;
    bool tame = true;
    dispatch(want[o].dtype(), FloatTypes{}, [&]<class T>() {
      for (size_t i = 0; i < want[o].count(); ++i) {
        const auto a = static_cast<double>(got[o].data<T>()[i]),
                   b = static_cast<double>(want[o].data<T>()[i]);
        tame = tame && std::abs(b) < 1e6;
        largest = std::max(largest, std::abs(b));
        worst = std::max(worst, std::isnan(a) ? INFINITY : std::abs(a - b));
      }
    });
    if (tame && worst > 5e-3 * largest) return text("output {} differs by {} of {}", o, worst, largest);
  }
  return "";
}

}  // namespace

TEST_CASE("the models of the session fuzzer run as they are", "[fuzz]") {
  size_t index = 0;
  for (const FuzzGraph& g : fuzz_models()) {
    CAPTURE(index++, g.nodes[0].op);
    for (const bool optimize : {false, true}) CHECK(run_model(write_model(g), optimize, 1).error == "");
  }
}

TEST_CASE("changed models run the same with the passes as without, or are refused", "[fuzz]") {
  constexpr uint32_t kModels = 12000;
  const std::vector<FuzzGraph> models = fuzz_models();
  size_t ran = 0, refused = 0;
  std::vector<std::string> broken;
  for (uint32_t seed = 0; seed < kModels && broken.size() < 20; ++seed) {
    Mutator mutator(seed);
    const size_t index = seed % models.size();
    FuzzGraph g = models[index];
    const size_t rounds = 1 + mutator.below(3);
    for (size_t i = 0; i < rounds; ++i) mutator.mutate(g);
    CAPTURE(seed);
    const Bytes file = write_model(g);
    const Outcome plain = run_model(file, false, seed), optimized = run_model(file, true, seed);
    ++(plain.error.empty() ? ran : refused);
    std::string problem = plain.broken.empty() ? optimized.broken : plain.broken;
    if (plain.error.empty() && problem.empty()) {
      problem = optimized.error.empty() ? disagreement(optimized.outputs, plain.outputs)
                                        : "with passes: " + optimized.error;
      if (!problem.empty()) problem += text("\n{}became\n{}", plain.graph, optimized.graph);
    }
    if (!problem.empty()) broken.push_back(text("seed {}: {}", seed, problem));
  }
  for (const std::string& problem : broken) UNSCOPED_INFO(problem);
  CHECK(broken.empty());
  CHECK(ran > kModels / 5);
  CHECK(refused > kModels / 5);
}
