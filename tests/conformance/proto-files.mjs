/** What describes ONNX's messages, in the order to parse them. Apart from their reader: set-up has no npm packages yet. */
export const protoFiles = ['onnx-ml.proto', 'onnx-data.proto'];
