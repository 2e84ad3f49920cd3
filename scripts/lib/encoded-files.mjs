// The content codings of HTTP, for files that get smaller by them.

import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** The better one first. A .wasm of 1.1 MB takes brotli 0.15 s at this quality. */
const encoders = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes) => promisify(gzip)(bytes),
};

/** By media type. A model's weights hardly shrink: models go out as they are, so that their length can be told. */
export const isCompressible = (type) => /^text\/|json|svg|wasm/.test(type);

/** The coding to use for a request with this Accept-Encoding; undefined for none. */
export function wantedEncoding(accepted = '') {
  const offers = accepted.toLowerCase().split(',').filter((offer) => !/;\s*q=0(\.0*)?\s*$/.test(offer));
  const names = offers.map((offer) => offer.split(';')[0].trim());
  return Object.keys(encoders).find((name) => names.includes(name));
}

/** Encodes each version of a file once, and keeps the newest. */
export class EncodedFiles {
  #kept = new Map();

  /** Resolves to the bytes of `file` in a coding. `version` tells whether it is still the same. */
  bytes(file, version, encoding) {
    const key = `${encoding} ${file}`;
    const kept = this.#kept.get(key);
    if (kept?.version === version) return kept.bytes;
    const bytes = readFile(file).then(encoders[encoding]);
    this.#kept.set(key, { version, bytes });
    bytes.catch(() => this.#kept.delete(key));
    return bytes;
  }
}
