#pragma once
// What gradient.cpp knows of operators: one table of rules.

#include "graph/graph.hpp"

namespace kinglet::gradient {

enum class Kind : uint8_t { kPlain, kEvery, kReduction, kProduct, kTranspose, kSoftmax };

/// How output 0 of an operator depends on its inputs. `by[i]` is what a derivative d by the output adds to that by
/// input i, in postfix notation; nothing where the derivative is 0. Its words:
/// - d; y, the output; a and b, the inputs 0 and 1; x, input i;
/// - a digit, a number of y's type; + - * / on two operands;
/// - an operator's name on one operand, or as many as the digit behind it says.
/// A result of another shape or type than the input's is summed and cast to it.
struct Rule {
  std::string_view op;  ///< with its domain, unless it is ai.onnx
  const char* by[3] = {};
  Kind kind = Kind::kPlain;  ///< kEvery: by[0] is for all inputs; kReduction: d and y get the reduced dims back
};

/// The rule for a node; null where there is none for the form of the operator that it is.
const Rule* rule_for(const Node& node);

/// The operator's name with its domain, unless that is ai.onnx.
std::string full_name(const Node& node);
int64_t int_or(const Node& node, std::string_view attribute, int64_t otherwise);

}  // namespace kinglet::gradient
