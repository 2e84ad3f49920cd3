// What Kinglet needs of the host's own classes, as structures: the published types name no global of a
// browser or of Node, so they compile with any `lib`. The real classes fit.

export interface UrlLike {
  readonly href: string;
}

export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface StreamReaderLike {
  read(): Promise<{ done: boolean; value?: unknown }>;
  cancel(reason?: unknown): Promise<unknown>;
}

export interface ReadableStreamLike {
  getReader(): unknown;
  readonly locked: boolean;
}

export interface BlobLike {
  readonly size: number;
  readonly type: string;
  stream(): unknown;
}

export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  readonly bodyUsed: boolean;
  readonly headers: { get(name: string): string | null };
  readonly body: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface RequestLike {
  readonly url: string;
  readonly method: string;
}

/** Any typed array or `DataView`. */
export interface BytesLike {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}
