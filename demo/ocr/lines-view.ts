import type { Line } from 'kinglet/ocr';

const svg = 'http://www.w3.org/2000/svg';

export interface LinesElements {
  list: HTMLElement;
  /** Lies over the picture. */
  boxes: SVGSVGElement;
}

/**
 * The lines of text and their boxes on the picture: pointing at one, or focusing it, shows the other. The list is one tab
 * stop; the arrow keys, Home and End move inside it.
 */
export class LinesView {
  readonly #list: HTMLElement;
  readonly #boxes: SVGSVGElement;
  #items: HTMLElement[] = [];
  #shapes: SVGElement[] = [];

  constructor({ list, boxes }: LinesElements) {
    this.#list = list;
    this.#boxes = boxes;
    list.addEventListener('keydown', (event) => this.#move(event));
    for (const [element, ends] of [[list, ['pointerleave', 'focusout']], [boxes, ['pointerleave']]] as const) {
      for (const end of ends) element.addEventListener(end, () => this.#show(this.#focused));
    }
  }

  get text(): string {
    return this.#items.map((item) => item.textContent).join('\n');
  }

  clear(): void {
    this.#items = [];
    this.#shapes = [];
    this.#list.replaceChildren();
    this.#boxes.replaceChildren();
  }

  /** @param size pixels of the picture that the lines' boxes refer to */
  show(lines: readonly Line[], size: { width: number; height: number }): void {
    this.clear();
    this.#boxes.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    for (const [i, line] of lines.entries()) {
      const item = document.createElement('li');
      item.textContent = line.text;
      item.dataset['confidence'] = `${Math.floor(line.confidence * 100)}%`;
      item.tabIndex = i === 0 ? 0 : -1;
      item.addEventListener('pointerenter', () => this.#show(i));
      item.addEventListener('focus', () => this.#show(i));
      this.#items.push(item);

      const shape = document.createElementNS(svg, 'polygon');
      shape.setAttribute('class', 'box');
      shape.setAttribute('points', line.box.map((point) => point.join(',')).join(' '));
      shape.addEventListener('pointerenter', () => {
        this.#show(i);
        item.scrollIntoView({ block: 'nearest' });
      });
      shape.addEventListener('click', () => this.#focus(i));
      this.#shapes.push(shape);
    }
    this.#list.replaceChildren(...this.#items);
    this.#boxes.replaceChildren(...this.#shapes);
  }

  get #focused(): number {
    return this.#items.indexOf(document.activeElement as HTMLElement);
  }

  #show(active: number): void {
    for (const [i, item] of this.#items.entries()) {
      item.classList.toggle('active', i === active);
      this.#shapes[i]?.classList.toggle('active', i === active);
    }
  }

  #focus(i: number): void {
    for (const [k, item] of this.#items.entries()) item.tabIndex = k === i ? 0 : -1;
    this.#items[i]?.focus();
  }

  #move(event: KeyboardEvent): void {
    const last = this.#items.length - 1;
    const from = this.#focused;
    const targets: Record<string, number> = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: last };
    const to = targets[event.key];
    if (to === undefined || from < 0) return;
    event.preventDefault();
    this.#focus(Math.min(Math.max(to, 0), last));
  }
}
