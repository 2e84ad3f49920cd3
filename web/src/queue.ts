/** Runs tasks one after another, in the order of their calls, whether they succeed or fail. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /** The result of `task`, which starts when all before it have ended. By await, so that an error's stack leads to the caller. */
  async add<T>(task: () => T | Promise<T>): Promise<T> {
    const before = this.#last;
    let end: () => void;
    this.#last = new Promise<void>((resolve) => (end = resolve));
    await before;
    try {
      return await task();
    } finally {
      end!();
    }
  }
}
