// Writes small ONNX models: just the protobuf that they need. Field numbers are those of onnx.proto.

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const join = (...parts) => Buffer.concat(parts);
const number = (field, value) => join(varint(field << 3), varint(value));
const bytes = (field, content) => join(varint((field << 3) | 2), varint(content.length), content);
const text = (field, value) => bytes(field, Buffer.from(value));
const float = (field, value) => join(varint((field << 3) | 5), Buffer.from(Float32Array.of(value).buffer));
const each = (list, write) => join(...(list ?? []).map(write));

/** TensorProto.DataType */
export const types = {
  float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, float64: 11,
  uint32: 12, uint64: 13, complex64: 14, complex128: 15, bfloat16: 16, float8e4m3fn: 17, float8e4m3fnuz: 18,
  float8e5m2: 19, float8e5m2fnuz: 20, uint4: 21, int4: 22, float4e2m1: 23, float8e8m0: 24, uint2: 25, int2: 26,
};

/** `external`: the file's location, which then holds the elements instead of `data`. */
function tensor({ name = '', type, dims, data, external }) {
  return join(
    each(dims, (dim) => number(1, dim)),
    number(2, types[type]),
    text(8, name),
    external === undefined
      ? bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength))
      : join(bytes(13, join(text(1, 'location'), text(2, external))), number(14, 1)),
  );
}

function attribute(name, value) {
  const kinds = {
    float: () => join(float(2, value.float), number(20, 1)),
    int: () => join(number(3, value.int), number(20, 2)),
    tensor: () => join(bytes(5, tensor(value.tensor)), number(20, 4)),
    ints: () => join(each(value.ints, (v) => number(8, v)), number(20, 7)),
  };
  return join(text(1, name), kinds[Object.keys(value)[0]]());
}

function node({ op, domain = '', name = '', inputs, outputs, attributes = {} }) {
  return join(
    each(inputs, (input) => text(1, input)),
    each(outputs, (output) => text(2, output)),
    text(3, name),
    text(4, op),
    each(Object.entries(attributes), ([key, value]) => bytes(5, attribute(key, value))),
    text(7, domain),
  );
}

/** A TypeProto; `type` is an element type, or { sequence: type }, { optional: type }, { map: [key type, type] }. */
function typeProto(type, dims) {
  if (type.sequence) return bytes(4, bytes(1, typeProto(type.sequence)));
  if (type.optional) return bytes(9, bytes(1, typeProto(type.optional)));
  if (type.map) return bytes(5, join(number(1, types[type.map[0]]), bytes(2, typeProto(type.map[1]))));
  const shape = each(dims, (dim) => bytes(1, typeof dim === 'string' ? text(2, dim) : dim === null ? join() : number(1, dim)));
  return bytes(1, join(number(1, types[type]), dims ? bytes(2, shape) : join()));
}

function value({ name, type, dims }) {
  return join(text(1, name), bytes(2, typeProto(type, dims)));
}

/**
 * A ModelProto. Values are `{name, type, dims}` (type as in typeProto) with dims of numbers, names and null, or no dims
 * at all; nodes are
 * `{op, domain, name, inputs, outputs, attributes: {key: {int: 1}}}`; constants are `{name, type, dims, data}`.
 * @returns {Uint8Array}
 */
export function model({ nodes, inputs = [], outputs, constants = [], opset = 17, domains = {} }) {
  const graph = join(
    each(nodes, (n) => bytes(1, node(n))),
    text(2, 'graph'),
    each(constants, (t) => bytes(5, tensor(t))),
    each(inputs, (v) => bytes(11, value(v))),
    each(outputs, (v) => bytes(12, value(v))),
  );
  const sets = Object.entries({ '': opset, ...domains });
  return new Uint8Array(join(
    number(1, 8),
    bytes(7, graph),
    each(sets, ([domain, version]) => bytes(8, join(text(1, domain), number(2, version)))),
  ));
}

/** `y = x + 1` for float32 of [N, 3]. */
export function addOne() {
  return model({
    nodes: [{ op: 'Add', name: 'add', inputs: ['x', 'one'], outputs: ['y'] }],
    inputs: [{ name: 'x', type: 'float32', dims: ['N', 3] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['N', 3] }],
    constants: [{ name: 'one', type: 'float32', dims: [1], data: Float32Array.of(1) }],
  });
}

/** `y = x` for one type and any shape. */
export function identity(type) {
  return model({
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', type }],
    outputs: [{ name: 'y', type }],
  });
}

/** `y` is a float32 tensor of the shape that the int64 input `shape` tells, filled with 1. */
export function fill() {
  return model({
    nodes: [{
      op: 'ConstantOfShape', name: 'fill', inputs: ['shape'], outputs: ['y'],
      attributes: { value: { tensor: { type: 'float32', dims: [1], data: Float32Array.of(1) } } },
    }],
    inputs: [{ name: 'shape', type: 'int64', dims: ['rank'] }],
    outputs: [{ name: 'y', type: 'float32' }],
  });
}
