// Session.profile: which nodes of a model take how long.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { InvalidArgumentError, Session, ShapeError, Tensor } from 'kinglet';
import { model } from './helpers/onnx.mjs';

const size = 192;

/** A matrix product, which takes long, and a sine of one number, which does not. */
function uneven() {
  const data = new Float32Array(size * size).fill(0.01);
  return model({
    nodes: [
      { op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['y'] },
      { op: 'Sin', name: 'sine', inputs: ['a'], outputs: ['b'] },
    ],
    inputs: [{ name: 'x', type: 'float32', dims: ['rows', size] }, { name: 'a', type: 'float32', dims: [] }],
    outputs: [{ name: 'y', type: 'float32' }, { name: 'b', type: 'float32' }],
    constants: [{ name: 'w', type: 'float32', dims: [size, size], data }],
  });
}

const feeds = (rows) => ({
  x: new Tensor('float32', new Float32Array(rows * size).fill(1), [rows, size]),
  a: new Tensor('float32', Float32Array.of(0.5), []),
});

describe('Session.profile', () => {
  let session;
  before(async () => {
    session = await Session.load(uneven());
  });

  test('tells name, operator, time, calls and output shapes of every node', async () => {
    const { runs, ms, nodes } = await session.profile(feeds(64), { runs: 5 });
    assert.equal(runs, 5);
    assert.deepEqual(nodes.map(({ name, op, calls, dims }) => [name, op, calls, dims]), [
      ['product', 'MatMul', 1, [[64, size]]],
      ['sine', 'Sin', 1, [[]]],
    ]);
    assert.ok(nodes[0].ms > nodes[1].ms && nodes[1].ms >= 0, JSON.stringify(nodes));
    assert.ok(Math.abs(ms - nodes[0].ms - nodes[1].ms) < 1e-9);
  });

  test('leaves results as they are, and takes its turn among runs', async () => {
    const [before1, , after1] = await Promise.all([session.run(feeds(2)), session.profile(feeds(3), { runs: 2 }), session.run(feeds(2))]);
    assert.deepEqual(after1.y.data, before1.y.data);
    assert.deepEqual(after1.y.dims, [2, size]);
  });

  test('refuses what run() refuses, and counts that are none', async () => {
    await assert.rejects(session.profile({ x: feeds(1).x }), InvalidArgumentError);
    await assert.rejects(session.profile({ ...feeds(1), x: feeds(1).a }), ShapeError);
    for (const options of [{ runs: 0 }, { runs: 1.5 }, { runs: '3' }, { warmUp: -1 }, { signal: 'now' }]) {
      await assert.rejects(session.profile(feeds(1), options), InvalidArgumentError, JSON.stringify(options));
    }
    const reason = new Error('enough');
    await assert.rejects(session.profile(feeds(1), { signal: AbortSignal.abort(reason) }), reason);
    assert.equal((await session.profile(feeds(1), { runs: 1, warmUp: 0 })).nodes.length, 2);
  });
});
