// What the page and its worker say to each other.

import type { Line, ReadTimings } from 'kinglet/ocr';

/** Addresses of the files that reading needs. */
export interface Models {
  detector: string;
  recognizer: string;
  classifier: string;
  dictionary: string;
}

export type Request =
  | { type: 'load'; models: Models }
  /** The worker closes the bitmap. */
  | { type: 'read'; id: number; picture: ImageBitmap }
  | { type: 'cancel'; id: number };

export interface LoadState {
  /** Bytes of the models that have come. */
  loaded: number;
  /** Bytes in all; undefined while a server has not told. */
  total: number | undefined;
  /** Models that are ready to run, of `models`. */
  prepared: number;
  models: number;
}

export interface LoadTimes {
  /** Milliseconds. */
  download: number;
  /** Milliseconds. */
  prepare: number;
  bytes: number;
}

export interface Reading {
  lines: readonly Line[];
  timings: ReadTimings;
  /** Pixels of the picture that `lines` refer to. */
  width: number;
  height: number;
}

/** An error that has crossed from the worker: classes do not. */
export interface Failure {
  name: string;
  message: string;
  /** The address that could not be loaded. */
  url?: string | undefined;
  /** The HTTP status, when a server answered. */
  status?: number | undefined;
  /** No server answered: there is no network, or the server is down. */
  unreachable?: boolean | undefined;
}

export type Reply =
  | { type: 'loading'; state: LoadState }
  | { type: 'loaded'; times: LoadTimes }
  | { type: 'load-failed'; failure: Failure }
  | { type: 'reading'; id: number; done: number; total: number; phase: 'detect' | 'recognize' }
  | { type: 'read'; id: number; reading: Reading }
  | { type: 'read-failed'; id: number; failure: Failure };
