// The benchmark's cases: one row each. Used in Node and in the page, so it imports nothing of Node.
import { decoderStep, gptStep } from '../../tests/models/decoder-inputs.mjs';
import { floats, int64s, noise, textPage, tokens, voice } from '../../tests/models/inputs.mjs';

const square = (size) => [size, size];

/** A square matrix product: constant B, and B fed. */
const matmuls = [64, 128, 256, 512, 1024].flatMap((size) => [
  { name: `matmul${size}`, label: `MatMul ${size}, constant B`, feeds: () => ({ a: noise(square(size)) }), operations: 2 * size ** 3 },
  { name: `matmul${size}-fed`, label: `MatMul ${size}, fed B`, feeds: () => ({ a: noise(square(size)), b: noise(square(size), 2) }), operations: 2 * size ** 3 },
]);

/** A convolution from [1, channels, side, side] to [1, out, side / stride, side / stride], as single.py makes it. */
const conv = (name, label, [channels, out, side, kernel, stride = 1, groups = 1]) => ({
  name,
  label: `${label}, ${channels} to ${out} channels, ${side / stride}x${side / stride}`,
  feeds: () => ({ a: noise([1, channels, side, side]) }),
  operations: 2 * kernel ** 2 * (channels / groups) * out * (side / stride) ** 2,
});

const operators = [
  ...matmuls,
  conv('conv1x1', 'Conv 1x1', [256, 256, 28, 1]),
  conv('conv3x3', 'Conv 3x3', [128, 128, 28, 3]),
  conv('conv5x5', 'Conv 5x5', [64, 64, 28, 5]),
  conv('conv7x7', 'Conv 7x7, stride 2', [3, 64, 224, 7, 2]),
  conv('conv-grouped', 'Conv 3x3, 32 groups', [128, 128, 28, 3, 1, 32]),
  conv('depthwise3x3', 'depthwise Conv 3x3', [192, 192, 56, 3, 1, 192]),
  conv('depthwise5x5', 'depthwise Conv 5x5', [192, 192, 28, 5, 1, 192]),
  { name: 'softmax', label: 'Softmax 12x128x128', feeds: () => ({ a: noise([12, 128, 128]) }) },
  { name: 'layernorm', label: 'LayerNormalization 128x768', feeds: () => ({ a: noise([1, 128, 768]) }) },
  { name: 'transpose-nhwc', label: 'Transpose NCHW to NHWC, 64x112x112', feeds: () => ({ a: noise([1, 64, 112, 112]) }) },
  { name: 'transpose-heads', label: 'Transpose of heads, 128x12x64', feeds: () => ({ a: noise([1, 128, 12, 64]) }) },
].map((row) => ({ group: 'operators', model: row.name, ...row }));

const image = (side, name = 'input') => () => ({ [name]: noise([1, 3, side, side]) });
/** Operations of the matrix products of MiniLM-L6's shape. */
const minilmOperations = (sequence) => 6 * 2 * (sequence * (4 * 384 ** 2 + 2 * 384 * 1536) + 2 * sequence ** 2 * 384);
/** Silero's newer models: a chunk of 16 kHz behind its context, and the state of a beginning. */
const voiceChunk = () => ({ input: voice(576), sr: int64s([], () => 16000), state: floats([2, 1, 128], () => 0) });

const networks = [
  { name: 'mobilenetv2', label: 'MobileNetV2 224', feeds: image(224), operations: 6.016e8 },
  { name: 'resnet50', label: 'ResNet-50 224', feeds: image(224), operations: 8.178e9, threads: true },
  { name: 'efficientnet-b0', label: 'EfficientNet-B0 224', feeds: image(224) },
  { name: 'yolo', label: 'YOLOv8n shape 320', feeds: image(320, 'images') },
  { name: 'unet', label: 'U-Net 128', feeds: image(128) },
  { name: 'minilm-s16', label: 'MiniLM-L6 shape, sequence 16', model: 'minilm', feeds: () => tokens(1, 16, 2000), operations: minilmOperations(16) },
  { name: 'minilm-s128', label: 'MiniLM-L6 shape, sequence 128', model: 'minilm', feeds: () => tokens(1, 128, 2000), operations: minilmOperations(128) },
  { name: 'minilm-s512', label: 'MiniLM-L6 shape, sequence 512', model: 'minilm', feeds: () => tokens(1, 512, 2000), operations: minilmOperations(512), threads: true },
  { name: 'gpt', label: 'GPT-like decoder, a token after 128', feeds: () => gptStep(1, 1, 128) },
  { name: 'lstm', label: 'LSTM, 2 layers in 2 directions, 64 steps', feeds: () => ({ x: noise([64, 1, 80]) }) },
  { name: 'decoder-4bit', label: '4-bit decoder layer, a token after 128', feeds: () => decoderStep(1, 1, 128) },
  { name: 'ppocr-det-640', label: 'PP-OCRv4 detection 640x640', model: 'ppocr-det', feeds: () => ({ x: textPage([1, 3, 640, 640]) }), threads: true },
  { name: 'ppocr-rec-320', label: 'PP-OCRv4 recognition 48x320', model: 'ppocr-rec', feeds: () => ({ x: textPage([1, 3, 48, 320]) }), threads: true },
  { name: 'silero-vad-v5', label: 'Silero VAD v5, a chunk', feeds: voiceChunk },
  { name: 'silero-vad-v6', label: 'Silero VAD v6, a chunk', feeds: voiceChunk },
].map((row) => ({ group: 'models', model: row.name, ...row }));

// Where a number lies half way between two codes, the last bit of a scale decides, and what follows sees another code.
const inCodes = 0.03;
// Quantization at run time lets such a difference move the scale of a whole tensor.
const inMovingCodes = 0.06;
// onnxruntime-web rounds to float16 between the nodes, Kinglet does not.
const inHalves = 4e-3;

const quantized = [
  { name: 'minilm-int8-s128', label: 'MiniLM-L6 shape, int8, sequence 128', model: 'minilm-int8', feeds: () => tokens(1, 128, 2000), tolerance: inMovingCodes, float: 'minilm-s128' },
  { name: 'minilm-int8-s16', label: 'MiniLM-L6 shape, int8, sequence 16', model: 'minilm-int8', feeds: () => tokens(1, 16, 2000), tolerance: inMovingCodes, float: 'minilm-s16' },
  { name: 'resnet50-qdq', label: 'ResNet-50 224, int8 QDQ', feeds: image(224), tolerance: inCodes, float: 'resnet50' },
  { name: 'resnet50-qlinear', label: 'ResNet-50 224, int8 QLinear', feeds: image(224), tolerance: inCodes, float: 'resnet50' },
  { name: 'mobilenetv2-qdq', label: 'MobileNetV2 224, int8 QDQ', feeds: image(224), tolerance: inCodes, float: 'mobilenetv2' },
  { name: 'mobilenetv2-qlinear', label: 'MobileNetV2 224, int8 QLinear', feeds: image(224), tolerance: inCodes, float: 'mobilenetv2' },
].map((row) => ({ group: 'int8', model: row.name, ...row }));

const halves = [
  { name: 'mobilenetv2-f16', label: 'MobileNetV2 224, float16', feeds: image(224), operations: 6.016e8 },
  { name: 'resnet50-f16', label: 'ResNet-50 224, float16', feeds: image(224), operations: 8.178e9 },
  { name: 'minilm-f16', label: 'MiniLM-L6 shape, float16, sequence 128', feeds: () => tokens(1, 128, 2000), operations: minilmOperations(128) },
].map((row) => ({ group: 'float16', model: row.name, tolerance: inHalves, ...row }));

/**
 * name; group: operators, models, float16 or int8; label: how tables call it; model: a name of tests/models/catalog.mjs; feeds(): the
 * inputs of a run; operations: 2 per multiply-add, if known; threads: measured with two threads too; float: the case of the
 * same network in float32; tolerance, quantum: for tests/models/results.mjs, where the usual ones do not fit.
 */
export const cases = [...operators, ...networks, ...halves, ...quantized];
