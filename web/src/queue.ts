/** Runs tasks one after another, in the order of their calls, whether they succeed or fail. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /** The result of `task`, which starts when all before it have ended. */
  add<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.then(ignore, ignore);
    return result;
  }
}

function ignore(): void {}
