// Dims of inputs, from the command line.
import type { ValueInfo } from '../index.js';
import { byName, splitAtLast } from './arguments.js';
import { UsageError } from './usage-error.js';

function wholeNumbers(texts: readonly string[], argument: string): number[] {
  const numbers = texts.map((text) => (/^\d+$/.test(text) ? Number(text) : NaN));
  if (!numbers.every(Number.isSafeInteger)) throw new UsageError(`'${argument}' must be whole numbers, such as 1x3x224x224`);
  return numbers;
}

/** `input=1x3x224x224` to dims by input; `input=` is a scalar. */
export function readShapes(given: readonly string[]): Map<string, number[]> {
  return byName('shape', given, (argument, option) => {
    const [name, text] = splitAtLast(argument, option);
    return [name, text === '' ? [] : wholeNumbers(text.split(/[x,]/), argument)];
  });
}

/** `batch=4` to numbers by name. */
export function readDims(given: readonly string[]): Map<string, number> {
  return byName('dim', given, (argument, option) => {
    const [name, text] = splitAtLast(argument, option);
    return [name, wholeNumbers([text], argument)[0]!];
  });
}

export function describe({ name, type, dims }: ValueInfo): string {
  return `${name}: ${type}${dims ? `[${dims.map((dim) => dim ?? '?').join(', ')}]` : ''}`;
}

const option = (name: string, shape: readonly number[]) => `--shape ${name}=${shape.join('x')}`;

function checkFit(input: ValueInfo, shape: readonly number[]): void {
  const { name, dims } = input;
  const fits = !dims || (dims.length === shape.length && dims.every((dim, i) => typeof dim !== 'number' || dim === shape[i]));
  if (!fits) throw new UsageError(`${option(name, shape)} does not fit ${describe(input)}`);
}

/** Named dims with their numbers, from --dim and from the shapes that --shape gives to inputs; these must agree. */
export function dimsByName(
  inputs: readonly ValueInfo[],
  shapes: ReadonlyMap<string, number[]>,
  named: ReadonlyMap<string, number>,
): Map<string, number> {
  const told = new Map([...named].map(([name, value]) => [name, { value, by: `--dim ${name}=${value}` }]));
  for (const input of inputs) {
    const shape = shapes.get(input.name);
    if (!shape) continue;
    checkFit(input, shape);
    const by = option(input.name, shape);
    for (const [i, dim] of (input.dims ?? []).entries()) {
      if (typeof dim !== 'string') continue;
      const value = shape[i]!;
      const before = told.get(dim) ?? { value, by };
      if (before.value !== value) {
        const both = before.by === by ? `${by} contradicts itself` : `${before.by} and ${by} contradict each other`;
        throw new UsageError(`${both}: '${dim}' is ${before.value} or ${value}`);
      }
      told.set(dim, before);
    }
  }
  return new Map([...told].map(([name, { value }]) => [name, value]));
}
