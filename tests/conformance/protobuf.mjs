// Reads conformance data (ONNX protobuf messages) into the values that tests/models/engines.mjs describes.
import protobuf from 'protobufjs';
import { elementTypes } from './element-types.mjs';

const product = (dims) => dims.reduce((all, dim) => all * dim, 1);
const toNumber = (value) => Number(value.toString());

// OptionalProto and SequenceProto name the kind of what they hold by these numbers.
const kinds = { 1: 'tensor', 3: 'sequence', 4: 'map', 5: 'optional' };

/** A reader for the messages that the texts of the files in proto-files.mjs describe. */
export function openReader(protoTexts) {
  const root = new protobuf.Root();
  for (const text of protoTexts) protobuf.parse(text, root, { keepCase: true });
  root.resolveAll();
  const message = (name) => root.lookupType(`onnx.${name}`);
  const decoders = { tensor: message('TensorProto'), sequence: message('SequenceProto'), map: message('MapProto'), optional: message('OptionalProto') };
  const model = message('ModelProto');
  return {
    model: (bytes) => model.decode(bytes),
    /** kind: 'tensor', 'sequence', 'map' or 'optional'. */
    value: (bytes, kind) => readers[kind](decoders[kind].decode(bytes)),
    tensor: readTensor,
  };
}

/** The kind of message that holds a value of a TypeProto, and that TypeProto's element type if it is a tensor. */
export function kindOf(type) {
  if (type?.optional_type) return 'optional';
  if (type?.sequence_type) return 'sequence';
  if (type?.map_type) return 'map';
  return 'tensor';
}

function readTensor(proto) {
  const type = elementTypes[proto.data_type];
  if (!type) throw new Error(`tensor ${proto.name}: unknown element type ${proto.data_type}`);
  const dims = proto.dims.map(toNumber);
  if (type.name === 'string') {
    return { type: 'string', dims, data: proto.string_data.map((text) => new TextDecoder().decode(text)) };
  }
  const length = type.perByte ? Math.ceil(product(dims) / type.perByte) : product(dims) * (type.parts ?? 1);
  const data = new type.array(length);
  const raw = proto.raw_data;
  if (raw?.length) {
    if (raw.length !== data.byteLength) throw new Error(`tensor ${proto.name}: ${raw.length} bytes for [${dims}] ${type.name}`);
    new Uint8Array(data.buffer).set(raw);
  } else {
    const values = proto[type.field];
    if (values.length !== length) throw new Error(`tensor ${proto.name}: ${values.length} values for [${dims}] ${type.name}`);
    const big = data instanceof BigInt64Array || data instanceof BigUint64Array;
    for (let i = 0; i < length; ++i) data[i] = big ? BigInt(values[i].toString()) : toNumber(values[i]);
  }
  return { type: type.name, dims, data };
}

function readSequence(proto) {
  const kind = kinds[proto.elem_type];
  if (kind) return proto[`${kind}_values`].map(readers[kind]);
  return [];
}

function readMap(proto) {
  const keys = proto.string_keys.length ? proto.string_keys.map((key) => new TextDecoder().decode(key)) : proto.keys.map((key) => BigInt(key.toString()));
  const values = readSequence(proto.values);
  return new Map(keys.map((key, i) => [key, values[i]]));
}

function readOptional(proto) {
  const kind = kinds[proto.elem_type];
  const held = kind && proto[`${kind}_value`];
  return held ? readers[kind](held) : null;
}

const readers = { tensor: readTensor, sequence: readSequence, map: readMap, optional: readOptional };
