export {
  type Line,
  type ReadOptions,
  type ReadProgress,
  type ReadResult,
  type ReadTimings,
  TextReader,
  type TextReaderOptions,
  type TextReaderProgress,
  type TextReaderSources,
} from './ocr/text-reader.js';
export type { Picture } from './ocr/picture.js';
