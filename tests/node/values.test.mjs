// What a model takes and gives besides tensors: sequences, optionals, maps.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidArgumentError, Session, ShapeError, Tensor } from 'kinglet';
import { identity, model } from './helpers/onnx.mjs';

const a = new Tensor('float32', Float32Array.of(1, 2));
const b = new Tensor('float32', Float32Array.of(3), []);
const plain = (value) => {
  if (value === null || value instanceof Map) return value;
  return Array.isArray(value) ? value.map(plain) : { type: value.type, dims: [...value.dims], data: [...value.data] };
};

async function run(bytes, feeds, check) {
  const session = await Session.load(bytes);
  try {
    return await check(await session.run(feeds), session);
  } finally {
    await session.dispose();
  }
}

describe('values', () => {
  for (const [label, type, text, x] of [
    ['a sequence', { sequence: 'float32' }, 'sequence(float32)', [a, b]],
    ['an empty sequence', { sequence: 'float32' }, 'sequence(float32)', []],
    ['a sequence of packed tensors', { sequence: 'int4' }, 'sequence(int4)', [new Tensor('int4', Uint8Array.of(0x21, 3), [3])]],
    ['a sequence of strings', { sequence: 'string' }, 'sequence(string)', [new Tensor('string', ['x', 'ÿ'])]],
    ['sequences in a sequence', { sequence: { sequence: 'float32' } }, 'sequence(sequence(float32))', [[a], [], [b, a]]],
    ['an optional without a value', { optional: 'float32' }, 'optional(float32)', null],
    ['an optional tensor', { optional: 'float32' }, 'optional(float32)', a],
    ['an optional sequence', { optional: { sequence: 'float32' } }, 'optional(sequence(float32))', [a, b]],
    ['an optional of an optional', { optional: { optional: 'float32' } }, 'optional(optional(float32))', null],
    ['a map of numbers', { map: ['int64', 'float32'] }, 'map(int64, float32)', new Map([[7n, 0.5], [-1n, 2]])],
    ['a map of strings', { map: ['string', 'int64'] }, 'map(string, int64)', new Map([['seven', 7n], ['', 2n]])],
    ['a sequence of maps', { sequence: { map: ['int64', 'float64'] } }, 'sequence(map(int64, float64))', [new Map([[1n, 1.25]]), new Map()]],
  ]) {
    test(`${label} goes through a model`, () =>
      run(identity(type), { x }, ({ y }, session) => {
        assert.equal(session.inputs[0].type, text);
        assert.equal(session.outputs[0].type, text);
        assert.deepEqual(plain(y), plain(x));
      }));
  }

  test('a sequence is built, and its items outlive the runs after it', async () => {
    const bytes = model({
      nodes: [
        { op: 'SequenceConstruct', inputs: ['x', 'x'], outputs: ['pair'] },
        { op: 'Add', inputs: ['x', 'x'], outputs: ['sum'] },
        { op: 'SequenceInsert', inputs: ['pair', 'sum'], outputs: ['all'] },
        { op: 'SequenceLength', inputs: ['all'], outputs: ['length'] },
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['n'] }],
      outputs: [{ name: 'all', type: { sequence: 'float32' } }, { name: 'length', type: 'int64', dims: [] }],
    });
    const session = await Session.load(bytes);
    const first = await session.run({ x: a });
    const second = await session.run({ x: new Tensor('float32', Float32Array.of(10)) });
    assert.deepEqual(first.all.map(({ data }) => [...data]), [[1, 2], [1, 2], [2, 4]]);
    assert.deepEqual(second.all.map(({ data }) => [...data]), [[10], [10], [20]]);
    assert.deepEqual([...first.length.data], [3n]);
    await session.dispose();
  });

  for (const [label, type, x, error, message] of [
    ['a tensor for a sequence', { sequence: 'float32' }, a, ShapeError, /expected sequence\(float32\), got float32\[2\]/],
    ['another element type in a sequence', { sequence: 'int64' }, [a], ShapeError, /expected sequence\(int64\)/],
    ['an empty optional for a tensor', 'float32', null, ShapeError, /expected float32, got no value$/],
    ['a sequence for a tensor', 'float32', [a], ShapeError, /expected float32, got sequence\[1\]/],
    ['keys of another type', { map: ['int64', 'float32'] }, new Map([['no number', 1]]), InvalidArgumentError, /holds what is no int64/],
    ['undefined', { sequence: 'float32' }, undefined, InvalidArgumentError, /'x' must be a Tensor .*; got undefined$/],
    ['an object inside a sequence', { sequence: 'float32' }, [a, {}], InvalidArgumentError, /'x' must be a Tensor .*; got object$/],
  ]) {
    test(`refuses ${label}; the session goes on`, async () => {
      const session = await Session.load(identity(type));
      await assert.rejects(session.run({ x }), (thrown) => {
        assert.ok(thrown instanceof error, `${thrown}`);
        assert.match(thrown.message, message);
        return true;
      });
      const good = type === 'float32' ? a : type.map ? new Map() : [];
      await session.run({ x: good });
      await session.dispose();
    });
  }
});
