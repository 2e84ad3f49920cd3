// What an ONNX model needs of a build: the operators that it calls, wherever in it (main graph, subgraphs and local functions), and
// whether it has numbers of 16 bits.

import protobuf from 'protobufjs';

const field = (id, type, rule) => ({ id, type, ...(rule && { rule }) });
const list = (id, type) => field(id, type, 'repeated');

// What of onnx.proto says which operators and types there are; the decoder skips all other fields, weights among them.
const schema = {
  ModelProto: { graph: field(7, 'GraphProto'), opset_import: list(8, 'OperatorSetIdProto'), functions: list(25, 'FunctionProto') },
  OperatorSetIdProto: { domain: field(1, 'string'), version: field(2, 'int64') },
  GraphProto: { node: list(1, 'NodeProto'), initializer: list(5, 'TensorProto'), input: list(11, 'ValueInfoProto') },
  TensorProto: { data_type: field(2, 'int32') },
  ValueInfoProto: { type: field(2, 'TypeProto') },
  TypeProto: { tensor_type: field(1, 'TensorTypeProto') },
  TensorTypeProto: { elem_type: field(1, 'int32') },
  NodeProto: { input: list(1, 'string'), output: list(2, 'string'), op_type: field(4, 'string'), attribute: list(5, 'AttributeProto'), domain: field(7, 'string'), overload: field(8, 'string') },
  AttributeProto: { t: field(5, 'TensorProto'), g: field(6, 'GraphProto'), graphs: list(11, 'GraphProto') },
  FunctionProto: { name: field(1, 'string'), node: list(7, 'NodeProto'), opset_import: list(9, 'OperatorSetIdProto'), domain: field(10, 'string'), overload: field(13, 'string') },
};

let decoder;

function decode(bytes) {
  decoder ??= protobuf.Root.fromJSON({
    nested: Object.fromEntries(Object.entries(schema).map(([name, fields]) => [name, { fields }])),
  }).lookupType('ModelProto');
  const model = decoder.decode(bytes);
  if (!model.graph) throw new Error('the file holds no ONNX graph');
  return model;
}

const domainName = (domain) => (!domain || domain === 'ai.onnx' ? '' : domain);
const opsetsOf = (imports) => new Map(imports.map(({ domain, version }) => [domainName(domain), Number(version.toString())]));

/** `domain.Name`, or `Name` alone in ai.onnx. */
export const operatorId = ({ domain, type }) => (domain ? `${domain}.${type}` : type);

function* nodesWithin(nodes, opsets) {
  for (const node of nodes) {
    yield { node, opsets };
    for (const { g, graphs } of node.attribute) {
      for (const graph of [g, ...graphs]) if (graph) yield* nodesWithin(graph.node, opsets);
    }
  }
}

/**
 * Every node of a decoded ModelProto that calls an operator: { node, domain, type, opset }; a call of one of the model's
 * own functions is none. Domain '' is ai.onnx; the opset is undefined where the model imports none.
 */
export function* operatorNodes(model) {
  const functionId = ({ domain, overload }, name) => `${domainName(domain)}\n${name}\n${overload ?? ''}`;
  const own = new Set(model.functions.map((body) => functionId(body, body.name)));
  const opsets = opsetsOf(model.opset_import);
  const parts = [{ nodes: model.graph.node, opsets }];
  for (const body of model.functions) {
    parts.push({ nodes: body.node, opsets: body.opset_import.length > 0 ? opsetsOf(body.opset_import) : opsets });
  }
  for (const part of parts) {
    for (const { node, opsets: known } of nodesWithin(part.nodes, part.opsets)) {
      if (own.has(functionId(node, node.op_type))) continue;
      const domain = domainName(node.domain);
      yield { node, domain, type: node.op_type, opset: known.get(domain) };
    }
  }
}

/** The ids (`operatorId`) of the operators in the bytes of an ONNX file, sorted. Throws when they are no ModelProto. */
export function readOperators(bytes) {
  return [...new Set(Array.from(operatorNodes(decode(bytes)), operatorId))].sort();
}

/** Has the model inputs or constants of float16 or bfloat16? Throws as readOperators does. */
export function hasFloat16(bytes) {
  const model = decode(bytes);
  const isHalf = (type) => type === 10 || type === 16;
  const holdsHalves = (graph) => graph?.initializer.some(({ data_type: type }) => isHalf(type)) ?? false;
  if (holdsHalves(model.graph) || model.graph.input.some(({ type }) => isHalf(type?.tensor_type?.elem_type))) return true;
  const attributes = Array.from(operatorNodes(model), ({ node }) => node.attribute).flat();
  return attributes.some(({ t, g, graphs }) => isHalf(t?.data_type) || [g, ...graphs].some(holdsHalves));
}
