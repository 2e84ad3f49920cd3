#include "ops/tensor/einsum_equation.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace kinglet::ops {
namespace {

void append(Labels& to, const Labels& more) { to.insert(to.end(), more.begin(), more.end()); }

void append_ellipsis(Labels& to, size_t dims) {
  while (dims-- > 0) to.push_back(static_cast<Label>(kFirstEllipsis + dims));
}

}  // namespace

EinsumEquation::Term EinsumEquation::parse_term(std::string_view text) {
  Term term;
  for (size_t i = 0; i < text.size(); ++i) {
    const char ch = text[i];
    const bool upper = ch >= 'A' && ch <= 'Z';
    if (text.substr(i).starts_with("...") && !term.ellipsis) {
      term.ellipsis = true;
      i += 2;
    } else if (upper || (ch >= 'a' && ch <= 'z')) {
      (term.ellipsis ? term.after : term.before).push_back(static_cast<Label>(upper ? ch - 'A' : ch - 'a' + 26));
    } else {
      throw_error(ErrorCode::kModel, "the term '{}' is malformed", text);
    }
  }
  return term;
}

EinsumEquation::EinsumEquation(std::string_view given, size_t operands) {
  std::string compact;
  std::copy_if(given.begin(), given.end(), std::back_inserter(compact), [](char ch) { return ch != ' '; });
  const std::string_view text = compact;
  const size_t arrow = text.find("->");
  std::string_view left = text.substr(0, arrow);
  for (size_t comma = 0; comma != std::string_view::npos;) {
    comma = left.find(',');
    terms_.push_back(parse_term(left.substr(0, comma)));
    if (comma != std::string_view::npos) left.remove_prefix(comma + 1);
  }
  if (terms_.size() != operands) {
    throw_error(ErrorCode::kModel, "the equation '{}' has {} terms for {} inputs", given, terms_.size(), operands);
  }
  if (arrow == std::string_view::npos) {
    imply_output();
    return;
  }
  output_ = parse_term(text.substr(arrow + 2));
  LabelSet known, used;
  for (const Term& term : terms_) {
    for (const Labels* labels : {&term.before, &term.after}) {
      for (const Label label : *labels) known.set(label);
    }
  }
  for (const Labels* labels : {&output_.before, &output_.after}) {
    for (const Label label : *labels) {
      if (!known[label] || used[label]) throw_error(ErrorCode::kModel, "the output of '{}' is malformed", given);
      used.set(label);
    }
  }
}

void EinsumEquation::imply_output() {
  std::array<size_t, kLabels> times{};
  for (const Term& term : terms_) {
    output_.ellipsis = output_.ellipsis || term.ellipsis;
    for (const Label label : term.before) ++times[label];
    for (const Label label : term.after) ++times[label];
  }
  for (Label label = 0; label < kFirstEllipsis; ++label) {
    if (times[label] == 1) output_.after.push_back(label);
  }
}

EinsumEquation::Resolved EinsumEquation::resolve(std::span<const size_t> ranks) const {
  Resolved out;
  size_t widest = 0;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const Term& term = terms_[i];
    const size_t letters = term.before.size() + term.after.size();
    if (term.ellipsis ? ranks[i] < letters : ranks[i] != letters) {
      throw_error(ErrorCode::kShape, "term {} names {} dims of an operand of rank {}", i, letters, ranks[i]);
    }
    Labels labels = term.before;
    append_ellipsis(labels, ranks[i] - letters);
    append(labels, term.after);
    widest = std::max(widest, ranks[i] - letters);
    out.operands.push_back(std::move(labels));
  }
  out.output = output_.before;
  if (output_.ellipsis) append_ellipsis(out.output, widest);
  append(out.output, output_.after);
  return out;
}

}  // namespace kinglet::ops
