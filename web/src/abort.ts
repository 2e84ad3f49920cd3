import type { AbortSignalLike } from './platform.js';

/** Throws the signal's reason when it is aborted, as the Web platform's own calls do. */
export function throwIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

/** Calls `listener` when the signal aborts; the result stops listening. */
export function onAbort(signal: AbortSignalLike | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}

/** Rejects with the signal's reason when it aborts. */
export function rejection(signal: AbortSignalLike): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else onAbort(signal, () => reject(signal.reason));
  });
}

/** Lets the host paint, deliver events and abort signals before what follows. */
export function pause(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?: () => Promise<void> } };
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}
