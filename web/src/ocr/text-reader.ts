/// <reference lib="esnext.disposable" preserve="true" />
import type { Point } from '../core.js';
import {
  internal,
  InvalidArgumentError,
  type LoadProgress,
  Session,
  type Source,
  type WasmOptions,
} from '../index.js';
import type { AbortSignalLike } from '../platform.js';
import { type DetectionSize, detect } from './detector.js';
import { checkPicture, type Picture } from './picture.js';
import { recognize, straighten } from './recognizer.js';

/** The models of PP-OCR (v3, v4) as ONNX files. */
export interface TextReaderSources {
  /** Finds lines: [1, 3, height, width] to a probability map [1, 1, height, width]. */
  detector: Source;
  /** Reads a line: [1, 3, 48, width] to the probabilities [1, steps, classes]. */
  recognizer: Source;
  /** The recognizer's symbols: UTF-8 text, one a line, in the order of its classes. */
  dictionary: Source;
  /** Tells lines that are upside down: [1, 3, 48, 192] to probabilities [1, 2]. Without it they are misread. */
  classifier?: Source | undefined;
}

export interface TextReaderProgress extends LoadProgress {
  /** Which of the models it is about. */
  readonly model: 'detector' | 'recognizer' | 'classifier';
}

export interface TextReaderOptions extends WasmOptions {
  onProgress?: ((progress: TextReaderProgress) => void) | undefined;
  signal?: AbortSignalLike | undefined;
}

export interface ReadProgress {
  readonly phase: 'detect' | 'recognize';
  /** Lines that are read. */
  readonly done: number;
  /** Lines that were found; 0 while they are being looked for. */
  readonly total: number;
}

export interface ReadOptions {
  onProgress?: ((progress: ReadProgress) => void) | undefined;
  /** Ends reading after the step at hand; `read` then throws the signal's reason. */
  signal?: AbortSignalLike | undefined;
  /** How the picture is scaled for the detector. Default: shrunk until no side is above 960 pixels. */
  detection?: Partial<DetectionSize> | undefined;
  /** Boxes whose mean probability is lower are dropped, [0, 1]. Default 0.6. */
  minBoxScore?: number | undefined;
  /** Lines that the recognizer is less sure of are dropped, [0, 1]. Default 0.5. */
  minConfidence?: number | undefined;
}

/** A line of text. */
export interface Line {
  readonly text: string;
  /** Mean probability of the symbols, [0, 1]. */
  readonly confidence: number;
  /** Corners in pixels of the picture, from the start of the line's upper edge on, clockwise. */
  readonly box: readonly [Point, Point, Point, Point];
}

/** Milliseconds, summed over all lines. */
export interface ReadTimings {
  readonly detectPreprocess: number;
  readonly detect: number;
  readonly detectPostprocess: number;
  readonly classify: number;
  readonly recognizePreprocess: number;
  /** The recognizer's runs and the decoding of what they give. */
  readonly recognize: number;
  readonly total: number;
}

export interface ReadResult {
  /** In reading order. */
  readonly lines: readonly Line[];
  readonly timings: ReadTimings;
}

const asyncDisposeSymbol: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

const loadOptions: Record<keyof TextReaderOptions, true> = { ...internal.wasmOptions, onProgress: true, signal: true };
const needed: Record<Exclude<keyof TextReaderSources, 'classifier'>, true> = { detector: true, recognizer: true, dictionary: true };
const readOptions: Record<keyof ReadOptions, true> = {
  onProgress: true,
  signal: true,
  detection: true,
  minBoxScore: true,
  minConfidence: true,
};

function checkSources(sources: TextReaderSources): void {
  internal.checkOptions('TextReader.load', sources, { ...needed, classifier: true });
  for (const name of Object.keys(needed) as (keyof typeof needed)[]) internal.checkSource(sources[name], `the ${name}`);
  if (sources.classifier != null) internal.checkSource(sources.classifier, 'the classifier');
}

/** The dims of a model's only output, which tell another model at once: files are easily mixed up. */
function checkOutput(what: string, { outputs }: Session, expected: string[]): readonly (number | string | null)[] {
  const dims = outputs[0]?.dims ?? expected.map(() => null);
  if (dims.length === expected.length) return dims;
  const given = dims.map((dim) => dim ?? '?').join(',');
  throw new InvalidArgumentError(`the ${what} must give [${expected.join(',')}], this model gives [${given}]: is it another model?`);
}

/**
 * Reads the text in pictures, with PP-OCR's models.
 *
 * ```ts
 * const reader = await TextReader.load({ detector, recognizer, dictionary });
 * const { lines } = await reader.read(context.getImageData(0, 0, width, height));
 * console.log(lines.map((line) => line.text).join('\n'));
 * ```
 */
export class TextReader {
  /** @internal */
  static readonly name = 'TextReader'; // minifiers rename classes
  readonly #detector: Session;
  readonly #recognizer: Session;
  readonly #classifier: Session | undefined;
  readonly #queue = new internal.Queue();
  #disposed: Promise<void> | undefined;

  private constructor(detector: Session, recognizer: Session, classifier: Session | undefined) {
    if (!(detector instanceof Session)) throw new InvalidArgumentError('a TextReader is not made with new: use TextReader.load');
    this.#detector = detector;
    this.#recognizer = recognizer;
    this.#classifier = classifier;
  }

  /**
   * Loads the models.
   * @throws what `Session.load` throws; InvalidArgumentError when the dictionary is no list of the recognizer's symbols, or a
   * model has the place of another
   */
  static async load(sources: TextReaderSources, options: TextReaderOptions = {}): Promise<TextReader> {
    checkSources(sources);
    internal.checkOptions('TextReader.load', options, loadOptions);
    const { onProgress, signal, ...wasm } = options;
    const controller = new AbortController();
    const abort = () => controller.abort(signal!.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    const load = (model: TextReaderProgress['model'], source: Source) =>
      Session.load(source, {
        ...wasm,
        signal: controller.signal,
        onProgress: onProgress && ((progress) => onProgress({ ...progress, model })),
      });
    const loading = [
      load('detector', sources.detector),
      load('recognizer', sources.recognizer),
      ...(sources.classifier == null ? [] : [load('classifier', sources.classifier)]),
    ];
    try {
      const reading = internal.readText(sources.dictionary, controller.signal, 'the dictionary');
      const [dictionary, detector, recognizer, classifier] = await Promise.all([reading, ...loading]);
      checkOutput('detector', detector!, ['1', '1', 'height', 'width']);
      const [, , classes] = checkOutput('recognizer', recognizer!, ['1', 'steps', 'classes']);
      if (classifier) checkOutput('classifier', classifier, ['1', '2']);
      const known = typeof classes === 'number' ? classes : 0;
      await recognizer!.enqueue((instance) => instance.call('loadDictionary', dictionary, known));
      return new TextReader(detector!, recognizer!, classifier);
    } catch (error) {
      controller.abort(error);
      for (const session of await Promise.allSettled(loading)) {
        if (session.status === 'fulfilled') await session.value.dispose();
      }
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Finds and reads the lines of a picture. The thread is free for events between the steps (the detector's
   * run, each line). Calls at the same time take place one after another.
   * @throws InvalidArgumentError for a picture whose sizes do not fit, or a disposed reader
   * @throws OutOfMemoryError, and the signal's reason
   */
  async read(picture: Picture, options: ReadOptions = {}): Promise<ReadResult> {
    if (this.#disposed) throw new InvalidArgumentError('the reader is disposed');
    internal.checkOptions('reader.read', options, readOptions);
    checkPicture(picture);
    return this.#queue.add(() =>
      this.#read(picture, options).finally(() =>
        this.#detector.enqueue((instance) => instance.call('clearImage')),
      ),
    );
  }

  async #read(picture: Picture, options: ReadOptions): Promise<ReadResult> {
    const { signal, onProgress } = options;
    const start = performance.now();
    internal.throwIfAborted(signal);
    onProgress?.({ phase: 'detect', done: 0, total: 0 });
    await internal.pause();
    const { boxes, ...detection } = await detect(
      this.#detector,
      picture,
      { limit: 'long', side: 960, ...options.detection },
      {
        threshold: 0.3,
        boxThreshold: options.minBoxScore ?? 0.6,
        unclipRatio: 2,
        minSide: 3,
        maxBoxes: 1000,
      },
    );
    const lines: Line[] = [];
    const spent = { classify: 0, recognizePreprocess: 0, recognize: 0 };
    for (const [i, found] of boxes.entries()) {
      onProgress?.({ phase: 'recognize', done: i, total: boxes.length });
      await internal.pause();
      internal.throwIfAborted(signal);
      const begun = performance.now();
      const box = this.#classifier ? await straighten(this.#detector, this.#classifier, found) : found;
      spent.classify += performance.now() - begun;
      const { confidence, preprocess, run, ...decoded } = await recognize(
        this.#detector,
        this.#recognizer,
        box,
      );
      const text = decoded.text.trim();
      spent.recognizePreprocess += preprocess;
      spent.recognize += run;
      if (text !== '' && confidence >= (options.minConfidence ?? 0.5)) lines.push({ text, confidence, box });
    }
    onProgress?.({ phase: 'recognize', done: boxes.length, total: boxes.length });
    // Lines that were found upside down tell which way the whole picture is read.
    const order = await this.#detector.enqueue((instance) =>
      instance.call(
        'readingOrder',
        lines.map(({ box }) => box),
      ),
    );
    const { preprocess, run, postprocess } = detection;
    return {
      lines: order.map((i) => lines[i]!),
      timings: {
        detectPreprocess: preprocess,
        detect: run,
        detectPostprocess: postprocess,
        ...spent,
        total: performance.now() - start,
      },
    };
  }

  /** Gives all memory back when the pictures that were asked for are read. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#queue.add(async () => {
      await Promise.all(
        [this.#detector, this.#recognizer, this.#classifier].map((session) => session?.dispose()),
      );
    });
    return this.#disposed;
  }

  /** As `dispose()`, for `await using`. */
  [asyncDisposeSymbol](): Promise<void> {
    return this.dispose();
  }
}
