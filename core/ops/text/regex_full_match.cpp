// RegexFullMatch (20): does each string match the pattern as a whole? See regex.hpp for the patterns.

#include "ops/elementwise.hpp"
#include "ops/text/regex.hpp"

namespace kinglet::ops {
namespace {

Regex parse(const NodeView& n) { return Regex(n.attr_string("pattern")); }

void infer(const Regex&, InferContext& c) {
  check_type(c.dtype(0), kStrings);
  c.out(0, DType::kBool, c.shape(0));
}

void run(const Regex& op, RunContext& c) {
  bool* out = c.out(0).data<bool>();
  for (const std::string& text : c.in(0).values<std::string>()) *out++ = op.matches(text);
}

}  // namespace

KINGLET_OP(RegexFullMatch, op<Regex, parse, infer, run>(since(20)));

}  // namespace kinglet::ops
