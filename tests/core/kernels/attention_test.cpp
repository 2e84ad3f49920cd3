#include "kernels/attention.hpp"

#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Exact {
  std::vector<double> y, scores;  // [heads, queries, value_size], [heads, queries, keys]
};

/// By the formula, a row at a time.
Exact exact_attention(const Attention& a) {
  Exact result;
  for (size_t h = 0; h < a.heads; ++h) {
    for (size_t i = 0; i < a.queries; ++i) {
      const auto at = [](const float* p, ptrdiff_t head, size_t h, ptrdiff_t row, size_t i) {
        return p + head * static_cast<ptrdiff_t>(h) + row * static_cast<ptrdiff_t>(i);
      };
      std::vector<double> score(a.keys), kept(a.keys);
      double most = a.sinks != nullptr ? a.sinks[h] : -kInf;
      for (size_t j = 0; j < a.keys; ++j) {
        double s = 0;
        for (size_t d = 0; d < a.head_size; ++d) {
          s += static_cast<double>(at(a.q, a.q_head, h, a.q_row, i)[d]) * at(a.k, 0, 0, a.k_row, j)[d];
        }
        s *= a.scale;
        if (a.stage == Attention::Stage::kScaled) kept[j] = s;
        if (a.softcap != 0) s = a.softcap * std::tanh(s / a.softcap);
        if (a.stage == Attention::Stage::kCapped) kept[j] = s;
        const double mask = a.mask != nullptr ? at(a.mask, a.mask_head, h, a.mask_row, i)[j] : 0.0;
        s = mask == -kInf ? -kInf : s + mask;
        const auto key = static_cast<ptrdiff_t>(j), query = static_cast<ptrdiff_t>(i);
        if (j < a.first_key || j >= a.last_key || key < query + a.low || key >= query + a.high) s = -kInf;
        if (a.stage == Attention::Stage::kMasked) kept[j] = s;
        score[j] = s;
        most = std::max(most, s);
      }
      double total = a.sinks != nullptr && most != -kInf ? std::exp(a.sinks[h] - most) : 0.0;
      for (double& s : score) total += s = most == -kInf ? 0.0 : std::exp(s - most);
      for (size_t c = 0; c < a.value_size; ++c) {
        double y = 0;
        for (size_t j = 0; j < a.keys; ++j) y += score[j] * at(a.v, 0, 0, a.v_row, j)[c];
        result.y.push_back(total == 0 ? 0.0 : y / total);
      }
      for (size_t j = 0; j < a.keys; ++j) {
        const double p = total == 0 ? 0.0 : score[j] / total;
        result.scores.push_back(a.stage == Attention::Stage::kProbabilities ? p : kept[j]);
      }
    }
  }
  return result;
}

/// Sizes, and the memory of one call: rows with gaps that are NaN.
struct Case {
  size_t heads = 1, queries = 1, keys = 1, head_size = 1, value_size = 1;
  Rows q, k, v, y, mask;
  std::vector<float> sinks;

  Case(size_t heads, size_t queries, size_t keys, size_t head_size, size_t value_size, Random random)
      : heads(heads),
        queries(queries),
        keys(keys),
        head_size(head_size),
        value_size(value_size),
        q(Rows::random(random, heads * queries, head_size, 3)),
        k(Rows::random(random, keys, head_size, 1)),
        v(Rows::random(random, keys, value_size, 2)),
        y(heads * queries, value_size, 5),
        mask(Rows::random(random, heads * queries, keys, 0)),
        sinks(random.values(heads)) {}

  Attention plain() {
    const auto of_head = [this](const Rows& r) { return r.step() * static_cast<ptrdiff_t>(queries); };
    return {.heads = heads,
            .queries = queries,
            .keys = keys,
            .head_size = head_size,
            .value_size = value_size,
            .q = q.data.data(),
            .k = k.data.data(),
            .v = v.data.data(),
            .y = y.data.data(),
            .q_head = of_head(q),
            .q_row = q.step(),
            .k_row = k.step(),
            .v_row = v.step(),
            .y_head = of_head(y),
            .y_row = y.step(),
            .scale = 3.0f};
  }
  Attention masked() {
    Attention a = plain();
    a.mask = mask.data.data();
    a.mask_head = mask.step() * static_cast<ptrdiff_t>(queries);
    a.mask_row = mask.step();
    return a;
  }

  void check(Attention a, double slack = 3e-6) {
    std::vector<float> kept(heads * queries * keys, std::numeric_limits<float>::quiet_NaN());
    for (const bool keeps : {false, true}) {
      CAPTURE(heads, queries, keys, head_size, value_size, keeps, static_cast<int>(a.stage), a.softcap);
      if (keeps) {
        a.scores = kept.data();
        a.scores_head = static_cast<ptrdiff_t>(queries * keys);
      }
      std::vector<float> scratch(attention_scratch_floats(a), std::numeric_limits<float>::quiet_NaN());
      attention(a, scratch.data());
      const Exact want = exact_attention(a);
      bool close = true;
      for (size_t i = 0; i < heads * queries; ++i) {
        for (size_t c = 0; c < value_size; ++c)
          close &= std::abs(y.at(i, c) - want.y[i * value_size + c]) <= slack;
      }
      REQUIRE(close);
      REQUIRE(y.gaps_untouched());
      for (size_t i = 0; keeps && i < kept.size(); ++i) {
        close &= want.scores[i] == -kInf ? kept[i] == -kInf : std::abs(kept[i] - want.scores[i]) <= 4 * slack;
      }
      REQUIRE(close);
    }
  }
};

TEST_CASE("attention: small sizes and block edges") {
  for (size_t n = 1; n <= 17; ++n) {
    Case self(1, n, n, n, n, Random(n));
    self.check(self.plain());
    Case cross(n % 3 + 1, n, 18 - n, n % 5 + 1, n % 7 + 1, Random(n + 100));
    cross.check(cross.masked());
  }
  for (const size_t keys : {127, 128, 129, 300}) {
    for (const size_t queries : {1, 8, 9, 47, 48, 49, 100}) {
      Case c(2, queries, keys, 12, 37, Random(static_cast<uint32_t>(keys + queries)));
      c.check(c.masked());
    }
  }
}

TEST_CASE("attention: windows, ranges of keys, softcap, sinks and every kept stage") {
  for (const size_t queries : {1, 5, 140}) {
    for (int variant = 0; variant < 32; ++variant) {
      Case c(3, queries, 150, 8, 9,
             Random(static_cast<uint32_t>(queries * 32) + static_cast<uint32_t>(variant)));
      Attention a = variant & 1 ? c.masked() : c.plain();
      a.stage = static_cast<Attention::Stage>(variant >> 1 & 3);
      if (variant & 8) a.softcap = 0.7f;
      if (variant & 16) a.sinks = c.sinks.data();
      c.check(a);
      a.high = 4;
      c.check(a);
      a.low = -2;
      c.check(a);
      a.first_key = 3;
      a.last_key = 131;
      c.check(a);
    }
  }
}

TEST_CASE("attention: a row that sees nothing is 0, hidden keys do not matter, a NaN that is seen shows") {
  for (const size_t queries : {2, 20}) {
    CAPTURE(queries);
    Case c(1, queries, 200, 8, 8, Random(5));
    for (size_t j = 0; j < 200; ++j) c.mask.at(0, j) = -kInf;
    for (size_t j = 0; j < 130; ++j) c.mask.at(1, j) = -kInf;
    c.check(c.masked());
    Attention a = c.plain();
    a.high = -1;  // the first two rows see nothing
    c.check(a);
    a = c.masked();
    a.first_key = a.last_key = 7;
    c.check(a);

    a = c.plain();
    a.last_key = 150;
    for (size_t d = 0; d < 8; ++d) c.k.at(170, d) = c.v.at(160, d) = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> scratch(attention_scratch_floats(a));
    attention(a, scratch.data());
    for (size_t i = 0; i < queries; ++i) REQUIRE(std::isfinite(c.y.at(i, 0)));
    c.k.at(20, 0) = std::numeric_limits<float>::quiet_NaN();
    attention(a, scratch.data());
    for (size_t i = 0; i < queries; ++i) REQUIRE(std::isnan(c.y.at(i, 0)));
  }
}

TEST_CASE("attention: scores of any size do not overflow") {
  Case c(1, 12, 300, 16, 16, Random(9));
  Attention a = c.plain();
  a.scale = 1000.0f;
  c.check(a, 2e-3);
}

}  // namespace
}  // namespace kinglet::kernels::test
