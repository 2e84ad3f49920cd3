export interface ProgressElements {
  /** A live region: what goes on, in words that change seldom. */
  status: HTMLElement;
  /** Numbers that change often; not announced. */
  detail: HTMLElement;
  bar: HTMLProgressElement;
}

/** The line that says what goes on, and the bar below it. */
export class ProgressView {
  readonly #elements: ProgressElements;
  #rested: string;

  constructor(elements: ProgressElements) {
    this.#elements = elements;
    this.#rested = elements.status.textContent ?? '';
  }

  /** @param fraction done, [0, 1]; undefined while that is unknown */
  working(status: string, detail: string, fraction: number | undefined): void {
    this.#say(status, detail);
    const { bar } = this.#elements;
    bar.hidden = false;
    if (fraction === undefined) bar.removeAttribute('value');
    else bar.value = fraction;
  }

  /** @param status default: what it was at the last rest */
  resting(status = this.#rested): void {
    this.#rested = status;
    this.#say(status, '');
    this.#elements.bar.hidden = true;
  }

  #say(text: string, numbers: string): void {
    const { status, detail } = this.#elements;
    // The same words again would be announced again.
    if (status.textContent !== text) status.textContent = text;
    detail.textContent = numbers;
  }
}
