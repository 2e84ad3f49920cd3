// The operators that a case's model calls, with the element types that are known of their inputs and outputs.
import { operatorId, operatorNodes } from '../../scripts/lib/model-operators.mjs';
import { elementTypes } from './element-types.mjs';

/** Element types inside a TypeProto, however deep in sequences, optionals and maps. */
function* elementNames(type) {
  if (!type) return;
  const known = type.tensor_type?.elem_type || type.sparse_tensor_type?.elem_type || type.map_type?.key_type;
  if (known) yield elementTypes[known].name;
  for (const held of [type.sequence_type?.elem_type, type.optional_type?.elem_type, type.map_type?.value_type]) yield* elementNames(held);
}

/** Element types of the named values of the main graph. */
function valueTypes(graph) {
  const types = new Map();
  for (const { name, type } of [...graph.input, ...graph.output, ...graph.value_info]) types.set(name, [...elementNames(type)]);
  for (const { name, data_type: type } of graph.initializer) types.set(name, [elementTypes[type].name]);
  return types;
}

/** [{ domain, type, opset, types }], one an operator, of a decoded ModelProto. */
export function caseOperators(model) {
  const known = valueTypes(model.graph);
  const main = new Set(model.graph.node);
  const found = new Map();
  for (const { node, domain, type, opset } of operatorNodes(model)) {
    const id = operatorId({ domain, type });
    if (!found.has(id)) found.set(id, { domain, type, opset, types: new Set() });
    if (!main.has(node)) continue;
    for (const name of [...node.input, ...node.output]) for (const element of known.get(name) ?? []) found.get(id).types.add(element);
  }
  return [...found.values()].map((operator) => ({ ...operator, types: [...operator.types].sort() }));
}
