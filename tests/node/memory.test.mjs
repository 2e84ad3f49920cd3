import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OutOfMemoryError, Session, Tensor } from 'kinglet';
import { addOne, fill, identity, model } from './helpers/onnx.mjs';

const shape = (...dims) => ({ shape: new Tensor('int64', BigInt64Array.from(dims, BigInt)) });
const GiB = 2 ** 30;

describe('memory', () => {
  test('says what a session uses', async () => {
    const weights = new Float32Array(1 << 20);
    const session = await Session.load(model({
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [1] }],
      outputs: [{ name: 'y', type: 'float32', dims: [weights.length] }],
      constants: [{ name: 'w', type: 'float32', dims: [weights.length], data: weights }],
    }));
    const loaded = session.memory;
    assert.ok(loaded.weights >= weights.byteLength, `weights: ${loaded.weights}`);
    assert.ok(loaded.weights < 1.1 * weights.byteLength, `weights: ${loaded.weights}`);
    assert.ok(loaded.heap >= loaded.weights);
    await session.run({ x: new Tensor('float32', Float32Array.of(1)) });
    assert.ok(session.memory.activations >= weights.byteLength);
  });

  test('weights are held once, and the heap is hardly larger than what is in it', async () => {
    const size = 2048;
    const square = (name, seed) => {
      const data = new Float32Array(size * size).fill(seed / size);
      return { name, type: 'float32', dims: [size, size], data };
    };
    const session = await Session.load(model({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'a'], outputs: ['xa'] },
        { op: 'Relu', inputs: ['xa'], outputs: ['r'] },
        { op: 'Gemm', inputs: ['r', 'b'], outputs: ['rb'] },
        { op: 'MatMul', inputs: ['rb', 'c'], outputs: ['y'] },
        { op: 'MatMul', inputs: ['y', 'd'], outputs: ['z'] },
      ],
      inputs: [{ name: 'x', type: 'float32', dims: [4, size] }],
      outputs: [{ name: 'z', type: 'float32', dims: [4, size] }],
      constants: [square('a', 1), square('b', 2), square('c', 3), square('d', 0.5)],
    }));
    const { z } = await session.run({ x: new Tensor('float32', new Float32Array(4 * size).fill(1), [4, size]) });
    assert.ok(z.data.every((v) => Math.abs(v - 3) < 1e-3));
    const { weights, activations, heap } = session.memory;
    assert.equal(weights, 4 * 4 * size * size);
    assert.ok(heap <= 1.2 * (weights + activations) + 4e6, `heap ${heap}, weights ${weights}, activations ${activations}`);
  });

  test('a steady run takes no more of it', async () => {
    const session = await Session.load(identity('float32'));
    const feeds = { x: new Tensor('float32', new Float32Array(100_000)) };
    await session.run(feeds);
    const first = session.memory;
    for (let i = 0; i < 200; i++) await session.run(feeds);
    assert.deepEqual(session.memory, first);
  });

  test('inputs that grow and shrink take no more than the largest needs', async () => {
    const session = await Session.load(identity('float32'));
    const sizes = [1000, 300_000, 7, 299_999, 0, 150_000];
    for (const size of sizes) await session.run({ x: new Tensor('float32', new Float32Array(size)) });
    const { heap } = session.memory;
    for (let i = 0; i < 60; i++) await session.run({ x: new Tensor('float32', new Float32Array(sizes[i % sizes.length])) });
    assert.equal(session.memory.heap, heap);
  });

  test('sessions that are disposed leave nothing behind', async () => {
    const bytes = addOne();
    const feeds = { x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) };
    const use = async (count) => {
      for (let i = 0; i < count; i++) {
        const session = await Session.load(bytes);
        await session.run(feeds);
        await session.dispose();
      }
    };
    // 1,000 sessions of at least 1 MiB each, of which the collector may not have come to the last ones yet.
    await use(200);
    const before = process.memoryUsage().rss;
    await use(800);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 250e6, `the process grew by ${Math.round(grown / 1e6)} MB`);
  });
});

describe('out of memory', () => {
  for (const [label, dims, bytes] of [
    ['8 GB', [2, GiB], 8 * GiB],
    ['4 GB', [GiB], 4 * GiB],
    ['more than numbers hold', [2 ** 20, 2 ** 20], 4 * 2 ** 40],
  ]) {
    test(`a model that asks for ${label}: an error that tells the bytes; this session and others go on`, async () => {
      const other = await Session.load(addOne());
      const session = await Session.load(fill());
      await assert.rejects(session.run(shape(...dims)), (error) => {
        assert.ok(error instanceof OutOfMemoryError, error.stack);
        assert.equal(error.code, 'out-of-memory');
        assert.equal(error.requestedBytes, bytes);
        assert.equal(error.limitBytes, 4 * GiB);
        assert.match(error.message, new RegExp(String(bytes)));
        return true;
      });
      assert.deepEqual([...(await session.run(shape(2, 2))).y.data], [1, 1, 1, 1]);
      assert.equal((await other.run({ x: new Tensor('float32', new Float32Array(3), [1, 3]) })).y.data[0], 1);
    });
  }

  test('a model that asks for all of the heap more than once', async () => {
    // Two tensors of 3 GB at the same time: either alone may fit.
    const session = await Session.load(model({
      nodes: [
        { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['a'] },
        { op: 'Neg', inputs: ['a'], outputs: ['b'] },
        { op: 'Concat', inputs: ['a', 'b'], outputs: ['y'], attributes: { axis: { int: 0 } } },
      ],
      inputs: [{ name: 'shape', type: 'int64', dims: ['rank'] }],
      outputs: [{ name: 'y', type: 'float32' }],
    }));
    await assert.rejects(session.run(shape(3, GiB / 16)), OutOfMemoryError);
    assert.equal((await session.run(shape(2, 2))).y.size, 8);
  });

  test('a feed of more elements than a heap has room for', async () => {
    const session = await Session.load(addOne());
    const x = new Tensor('float32', new Float32Array(GiB / 4 + 1), [1, GiB / 4 + 1]); // never written: it takes no memory
    await assert.rejects(session.run({ x }), (error) => {
      assert.ok(error instanceof OutOfMemoryError, error.stack);
      assert.equal(error.requestedBytes, GiB + 4);
      return true;
    });
    assert.equal((await session.run({ x: new Tensor('float32', new Float32Array(3), [1, 3]) })).y.data[0], 1);
  });

  test('a model file that is announced as larger than the heap', async () => {
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10)) });
    const response = new Response(stream, { headers: { 'content-length': String(5 * GiB) } });
    await assert.rejects(Session.load(response), (error) => {
      assert.ok(error instanceof OutOfMemoryError, error.stack);
      assert.equal(error.requestedBytes, 5 * GiB);
      return true;
    });
  });
});
