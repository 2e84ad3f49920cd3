// The benchmark's cases and engines: one row each. Used in Node and in the page, so it imports nothing of Node.
import { noise, textPage, tokens } from '../../tests/models/inputs.mjs';

// Where a number lies half way between two codes, the last bit of a scale decides, and what follows sees another code.
const inCodes = 0.03;
// Quantization at run time lets such a difference move the scale of a whole tensor.
const inMovingCodes = 0.06;

/**
 * name; label: how tables call it; model: a name of tests/models/catalog.mjs; feeds(): the inputs of a run; tolerance: of
 * results, as faults() takes it;
 * target: the least ratio to the baseline that the project promises, if any; operations: 2 per multiply-add, if known.
 */
export const cases = [
  { name: 'matmul512', label: 'MatMul 512x512, constant B', model: 'matmul512', feeds: () => ({ a: noise([512, 512]) }), target: 1.6, operations: 2 * 512 ** 3 },
  { name: 'matmul1024', label: 'MatMul 1024x1024, constant B', model: 'matmul1024', feeds: () => ({ a: noise([1024, 1024]) }), operations: 2 * 1024 ** 3 },
  { name: 'mobilenetv2', label: 'MobileNetV2 224', model: 'mobilenetv2', feeds: () => ({ input: noise([1, 3, 224, 224]) }), target: 1.5 },
  { name: 'resnet50', label: 'ResNet-50 224', model: 'resnet50', feeds: () => ({ input: noise([1, 3, 224, 224]) }), target: 1.5 },
  { name: 'ppocr-det-640', label: 'PP-OCRv4 detection 640x640', model: 'ppocr-det', feeds: () => ({ x: textPage([1, 3, 640, 640]) }), target: 1.5 },
  { name: 'ppocr-rec-320', label: 'PP-OCRv4 recognition 48x320', model: 'ppocr-rec', feeds: () => ({ x: textPage([1, 3, 48, 320]) }), target: 1.5 },
  { name: 'minilm-s128', label: 'MiniLM-L6 shape, sequence 128', model: 'minilm', feeds: () => tokens(1, 128, 2000) },
  { name: 'minilm-s16', label: 'MiniLM-L6 shape, sequence 16', model: 'minilm', feeds: () => tokens(1, 16, 2000) },
  { name: 'efficientnet-b0', label: 'EfficientNet-B0 224', model: 'efficientnet-b0', feeds: () => ({ input: noise([1, 3, 224, 224]) }) },
  { name: 'unet', label: 'U-Net 128', model: 'unet', feeds: () => ({ input: noise([1, 3, 128, 128]) }) },
  { name: 'yolo', label: 'YOLOv8n shape 320', model: 'yolo', feeds: () => ({ images: noise([1, 3, 320, 320]) }) },
  { name: 'minilm-int8-s128', label: 'MiniLM-L6 shape, int8, sequence 128', model: 'minilm-int8', feeds: () => tokens(1, 128, 2000), tolerance: inMovingCodes, target: 1.4 },
  { name: 'minilm-int8-s16', label: 'MiniLM-L6 shape, int8, sequence 16', model: 'minilm-int8', feeds: () => tokens(1, 16, 2000), tolerance: inMovingCodes },
  { name: 'resnet50-qdq', label: 'ResNet-50 224, int8 QDQ', model: 'resnet50-qdq', feeds: () => ({ input: noise([1, 3, 224, 224]) }), tolerance: inCodes, target: 1.4 },
  { name: 'resnet50-qlinear', label: 'ResNet-50 224, int8 QLinear', model: 'resnet50-qlinear', feeds: () => ({ input: noise([1, 3, 224, 224]) }), tolerance: inCodes, target: 1.4 },
  { name: 'mobilenetv2-qdq', label: 'MobileNetV2 224, int8 QDQ', model: 'mobilenetv2-qdq', feeds: () => ({ input: noise([1, 3, 224, 224]) }), tolerance: inCodes },
  { name: 'mobilenetv2-qlinear', label: 'MobileNetV2 224, int8 QLinear', model: 'mobilenetv2-qlinear', feeds: () => ({ input: noise([1, 3, 224, 224]) }), tolerance: inCodes },
];

/**
 * name; factory: an engine of tests/models/engines.mjs; options: what it is made with. The first is the baseline; `control` is the
 * baseline once more: its ratio tells how far from 1 the noise reaches. */
export const engineRows = [
  { name: 'onnxruntime-web', factory: 'ort', options: { threads: 1 } },
  { name: 'control', factory: 'ort', options: { threads: 1 } },
  { name: 'kinglet', factory: 'kinglet', options: {} },
  { name: 'kinglet-simd', factory: 'kinglet', options: { variant: 'simd' } },
];
