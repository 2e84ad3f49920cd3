import type { UrlLike } from './platform.js';
import type { ByteSource } from './sources.js';
import type { ThreadHost } from './threads/host.js';
import type { Variant } from './variant.js';

/** What differs between hosts. The build puts the file of env/ that fits in the place of '#environment'. */
export interface Environment {
  /** Where the package's own .wasm is: an address, or the compiled module. */
  binary(variant: Variant): URL | WebAssembly.Module;
  /** False where the host compiles no bytes: probes cannot run there. */
  readonly compiles: boolean;
  /** Fetches the part of the package that has threads; undefined where there are none. */
  loadThreads?: (() => Promise<{ host: ThreadHost }>) | undefined;
  /** Resolves as `work` does, which only WebAssembly's own promises may be left to end; undefined where any host does. */
  stayAwake?<T>(work: Promise<T>): Promise<T>;
  /** Opens a local file; undefined when `location` is an address to fetch. */
  openFile?(location: string | UrlLike): Promise<ByteSource> | undefined;
}
