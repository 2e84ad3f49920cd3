import type { CoreError } from './errors/from-core.js';

/** `{error}` instead of a result: bindings/embind/boundary.hpp. */
export interface Failure {
  error: CoreError;
}
type Result<T> = T | Failure;

export interface CoreValue {
  name: string;
  type: string;
  dims: (number | string | null)[] | null;
}

/** A tensor: strings, or where its bytes lie until the next run. */
export interface CoreTensor {
  type: string;
  dims: number[];
  strings?: string[];
  address?: number;
  bytes?: number;
}

/** An output; `map` holds the keys and the values, null is an optional without a value. */
export type CoreOutput = CoreTensor | { items: CoreOutput[] } | { map: [CoreTensor, CoreOutput] } | null;

/** One node's share of a run; `dims` are those of its outputs. */
export interface CoreNodeTime {
  node: string;
  op: string;
  ms: number;
  dims: number[][];
}

export type Point = [x: number, y: number];
export type Quad = [Point, Point, Point, Point];

export interface TextBox {
  box: Quad;
  /** Mean probability inside, [0, 1]. */
  score: number;
}

export interface TextBoxOptions {
  threshold: number;
  boxThreshold: number;
  unclipRatio: number;
  minSide: number;
  maxBoxes: number;
}

/** What bindings/embind exports. Addresses are offsets into the wasm memory, sizes are bytes. */
export interface Core {
  reserveFile(location: string, size: number): Result<number>;
  finishFile(location: string, size: number): Result<undefined>;
  load(optimize: boolean, without: readonly string[]): Result<undefined>;
  inputs(): Result<CoreValue[]>;
  outputs(): Result<CoreValue[]>;
  feed(name: string, type: string, dims: readonly number[]): Result<number>;
  feedStrings(name: string, elements: readonly string[], dims: readonly number[]): Result<undefined>;
  feedNone(name: string): Result<undefined>;
  openFeed(name: string, isMap: boolean): Result<undefined>;
  closeFeed(): Result<undefined>;
  run(outputs: readonly string[]): Result<CoreOutput[]>;
  profile(): Result<CoreNodeTime[]>;
  releaseFeeds(): void;
  memory(): Result<{ weights: number; activations: number }>;
  describe(): Result<string>;

  readonly lineHeight: number;
  readonly orientationWidth: number;
  setImage(width: number, height: number): Result<number>;
  clearImage(): void;
  detectionSize(shortSide: boolean, side: number): Result<{ width: number; height: number }>;
  detectionInput(address: number, width: number, height: number): Result<undefined>;
  textBoxes(address: number, width: number, height: number, options: TextBoxOptions): Result<TextBox[]>;
  upright(quad: Quad): Result<Quad>;
  halfTurn(quad: Quad): Result<Quad>;
  readingOrder(quads: readonly Readonly<Quad>[]): Result<number[]>;
  lineWidth(quad: Quad): Result<number>;
  recognizerInput(quads: Quad[], width: number): Result<number>;
  classifierInput(quad: Quad): Result<number>;
  isUpsideDown(address: number, count: number): Result<boolean>;
  loadDictionary(text: string, classes: number): Result<undefined>;
  decodeLine(address: number, steps: number, classes: number): Result<{ text: string; confidence: number }>;
}

/** What the binaries over shared memory export besides: bindings/embind/threads.cpp. */
export interface ThreadCore extends Core {
  startThreads(threads: number, mayBlock: boolean): Result<{ entry: number; blocks: number[] }>;
  stopThreads(): void;
}

/** The functions of `Core`. */
export type CoreCall = {
  [K in keyof Core]: Core[K] extends (...args: never[]) => unknown ? K : never;
}[keyof Core];

/** What a call answers when it does not fail. */
export type Answer<K extends CoreCall> = Exclude<ReturnType<Core[K]>, Failure>;
