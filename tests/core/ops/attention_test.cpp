// The attention operators against their formula in double precision and against each other.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

const std::string kMicrosoft = "com.microsoft";

struct Sizes {
  int64_t batch = 2, heads = 4, kv_heads = 2, queries = 3, keys = 5, head = 6, value = 4, past = 0;
};

struct Call {
  Sizes s;
  bool rows_first = false;  // 3-D inputs
  bool is_causal = false;
  float softcap = 0, scale = 0;
  int64_t left = -1, right = -1, stage = -1;
  Tensor mask = {}, lengths = {};
};

/// Element (b, h, r, d) of a tensor in either form, as an index.
size_t at(bool rows_first, int64_t heads, int64_t rows, int64_t size, int64_t b, int64_t h, int64_t r,
          int64_t d) {
  return static_cast<size_t>(rows_first ? ((b * rows + r) * heads + h) * size + d
                                        : ((b * heads + h) * rows + r) * size + d);
}

struct Exact {
  std::vector<double> y, scores;
};

Exact exact(const Call& c, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& past_k,
            const Tensor& past_v) {
  const Sizes& s = c.s;
  const auto qs = to_doubles(q), ks = to_doubles(k), vs = to_doubles(v);
  const auto pks = past_k.valid() ? to_doubles(past_k) : std::vector<double>(),
             pvs = past_v.valid() ? to_doubles(past_v) : std::vector<double>();
  const auto mask = c.mask.valid() ? to_doubles(c.mask) : std::vector<double>();
  const int64_t total = s.past + s.keys;
  Exact out;
  out.y.resize(static_cast<size_t>(s.batch * s.heads * s.queries * s.value));
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t h = 0; h < s.heads; ++h) {
      for (int64_t i = 0; i < s.queries; ++i) {
        const int64_t g = h / (s.heads / s.kv_heads);
        const int64_t length = c.lengths.valid() ? to_int64s(c.lengths)[static_cast<size_t>(b)] : total;
        const int64_t position = i + (c.lengths.valid() ? length - s.queries : s.past);
        std::vector<double> score, kept;
        double most = -kInf;
        for (int64_t j = 0; j < total; ++j) {
          double dot = 0;
          for (int64_t d = 0; d < s.head; ++d) {
            const double key = j < s.past
                                   ? pks[at(false, s.kv_heads, s.past, s.head, b, g, j, d)]
                                   : ks[at(c.rows_first, s.kv_heads, s.keys, s.head, b, g, j - s.past, d)];
            dot += qs[at(c.rows_first, s.heads, s.queries, s.head, b, h, i, d)] * key;
          }
          dot *= c.scale != 0 ? static_cast<double>(c.scale) : 1 / std::sqrt(static_cast<double>(s.head));
          if (c.stage == 0) kept.push_back(dot);
          if (c.softcap != 0)
            dot = static_cast<double>(c.softcap) * std::tanh(dot / static_cast<double>(c.softcap));
          if (c.stage == 1) kept.push_back(dot);
          double bias = 0;
          if (c.mask.valid()) {
            const int64_t columns = c.mask.shape().back();
            size_t index = 0;
            for (size_t axis = 0; axis + 1 < c.mask.rank(); ++axis) {
              const int64_t wanted[] = {b, h, i};
              const int64_t own = c.mask.dim(axis);
              index = index * static_cast<size_t>(own) +
                      static_cast<size_t>(own == 1 ? 0 : wanted[axis + 4 - c.mask.rank()]);
            }
            bias = j >= columns ? -kInf : mask[index * static_cast<size_t>(columns) + static_cast<size_t>(j)];
            if (c.mask.dtype() == DType::kBool && j < columns) bias = bias != 0 ? 0 : -kInf;
          }
          if (j >= length || (c.is_causal && j > position) || (c.left >= 0 && j < position - c.left) ||
              (c.right >= 0 && j > position + c.right))
            bias = -kInf;
          score.push_back(dot + bias);
          if (c.stage == 2) kept.push_back(dot + bias);
          most = std::max(most, score.back());
        }
        double sum = 0;
        for (double& p : score) sum += p = most == -kInf ? 0 : std::exp(p - most);
        for (double& p : score) p = sum == 0 ? 0 : p / sum;
        if (c.stage == 3) kept = score;
        out.scores.insert(out.scores.end(), kept.begin(), kept.end());
        for (int64_t d = 0; d < s.value; ++d) {
          double y = 0;
          for (int64_t j = 0; j < total; ++j) {
            y += score[static_cast<size_t>(j)] *
                 (j < s.past ? pvs[at(false, s.kv_heads, s.past, s.value, b, g, j, d)]
                             : vs[at(c.rows_first, s.kv_heads, s.keys, s.value, b, g, j - s.past, d)]);
          }
          out.y[at(c.rows_first, s.heads, s.queries, s.value, b, h, i, d)] = y;
        }
      }
    }
  }
  return out;
}

void check_attention(const Call& c, DType type, double tolerance) {
  const Sizes& s = c.s;
  const auto shape = [&](int64_t heads, int64_t rows, int64_t size) {
    return c.rows_first ? Shape{s.batch, rows, heads * size} : Shape{s.batch, heads, rows, size};
  };
  const Tensor q = numbers(type, shape(s.heads, s.queries, s.head), 1),
               k = numbers(type, shape(s.kv_heads, s.keys, s.head), 2),
               v = numbers(type, shape(s.kv_heads, s.keys, s.value), 3);
  Tensor past_k, past_v;
  if (s.past > 0) {
    past_k = numbers(type, {s.batch, s.kv_heads, s.past, s.head}, 4);
    past_v = numbers(type, {s.batch, s.kv_heads, s.past, s.value}, 5);
  }
  OpCall call{.op = "Attention", .opset = 25, .inputs = {q, k, v, c.mask, past_k, past_v, c.lengths}};
  if (c.rows_first) call.attributes = {attr("q_num_heads", s.heads), attr("kv_num_heads", s.kv_heads)};
  call.attributes.push_back(attr("is_causal", c.is_causal ? 1 : 0));
  call.attributes.push_back(attr("softcap", c.softcap));
  if (c.scale != 0) call.attributes.push_back(attr("scale", c.scale));
  call.attributes.push_back(attr("left_window_size", c.left));
  call.attributes.push_back(attr("right_window_size", c.right));
  if (c.stage >= 0) {
    call.attributes.push_back(attr("qk_matmul_output_mode", c.stage));
    call.outputs = 4;
    call.unwanted = {false, s.past == 0, s.past == 0, false};
  }
  const std::vector<Tensor> got = run_op(call);
  const Exact want = exact(c, q, k, v, past_k, past_v);
  CHECK(difference(got[0], make(type, shape(s.heads, s.queries, s.value), want.y), tolerance) == "");
  if (c.stage >= 0)
    CHECK(difference(got[3], make(type, {s.batch, s.heads, s.queries, s.past + s.keys}, want.scores),
                     tolerance) == "");
}

}  // namespace

TEST_CASE("Attention in every form", "[op]") {
  for (const auto& [type, tolerance] : {std::pair{DType::kFloat32, 2e-6},
                                        {DType::kFloat64, 1e-12},
                                        {DType::kFloat16, 2e-3},
                                        {DType::kBFloat16, 2e-2}}) {
    for (int variant = 0; variant < 64; ++variant) {
      Call c;
      c.rows_first = variant & 1;
      c.is_causal = variant & 2;
      if (variant & 4) c.softcap = 0.5f;
      if (variant & 8) c.s.past = 3;
      c.stage = variant % 5 - 1;
      const int64_t total = c.s.past + c.s.keys;
      if (variant & 16) {
        const Shape shapes[] = {{total - 1},   {3, total},           {1, 3, total},
                                {4, 1, total}, {2, 1, 3, total - 2}, {2, 4, 3, total}};
        const Shape& shape = shapes[variant % 6];
        c.mask = variant & 32 ? make(DType::kBool, shape,
                                     [&] {
                                       std::vector<double> bits;
                                       for (const double v : to_doubles(numbers(DType::kFloat32, shape, 7)))
                                         bits.push_back(v > -0.3 ? 1 : 0);
                                       return bits;
                                     }())
                              : numbers(type, shape, 7);
      } else if (variant & 32) {
        c.left = variant % 3;
        c.right = variant % 4 - 1;
        c.scale = 0.3f;
      }
      INFO(text("{} variant {}", type, variant));
      check_attention(c, type, tolerance);
      if (c.s.past > 0) continue;
      c.lengths = i64({2}, {4, 2});
      check_attention(c, type, tolerance);
    }
  }
}

TEST_CASE("Attention over more keys than a block, one token and none", "[op]") {
  for (const bool rows_first : {false, true}) {
    Call c{.s = {1, 2, 1, 70, 300, 8, 8, 0}, .rows_first = rows_first, .is_causal = true};
    check_attention(c, DType::kFloat32, 1e-5);
    c.s = {2, 6, 2, 1, 1, 8, 8, 200};
    check_attention(c, DType::kFloat32, 1e-5);
    c.s = {2, 4, 2, 0, 5, 8, 8, 0};
    check_attention(c, DType::kFloat32, 0);
    c.s = {2, 4, 2, 3, 0, 8, 8, 0};
    check_attention(c, DType::kFloat32, 0);
  }
}

TEST_CASE("Attention refuses what does not go together", "[op]") {
  const Tensor q = iota({1, 2, 3, 4}), k = iota({1, 2, 5, 4}), flat = iota({1, 3, 8});
  const auto call = [](std::vector<Tensor> inputs, std::vector<Attribute> attributes = {}) {
    return OpCall{
        .op = "Attention", .opset = 24, .attributes = std::move(attributes), .inputs = std::move(inputs)};
  };
  check_failures(std::vector<BadRow>{
      {"3-D without heads", call({flat, flat, flat})},
      {"heads that do not divide",
       call({flat, flat, flat}, {attr("q_num_heads", 3), attr("kv_num_heads", 3)})},
      {"negative heads", call({flat, flat, flat}, {attr("q_num_heads", -2), attr("kv_num_heads", -2)})},
      {"keys of another size", call({q, iota({1, 2, 5, 3}), k})},
      {"values of another length", call({q, k, iota({1, 2, 4, 4})})},
      {"heads that are no multiple", call({iota({1, 3, 3, 4}), k, k})},
      {"a mask that is longer", call({q, k, k, iota({3, 6})})},
      {"a mask for other queries", call({q, k, k, iota({2, 5})})},
      {"a scalar mask", call({q, k, k, f32({}, {1})})},
      {"a cache of another head size", call({q, k, k, {}, iota({1, 2, 2, 3}), k})},
      {"caches of two lengths", call({q, k, k, {}, iota({1, 2, 2, 4}), iota({1, 2, 3, 4})})},
      {"a cache of another type",
       call({q, k, k, {}, numbers(DType::kFloat16, {1, 2, 2, 4}, 1), iota({1, 2, 2, 4})})},
      {"lengths for another batch", call({q, k, k, {}, {}, {}, i64({2}, {1, 2})})},
      {"half a cache", call({q, k, k, {}, k}), ErrorCode::kModel},
      {"integers", call({i32({1, 1, 1, 1}, {1}), k, k}), ErrorCode::kModel},
      {"an unknown stage", call({q, k, k}, {attr("qk_matmul_output_mode", 4)}), ErrorCode::kModel},
  });
}

TEST_CASE("MultiHeadAttention takes the same from packed inputs", "[op]") {
  const int64_t batch = 2, rows = 3, heads = 2, size = 4;
  const Tensor packed = numbers(DType::kFloat32, {batch, rows, heads, 3, size}, 1),
               bias = numbers(DType::kFloat32, {3 * heads * size}, 2);
  std::vector<double> parts[3];
  std::vector<double> kv;
  const auto all = to_doubles(packed);
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t part = i / size % 3;
    parts[part].push_back(all[i]);
    if (part > 0) kv.push_back(all[i]);
  }
  const Shape shape{batch, rows, heads * size};
  const Tensor q = make(DType::kFloat32, shape, parts[0]), k = make(DType::kFloat32, shape, parts[1]),
               v = make(DType::kFloat32, shape, parts[2]);
  const auto mha = [&](std::vector<Tensor> inputs) {
    return run_op({.op = "MultiHeadAttention",
                   .opset = 1,
                   .attributes = {attr("num_heads", heads)},
                   .inputs = std::move(inputs),
                   .outputs = 3,
                   .domain = kMicrosoft});
  };
  for (const Tensor& b : {Tensor(), bias}) {
    const std::vector<Tensor> want = mha({q, k, v, b});
    const Tensor packed_kv = make(DType::kFloat32, {batch, rows, heads, 2, size}, kv);
    for (const auto& got : {mha({packed, {}, {}, b}), mha({q, packed_kv, {}, b})}) {
      for (size_t i = 0; i < 3; ++i) CHECK(difference(got[i], want[i], 1e-6) == "");
    }
  }
  const auto bad = [&](std::vector<Tensor> inputs, int heads_given = 2) {
    return OpCall{.op = "MultiHeadAttention",
                  .opset = 1,
                  .attributes = {attr("num_heads", heads_given)},
                  .inputs = std::move(inputs),
                  .domain = kMicrosoft};
  };
  check_failures(std::vector<BadRow>{
      {"no heads", bad({q, k, v}, 0), ErrorCode::kModel},
      {"heads that do not divide", bad({q, k, v}, 3)},
      {"a query alone", bad({q})},
      {"a packed query with keys", bad({packed, k, v})},
      {"a bias of another size", bad({q, k, v, iota({5})})},
      {"a mask of another size", bad({q, k, v, {}, i32({2, 4}, {1, 1, 1, 1, 1, 1, 1, 1})})},
      {"an attention bias of another size", bad({q, k, v, {}, {}, iota({2, 2, 3, 4})})},
      {"keys of another batch", bad({q, iota({1, 3, 8}), iota({1, 3, 8})})},
      {"caches of two lengths",
       [&] {
         OpCall call = bad({q, k, v, {}, {}, {}, iota({2, 2, 2, 4}), iota({2, 2, 9, 4})});
         call.outputs = 3;
         return call;
       }()},
      {"a length for the cache", bad({q, k, v, {}, {}, {}, {}, {}, i32({1}, {1})}), ErrorCode::kModel},
  });
}

TEST_CASE("GroupQueryAttention normalises heads, takes chunks with padding and refuses what does not fit",
          "[op]") {
  const int64_t batch = 2, rows = 3, size = 8;
  const Tensor q = numbers(DType::kFloat32, {batch, rows, 2 * size}, 1),
               k = numbers(DType::kFloat32, {batch, rows, size}, 2),
               v = numbers(DType::kFloat32, {batch, rows, size}, 3),
               norm = numbers(DType::kFloat32, {size}, 4);
  const Tensor lengths = i32({2}, {2, 2}), total = i32({}, {3});
  const auto gqa = [&](std::vector<Tensor> inputs, std::vector<Attribute> extra = {}) {
    OpCall call{.op = "GroupQueryAttention",
                .opset = 1,
                .attributes = {attr("num_heads", 2), attr("kv_num_heads", 1)},
                .inputs = std::move(inputs),
                .outputs = 3,
                .domain = kMicrosoft};
    call.attributes.insert(call.attributes.end(), extra.begin(), extra.end());
    return call;
  };
  const auto normalized = [&](const Tensor& t) {
    auto x = to_doubles(t);
    const auto w = to_doubles(norm);
    for (size_t i = 0; i < x.size(); i += size) {
      double squares = 0;
      for (size_t d = 0; d < size; ++d) squares += x[i + d] * x[i + d];
      for (size_t d = 0; d < size; ++d) x[i + d] *= w[d] / std::sqrt(squares / size + 1e-3);
    }
    return make(DType::kFloat32, t.shape(), x);
  };
  const auto want = run_op(gqa({normalized(q), normalized(k), v, {}, {}, lengths, total}));
  const auto got = run_op(gqa({q, k, v, {}, {}, lengths, total, {}, {}, {}, {}, {}, {}, {}, norm, norm},
                              {attr("qk_norm_epsilon", 1e-3f)}));
  for (size_t i = 0; i < 3; ++i) CHECK(difference(got[i], want[i], 1e-5) == "");

  // A padded chunk behind a cache: its valid rows are what the unpadded chunk gives.
  const Tensor past = numbers(DType::kFloat32, {1, 1, 10, size}, 5);
  const Tensor q1 = numbers(DType::kFloat32, {1, 3, 2 * size}, 1),
               k1 = numbers(DType::kFloat32, {1, 3, size}, 2);
  const auto first_rows = [](const Tensor& t, int64_t n) {
    auto x = to_doubles(t);
    x.resize(static_cast<size_t>(n * t.dim(2)));
    return make(t.dtype(), {1, n, t.dim(2)}, x);
  };
  const auto padded = run_op(gqa({q1,
                                  k1,
                                  k1,
                                  past,
                                  past,
                                  i32({1}, {5}),
                                  i32({}, {6}),
                                  {},
                                  {},
                                  {},
                                  {},
                                  {},
                                  {},
                                  {},
                                  {},
                                  {},
                                  i32({1}, {2})}));
  const auto exact_rows = run_op(gqa(
      {first_rows(q1, 2), first_rows(k1, 2), first_rows(k1, 2), past, past, i32({1}, {5}), i32({}, {6})}));
  CHECK(difference(first_rows(padded[0], 2), exact_rows[0], 1e-6) == "");

  const Tensor angles = iota({4, 4});
  const auto rotates = attr("do_rotary", 1);
  check_failures(std::vector<BadRow>{
      {"a last key past the cache", gqa({q, k, v, {}, {}, i32({2}, {2, 3}), total})},
      {"a negative last key", gqa({q, k, v, {}, {}, i32({2}, {2, -1}), total})},
      {"a huge total length", gqa({q, k, v, {}, {}, lengths, Tensor::scalar(int64_t{1} << 40)})},
      {"no total length", gqa({q, k, v, {}, {}, lengths, i32({0}, {})})},
      {"lengths of another batch", gqa({q, k, v, {}, {}, i32({1}, {2}), total})},
      {"keys of another size", gqa({q, q, q, {}, {}, lengths, total})},
      {"a cache of another size", gqa({q, k, v, iota({2, 1, 3, 4}), iota({2, 1, 3, 4}), lengths, total})},
      {"angles that are too wide",
       gqa({q, k, v, {}, {}, lengths, total, iota({4, 5}), iota({4, 5})}, {rotates})},
      {"positions without angles",
       gqa({q, k, v, {}, {}, lengths, total, iota({2, 4}), iota({2, 4})}, {rotates})},
      {"a negative position",
       gqa({q, k, v, {}, {}, lengths, total, angles, angles, i64({1}, {-1})}, {rotates})},
      {"no angles", gqa({q, k, v, {}, {}, lengths, total}, {rotates}), ErrorCode::kModel},
      {"sinks for other heads", gqa({q, k, v, {}, {}, lengths, total, {}, {}, {}, {}, iota({3})})},
      {"a short bias", gqa({q, k, v, {}, {}, lengths, total, {}, {}, {}, iota({1, 1, 3, 2})})},
      {"keys without values", gqa({q, k, {}, {}, {}, lengths, total}), ErrorCode::kModel},
      {"a quantized cache", gqa({q, k, v, {}, {}, lengths, total, {}, {}, {}, {}, {}, iota({1})}),
       ErrorCode::kModel},
  });
}

TEST_CASE("Attention of com.microsoft refuses what does not fit", "[op]") {
  const Tensor x = iota({1, 3, 5}), w = iota({5, 12}), b = iota({12});
  const auto call = [](std::vector<Tensor> inputs, std::vector<Attribute> extra = {}) {
    OpCall c{.op = "Attention",
             .opset = 1,
             .attributes = {attr("num_heads", 2)},
             .inputs = std::move(inputs),
             .domain = kMicrosoft};
    c.attributes.insert(c.attributes.end(), extra.begin(), extra.end());
    return c;
  };
  check_failures(std::vector<BadRow>{
      {"weights that do not multiply", call({x, iota({4, 12}), b})},
      {"weights that do not divide", call({x, iota({5, 13}), b})},
      {"a bias of another size", call({x, w, iota({11})})},
      {"sizes that do not add up", call({x, w, b}, {attr_ints("qkv_hidden_sizes", {4, 4, 2})})},
      {"sizes of no heads", call({x, w, b}, {attr_ints("qkv_hidden_sizes", {3, 3, 6})}), ErrorCode::kModel},
      {"a huge size",
       call({x, w, b}, {attr_ints("qkv_hidden_sizes", {int64_t{1} << 62, int64_t{1} << 62, 4})}),
       ErrorCode::kModel},
      {"a mask of another size", call({x, w, b, i32({1, 4}, {1, 1, 1, 1})})},
      {"a cache of another size", call({x, w, b, {}, iota({2, 1, 2, 3, 3})})},
      {"a shared buffer", call({x, w, b}, {attr("past_present_share_buffer", 1)}), ErrorCode::kModel},
  });
}
