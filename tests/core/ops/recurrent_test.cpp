// RNN, GRU and LSTM against the equations of the ONNX operators in double precision.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

using Strings = std::vector<std::string>;

struct Options {
  std::string label;
  std::string direction = "forward";
  bool bias = true, lengths = false, initial = false, peepholes = false, layout = false,
       linear_before_reset = false, input_forget = false;
  float clip = 0;
  Strings activations = {};
  DType type = DType::kFloat32;
};

// Of these sizes LSTM has weights of whole panels, which are packed in place, RNN and GRU have not.
constexpr size_t kSeq = 4, kBatch = 3, kInput = 5, kHidden = 6;

double activate(const std::string& name, double x) {
  if (name == "Tanh") return std::tanh(x);
  if (name == "Relu") return std::max(0.0, x);
  if (name == "Softsign") return x / (1 + std::abs(x));
  if (name == "Softplus") return std::log1p(std::exp(x));
  if (name == "HardSigmoid") return std::clamp(0.2 * x + 0.5, 0.0, 1.0);
  if (name == "Elu") return x < 0 ? std::expm1(x) : x;
  if (name == "LeakyRelu") return x < 0 ? 0.01 * x : x;
  return 1 / (1 + std::exp(-x));
}

using Vector = std::vector<double>;

/// One direction's weights: W [gates * hidden, input], R [gates * hidden, hidden], biases [gates * hidden], P
/// [3 * hidden].
struct Weights {
  Vector w, r, wb, rb, p;
  /// W x of gate g, unit u.
  double from_x(size_t g, size_t u, const Vector& x) const {
    double sum = wb.empty() ? 0 : wb[g * kHidden + u];
    for (size_t i = 0; i < kInput; ++i) sum += w[(g * kHidden + u) * kInput + i] * x[i];
    return sum;
  }
  double from_h(size_t g, size_t u, const Vector& h) const {
    double sum = rb.empty() ? 0 : rb[g * kHidden + u];
    for (size_t i = 0; i < kHidden; ++i) sum += r[(g * kHidden + u) * kHidden + i] * h[i];
    return sum;
  }
};

struct State {
  Vector h, c;
};

State step(const std::string& op, const Options& o, const Strings& f, const Weights& w, const Vector& x,
           const State& s) {
  const auto limit = [&](double v) {
    return o.clip > 0 ? std::clamp(v, -static_cast<double>(o.clip), static_cast<double>(o.clip)) : v;
  };
  const auto gate = [&](size_t g, size_t u, size_t a, double more = 0) {
    return activate(f[a], limit(w.from_x(g, u, x) + w.from_h(g, u, s.h) + more));
  };
  const auto peephole = [&](size_t g, size_t u, const Vector& c) {
    return w.p.empty() ? 0 : w.p[g * kHidden + u] * c[u];
  };
  State out = s;
  Vector reset(kHidden), reset_h(kHidden);
  for (size_t u = 0; op == "GRU" && u < kHidden; ++u) {
    reset[u] = gate(1, u, 0);
    reset_h[u] = reset[u] * s.h[u];
  }
  for (size_t u = 0; u < kHidden; ++u) {
    if (op == "RNN") {
      out.h[u] = gate(0, u, 0);
    } else if (op == "GRU") {
      const double z = gate(0, u, 0);
      const double from_h = o.linear_before_reset ? reset[u] * w.from_h(2, u, s.h) : w.from_h(2, u, reset_h);
      out.h[u] = (1 - z) * activate(f[1], limit(w.from_x(2, u, x) + from_h)) + z * s.h[u];
    } else {
      const double i = gate(0, u, 0, peephole(0, u, s.c));
      const double forget = o.input_forget ? 1 - i : gate(2, u, 0, peephole(2, u, s.c));
      out.c[u] = forget * s.c[u] + i * gate(3, u, 1);
      out.h[u] = gate(1, u, 0, peephole(1, u, out.c)) * activate(f[2], out.c[u]);
    }
  }
  return out;
}

void check(const std::string& op, const Options& o) {
  INFO(op << ": " << o.label);
  const size_t gates = op == "RNN"   ? 1
                       : op == "GRU" ? 3
                                     : 4,
               rows = gates * kHidden, directions = o.direction == "bidirectional" ? 2 : 1;
  const auto d = static_cast<int64_t>(directions), seq = int64_t{kSeq}, batch = int64_t{kBatch},
             hidden = int64_t{kHidden};
  const Tensor x = numbers(o.type, o.layout ? Shape{batch, seq, kInput} : Shape{seq, batch, kInput}, 1);
  const Tensor w = numbers(o.type, {d, static_cast<int64_t>(rows), kInput}, 2),
               r = numbers(o.type, {d, static_cast<int64_t>(rows), hidden}, 3);
  const Tensor b = numbers(o.type, {d, static_cast<int64_t>(2 * rows)}, 4),
               p = numbers(o.type, {d, 3 * hidden}, 5);
  const Shape state_shape = o.layout ? Shape{batch, d, hidden} : Shape{d, batch, hidden};
  const Tensor h0 = numbers(o.type, state_shape, 6), c0 = numbers(o.type, state_shape, 7);
  const std::vector<int64_t> lengths =
      o.lengths ? std::vector<int64_t>{2, 4, 0} : std::vector<int64_t>(kBatch, seq);

  OpCall call{.op = op,
              .attributes = {attr("hidden_size", hidden), attr("direction", o.direction.c_str()),
                             attr("layout", o.layout ? 1 : 0)},
              .inputs = {x, w, r},
              .outputs = op == "LSTM" ? size_t{3} : size_t{2}};
  call.inputs.push_back(o.bias ? b : Tensor());
  call.inputs.push_back(o.lengths ? i32({3}, {2, 4, 0}) : Tensor());
  call.inputs.push_back(o.initial ? h0 : Tensor());
  if (op == "LSTM")
    call.inputs.push_back(o.initial ? c0 : Tensor()), call.inputs.push_back(o.peepholes ? p : Tensor());
  if (o.clip > 0) call.attributes.push_back(attr("clip", o.clip));
  if (o.linear_before_reset) call.attributes.push_back(attr("linear_before_reset", 1));
  if (o.input_forget) call.attributes.push_back(attr("input_forget", 1));
  if (!o.activations.empty()) call.attributes.push_back(attr_strings("activations", o.activations));

  const Strings defaults = op == "RNN"   ? Strings{"Tanh"}
                           : op == "GRU" ? Strings{"Sigmoid", "Tanh"}
                                         : Strings{"Sigmoid", "Tanh", "Tanh"};
  const Vector xs = to_doubles(x), h0s = to_doubles(h0), c0s = to_doubles(c0);
  Vector y(kSeq * directions * kBatch * kHidden, 0), y_h(directions * kBatch * kHidden, 0), y_c = y_h;
  for (size_t dir = 0; dir < directions; ++dir) {
    const auto part = [&](const Tensor& t, size_t count, size_t offset = 0, size_t stride = 0) {
      const Vector all = to_doubles(t);
      const size_t begin = dir * (stride == 0 ? count : stride) + offset;
      return Vector(all.begin() + static_cast<ptrdiff_t>(begin),
                    all.begin() + static_cast<ptrdiff_t>(begin + count));
    };
    Weights weights{part(w, rows * kInput), part(r, rows * kHidden), {}, {}, {}};
    if (o.bias) weights.wb = part(b, rows, 0, 2 * rows), weights.rb = part(b, rows, rows, 2 * rows);
    if (o.peepholes) weights.p = part(p, 3 * kHidden);
    Strings f = defaults;
    if (!o.activations.empty())
      f.assign(o.activations.begin() + static_cast<ptrdiff_t>(dir * defaults.size()),
               o.activations.begin() + static_cast<ptrdiff_t>((dir + 1) * defaults.size()));
    for (size_t n = 0; n < kBatch; ++n) {
      const size_t state_at = (o.layout ? n * directions + dir : dir * kBatch + n) * kHidden;
      State s{Vector(kHidden, 0), Vector(kHidden, 0)};
      if (o.initial) {
        std::copy_n(h0s.begin() + static_cast<ptrdiff_t>(state_at), kHidden, s.h.begin());
        std::copy_n(c0s.begin() + static_cast<ptrdiff_t>(state_at), kHidden, s.c.begin());
      }
      const auto length = static_cast<size_t>(lengths[n]);
      for (size_t k = 0; k < length; ++k) {
        const size_t t = dir == 1 || o.direction == "reverse" ? length - 1 - k : k;
        const size_t x_at = (o.layout ? n * kSeq + t : t * kBatch + n) * kInput;
        s = step(op, o, f, weights,
                 Vector(xs.begin() + static_cast<ptrdiff_t>(x_at),
                        xs.begin() + static_cast<ptrdiff_t>(x_at + kInput)),
                 s);
        const size_t y_at =
            (o.layout ? (n * kSeq + t) * directions + dir : (t * directions + dir) * kBatch + n) * kHidden;
        std::copy(s.h.begin(), s.h.end(), y.begin() + static_cast<ptrdiff_t>(y_at));
      }
      std::copy(s.h.begin(), s.h.end(), y_h.begin() + static_cast<ptrdiff_t>(state_at));
      std::copy(s.c.begin(), s.c.end(), y_c.begin() + static_cast<ptrdiff_t>(state_at));
    }
  }
  const std::vector<Tensor> got = run_op(call);
  const double tolerance = o.type == DType::kFloat16 ? 4e-3 : 2e-5;
  CHECK(difference(got[0],
                   make(o.type, o.layout ? Shape{batch, seq, d, hidden} : Shape{seq, d, batch, hidden}, y),
                   tolerance) == "");
  CHECK(difference(got[1], make(o.type, state_shape, y_h), tolerance) == "");
  if (op == "LSTM") CHECK(difference(got[2], make(o.type, state_shape, y_c), tolerance) == "");
}

}  // namespace

TEST_CASE("recurrent operators against their equations", "[op]") {
  for (const std::string op : {"RNN", "GRU", "LSTM"}) {
    for (const std::string direction : {"forward", "reverse", "bidirectional"}) {
      check(op, {.label = direction, .direction = direction});
      check(op, {.label = direction + ", lengths, initial states",
                 .direction = direction,
                 .lengths = true,
                 .initial = true});
      check(op, {.label = direction + ", batch first",
                 .direction = direction,
                 .lengths = true,
                 .initial = true,
                 .layout = true});
    }
    check(op, {.label = "no bias", .bias = false});
    check(op, {.label = "clip", .clip = 0.4f});
    check(op, {.label = "float16", .initial = true, .type = DType::kFloat16});
    check(op, {.label = "double", .initial = true, .type = DType::kFloat64});
  }
  check("RNN",
        {.label = "activations", .direction = "bidirectional", .activations = {"Softsign", "LeakyRelu"}});
  check("GRU", {.label = "linear_before_reset",
                .direction = "bidirectional",
                .initial = true,
                .linear_before_reset = true});
  check("GRU", {.label = "linear_before_reset, clip",
                .linear_before_reset = true,
                .clip = 0.3f,
                .activations = {"HardSigmoid", "Elu"}});
  check("LSTM", {.label = "peepholes", .direction = "bidirectional", .initial = true, .peepholes = true});
  check("LSTM", {.label = "peepholes, clip", .peepholes = true, .clip = 0.3f});
  check("LSTM", {.label = "input_forget", .initial = true, .input_forget = true});
  check("LSTM", {.label = "activations",
                 .direction = "bidirectional",
                 .activations = {"HardSigmoid", "Relu", "Softplus", "Sigmoid", "Elu", "Tanh"}});
}

TEST_CASE("parameters of gate activations go to those that take them", "[op]") {
  // One unit, W = 1, R = 0: Y is the activation of x.
  const auto call = [](Strings names, std::vector<float> alpha, std::vector<float> beta,
                       const char* direction = "forward") {
    const int64_t d = names.size() == 2 ? 2 : 1;
    return OpCall{
        .op = "RNN",
        .attributes = {attr_strings("activations", names), attr_floats("activation_alpha", std::move(alpha)),
                       attr_floats("activation_beta", std::move(beta)), attr("direction", direction)},
        .inputs = {f32({2, 1, 1}, {-2, 3}),
                   make(DType::kFloat32, {d, 1, 1}, std::vector<double>(static_cast<size_t>(d), 1)),
                   make(DType::kFloat32, {d, 1, 1}, std::vector<double>(static_cast<size_t>(d), 0))}};
  };
  check_rows({
      {"Affine", call({"Affine"}, {2}, {1}), {f32({2, 1, 1, 1}, {-3, 7})}},
      {"ThresholdedRelu", call({"thresholdedrelu"}, {3.5f}, {}), {f32({2, 1, 1, 1}, {0, 0})}},
      {"ScaledTanh", call({"ScaledTanh"}, {2}, {0.5f}), {f32({2, 1, 1, 1}, {-1.5231884f, 1.8102966f})}, 1e-6},
      {"the second direction's alpha",
       call({"Tanh", "LeakyRelu"}, {0.5f}, {}, "bidirectional"),
       {f32({2, 2, 1, 1}, {-0.9640276f, -1, 0.9950547f, 3})},
       1e-6},
  });
}

TEST_CASE("what recurrent operators refuse", "[op]") {
  const Tensor x = numbers(DType::kFloat32, {2, 1, 3}, 1), w = numbers(DType::kFloat32, {1, 8, 3}, 2),
               r = numbers(DType::kFloat32, {1, 8, 2}, 3);
  const auto with = [&](std::vector<Attribute> a, Tensor b = {}, Tensor more = {}) {
    return OpCall{
        .op = "LSTM", .attributes = std::move(a), .inputs = {x, w, r, std::move(b), {}, std::move(more)}};
  };
  check_failures(std::vector<BadRow>{
      {"hidden_size of other weights", with({attr("hidden_size", 3)}), ErrorCode::kShape, "hidden_size"},
      {"negative hidden_size", with({attr("hidden_size", -1)}), ErrorCode::kModel, "hidden_size"},
      {"direction", with({attr("direction", "both")}), ErrorCode::kModel, "direction"},
      {"directions of the weights", with({attr("direction", "bidirectional")}), ErrorCode::kShape,
       "expected"},
      {"activations", with({attr_strings("activations", {"Tanh"})}), ErrorCode::kModel, "activations"},
      {"unknown activation", with({attr_strings("activations", {"Tanh", "Sine", "Tanh"})}), ErrorCode::kModel,
       "Sine"},
      {"bias", with({}, f32({1, 3}, {1, 2, 3})), ErrorCode::kShape, "B"},
      {"initial_h", with({}, {}, f32({1, 1, 3}, {1, 2, 3})), ErrorCode::kShape, "initial_h"},
      {"X", {.op = "LSTM", .inputs = {numbers(DType::kFloat32, {2, 1, 4}, 1), w, r}}, ErrorCode::kShape, "X"},
      {"rank of X",
       {.op = "LSTM", .inputs = {numbers(DType::kFloat32, {2, 3}, 1), w, r}},
       ErrorCode::kShape,
       "rank 3"},
      {"types",
       {.op = "LSTM", .inputs = {x, w, numbers(DType::kFloat64, {1, 8, 2}, 3)}},
       ErrorCode::kModel,
       "types"},
  });
}
