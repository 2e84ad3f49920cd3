import type { ThreadTask } from './host.js';

/**
 * A worker's part: an instance over the session's memory, which works until the session ends.
 * @param ready called when the instance is there; after it the worker hears no messages
 */
export function runThread({ module, memory, entry, block }: ThreadTask, ready: () => void): void {
  // Kernels call nothing of JavaScript's. What asks for more memory gets none, and so throws std::bad_alloc.
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = kind === 'memory' ? memory : () => 0;
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  const table = Object.values(exports).find((value) => value instanceof WebAssembly.Table)!;
  const work = table.get(entry) as (block: number) => void;
  ready();
  try {
    work(block);
  } catch (error) {
    work(block); // tells the session that this thread is lost
    throw error;
  }
}
