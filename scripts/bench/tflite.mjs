// Writes .tflite models of one operator. Field numbers are those of TensorFlow Lite's schema.fbs, version 3.

const int32s = (builder, values) => {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addInt32(value);
  return builder.endVector();
};
const offsets = (builder, values) => {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addOffset(value);
  return builder.endVector();
};

/** A table of fields: [number, kind of builder.addField*, value, default]. */
function tableOf(builder, fields) {
  builder.startObject(Math.max(-1, ...fields.map(([number]) => number)) + 1);
  for (const [number, kind, value, otherwise = 0] of fields) builder[`addField${kind}`](number, value, otherwise);
  return builder.endObject();
}

/** BuiltinOperator, BuiltinOptions, and the fields of the latter's table. */
const operators = {
  fullyConnected: { code: 9, optionsType: 8, fields: [] },
  // "same" padding is 0; strides, no activation, dilations.
  conv2d: { code: 3, optionsType: 1, fields: [[1, 'Int32', 1], [2, 'Int32', 1], [4, 'Int32', 1, 1], [5, 'Int32', 1, 1]] },
  depthwiseConv2d: { code: 4, optionsType: 2, fields: [[1, 'Int32', 1], [2, 'Int32', 1], [3, 'Int32', 1], [5, 'Int32', 1, 1], [6, 'Int32', 1, 1]] },
};

/**
 * Bytes of a model: `operator` (a name above) of a fed float32 input and constants, [{ dims, data }].
 * @param Builder the class of the package flatbuffers
 */
export function tfliteModel(Builder, { operator, input, constants, output }) {
  const builder = new Builder(1 << 16);
  const buffers = [undefined, ...constants.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))].map((bytes) => {
    if (!bytes) return tableOf(builder, []);
    // As its createByteVector does, but aligned.
    builder.startVector(1, bytes.length, 16);
    builder.bb.setPosition((builder.space -= bytes.length));
    builder.bb.bytes().set(bytes, builder.space);
    const vector = builder.endVector();
    return tableOf(builder, [[0, 'Offset', vector]]);
  });
  const shapes = [input, ...constants.map(({ dims }) => dims), output];
  const tensors = shapes.map((dims, i) => {
    const shape = int32s(builder, dims);
    const name = builder.createString(`t${i}`);
    const isConstant = i > 0 && i < shapes.length - 1;
    return tableOf(builder, [[0, 'Offset', shape], [2, 'Int32', isConstant ? i : 0], [3, 'Offset', name]]);
  });
  const { code, optionsType, fields } = operators[operator];
  const options = tableOf(builder, fields);
  const last = shapes.length - 1;
  const operatorInputs = int32s(builder, shapes.map((_, i) => i).slice(0, last));
  const operatorOutputs = int32s(builder, [last]);
  const step = tableOf(builder, [[1, 'Offset', operatorInputs], [2, 'Offset', operatorOutputs], [3, 'Int8', optionsType], [4, 'Offset', options]]);
  const graph = tableOf(builder, [
    [0, 'Offset', offsets(builder, tensors)], [1, 'Offset', int32s(builder, [0])], [2, 'Offset', int32s(builder, [last])],
    [3, 'Offset', offsets(builder, [step])],
  ]);
  const codeTable = tableOf(builder, [[0, 'Int8', code], [2, 'Int32', 1, 1], [3, 'Int32', code]]);
  const model = tableOf(builder, [
    [0, 'Int32', 3], [1, 'Offset', offsets(builder, [codeTable])], [2, 'Offset', offsets(builder, [graph])], [4, 'Offset', offsets(builder, buffers)],
  ]);
  builder.finish(model, 'TFL3');
  return builder.asUint8Array().slice();
}
