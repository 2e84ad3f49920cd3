#include "graph/graph.hpp"

#include <algorithm>

#include "base/flags.hpp"

namespace kinglet {
namespace {

template <class T>
Attribute make_attribute(std::string_view name, Attribute::Kind kind, T Attribute::*field, T value) {
  Attribute a;
  a.name = name;
  a.kind = kind;
  a.*field = std::move(value);
  return a;
}

}  // namespace

const Attribute* Node::find(std::string_view attribute) const {
  for (const Attribute& a : attributes) {
    if (a.name == attribute) return &a;
  }
  return nullptr;
}

void Node::set(Attribute attribute) {
  erase(attribute.name);
  attributes.push_back(std::move(attribute));
}

void Node::set_int(std::string_view attribute, int64_t value) {
  set(make_attribute(attribute, Attribute::Kind::kInt, &Attribute::i, value));
}

void Node::set_ints(std::string_view attribute, std::vector<int64_t> value) {
  set(make_attribute(attribute, Attribute::Kind::kInts, &Attribute::ints, std::move(value)));
}

void Node::set_string(std::string_view attribute, std::string value) {
  set(make_attribute(attribute, Attribute::Kind::kString, &Attribute::s, std::move(value)));
}

void Node::set_floats(std::string_view attribute, std::vector<float> value) {
  set(make_attribute(attribute, Attribute::Kind::kFloats, &Attribute::floats, std::move(value)));
}

void Node::erase(std::string_view attribute) {
  std::erase_if(attributes, [&](const Attribute& a) { return a.name == attribute; });
}

ValueId Graph::add_value(std::string value_name, DType dtype, SymShape shape) {
  Value v;
  v.name = std::move(value_name);
  v.dtype = dtype;
  v.shape = std::move(shape);
  values.push_back(std::move(v));
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  const ValueId id = add_value(std::move(value_name), tensor.dtype(), tensor.shape());
  value(id).constant = std::move(tensor);
  return id;
}

bool Graph::is_output(ValueId id) const { return std::find(outputs.begin(), outputs.end(), id) != outputs.end(); }

Dim Graph::symbol(std::string_view symbol_name) {
  for (size_t i = 0; i < symbols->size(); ++i) {
    if ((*symbols)[i] == symbol_name) return Dim::symbol(i);
  }
  symbols->emplace_back(symbol_name);
  return Dim::symbol(symbols->size() - 1);
}

std::vector<int32_t> Graph::producers() const {
  std::vector<int32_t> out(values.size(), -1);
  for (size_t n = 0; n < nodes.size(); ++n) {
    for (const ValueId id : nodes[n].outputs) {
      if (id != kNoValue) out[static_cast<size_t>(id)] = static_cast<int32_t>(n);
    }
  }
  return out;
}

std::vector<uint32_t> Graph::use_counts() const {
  std::vector<uint32_t> out(values.size(), 0);
  for (const Node& node : nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++out[static_cast<size_t>(id)];
    }
  }
  for (const ValueId id : outputs) ++out[static_cast<size_t>(id)];
  return out;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

void Graph::sort_topologically() {
  const std::vector<int32_t> producer = producers();
  std::vector<uint32_t> waiting(nodes.size(), 0);
  std::vector<std::vector<uint32_t>> users(nodes.size());
  for (size_t n = 0; n < nodes.size(); ++n) {
    for (const ValueId id : nodes[n].inputs) {
      if (id == kNoValue || producer[static_cast<size_t>(id)] < 0) continue;
      users[static_cast<size_t>(producer[static_cast<size_t>(id)])].push_back(static_cast<uint32_t>(n));
      ++waiting[n];
    }
  }
  // A min-heap by original index keeps the file's order wherever it is legal.
  std::vector<uint32_t> ready;
  const auto later = [](uint32_t a, uint32_t b) { return a > b; };
  for (size_t n = 0; n < nodes.size(); ++n) {
    if (waiting[n] == 0) ready.push_back(static_cast<uint32_t>(n));
  }
  std::make_heap(ready.begin(), ready.end(), later);
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  Flags done(nodes.size(), false);
  while (!ready.empty()) {
    std::pop_heap(ready.begin(), ready.end(), later);
    const uint32_t n = ready.back();
    ready.pop_back();
    done[n] = true;
    for (const uint32_t user : users[n]) {
      if (--waiting[user] != 0) continue;
      ready.push_back(user);
      std::push_heap(ready.begin(), ready.end(), later);
    }
    sorted.push_back(std::move(nodes[n]));
  }
  if (sorted.size() != nodes.size()) {
    const auto stuck = static_cast<size_t>(std::find(done.begin(), done.end(), false) - done.begin());
    throw_error(ErrorCode::kModel, "graph '{}' has a cycle through node '{}' ({})", name, nodes[stuck].name,
                nodes[stuck].op_type);
  }
  nodes = std::move(sorted);
}

}  // namespace kinglet
