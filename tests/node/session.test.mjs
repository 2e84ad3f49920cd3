import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { InvalidArgumentError, Session, ShapeError, Tensor } from 'kinglet';
import { addOne, model } from './helpers/onnx.mjs';

const row = (...values) => ({ x: new Tensor('float32', Float32Array.from(values), [values.length / 3, 3]) });

/** Three inputs and outputs, with every kind of dim. */
function manyValues() {
  return model({
    nodes: [
      { op: 'Identity', inputs: ['named'], outputs: ['p'] },
      { op: 'Identity', inputs: ['any'], outputs: ['q'] },
      { op: 'Cast', inputs: ['unranked'], outputs: ['r'], attributes: { to: { int: 7 } } },
    ],
    inputs: [
      { name: 'named', type: 'float32', dims: ['batch', 2, null] },
      { name: 'any', type: 'uint8', dims: [] },
      { name: 'unranked', type: 'int32' },
    ],
    outputs: [{ name: 'p', type: 'float32', dims: ['batch', 2, null] }, { name: 'q', type: 'uint8', dims: [] }, { name: 'r', type: 'int64' }],
  });
}

describe('Session', () => {
  let session;
  before(async () => {
    session = await Session.load(addOne());
  });

  test('says what goes in and comes out, in the order of the model', async () => {
    const many = await Session.load(manyValues());
    assert.deepEqual(many.inputs, [
      { name: 'named', type: 'float32', dims: ['batch', 2, null] },
      { name: 'any', type: 'uint8', dims: [] },
      { name: 'unranked', type: 'int32', dims: null },
    ]);
    assert.deepEqual(many.outputs.map(({ name, type }) => [name, type]), [['p', 'float32'], ['q', 'uint8'], ['r', 'int64']]);
    assert.deepEqual(many.outputs[0].dims, ['batch', 2, null]);
  });

  test('leaves out optimising passes by name', async () => {
    const bytes = model({
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['z'] }, { op: 'Neg', inputs: ['z'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [3] }],
      outputs: [{ name: 'y', type: 'float32' }],
    });
    const lines = async (optimize) => (await Session.load(bytes, { optimize })).describe().trim().split('\n').length;
    assert.equal(await lines({ without: [] }), 1);
    assert.equal(await lines({ without: ['remove_identities'] }), 2);
    await assert.rejects(lines({ without: ['remove_everything'] }), { name: 'InvalidArgumentError', message: /'remove_everything'/ });
  });

  test('runs: outputs by name, with elements of their own', async () => {
    const feeds = row(1, 2, 3, 4, 5, 6);
    const { y, ...rest } = await session.run(feeds);
    assert.ok(y instanceof Tensor);
    assert.deepEqual([y.type, y.dims, [...y.data]], ['float32', [2, 3], [2, 3, 4, 5, 6, 7]]);
    assert.deepEqual(rest, {});
    await session.run(row(0, 0, 0));
    assert.deepEqual([...y.data], [2, 3, 4, 5, 6, 7]);
    assert.deepEqual([...feeds.x.data], [1, 2, 3, 4, 5, 6]);
  });

  test('computes the outputs that are asked for, in any order', async () => {
    const many = await Session.load(manyValues());
    const feeds = {
      named: new Tensor('float32', new Float32Array(2), [1, 2, 1]),
      any: new Tensor('uint8', Uint8Array.of(7), []),
      unranked: new Tensor('int32', Int32Array.of(-3)),
    };
    assert.deepEqual(Object.keys(await many.run(feeds)), ['p', 'q', 'r']);
    assert.deepEqual(Object.keys(await many.run(feeds, { outputs: [] })), ['p', 'q', 'r']);
    const { r, q, ...rest } = await many.run(feeds, { outputs: ['r', 'q'] });
    assert.deepEqual([r.data, q.data, rest], [BigInt64Array.of(-3n), Uint8Array.of(7), {}]);
  });

  test('writes an output into a given tensor, which may be a feed', async () => {
    const y = new Tensor('float32', new Float32Array(6).subarray(2, 5), [1, 3]);
    const results = await session.run(row(1, 2, 3), { outputs: { y } });
    assert.equal(results.y, y);
    assert.deepEqual([...new Float32Array(y.data.buffer)], [0, 0, 2, 3, 4, 0]);
    for (let i = 0; i < 3; ++i) await session.run({ x: y }, { outputs: { y } });
    assert.deepEqual([...y.data], [5, 6, 7]);
    assert.deepEqual([...(await session.run(row(1, 2, 3), { outputs: { y: null } })).y.data], [2, 3, 4]);
    assert.deepEqual([...(await session.run(row(1, 2, 3), { outputs: {} })).y.data], [2, 3, 4]);
  });

  test('refuses a tensor that an output does not fit, and goes on', async () => {
    for (const [data, dims, actual] of [[new Float32Array(3), [3], 'float32[3]'], [new Float32Array(6), [2, 3], 'float32[2,3]'], [new Int32Array(3), [1, 3], 'int32[1,3]']]) {
      const y = new Tensor(actual.split('[')[0], data, dims);
      await assert.rejects(session.run(row(1, 2, 3), { outputs: { y } }), { name: 'ShapeError', output: 'y', expected: 'float32[1,3]', actual });
      assert.ok(data.every((value) => value === 0));
    }
    const many = await Session.load(manyValues());
    const feeds = { named: new Tensor('float32', new Float32Array(2).fill(5), [1, 2, 1]), any: new Tensor('uint8', Uint8Array.of(7), []), unranked: new Tensor('int32', Int32Array.of(-3)) };
    const [p, q] = [0, 0].map(() => new Tensor('float32', new Float32Array(2), [1, 2, 1]));
    await assert.rejects(many.run(feeds, { outputs: { p, q } }), { name: 'ShapeError', message: /'q'/ });
    assert.deepEqual([...p.data], [0, 0], 'nothing is written when one does not fit');
    const gone = new Tensor('float32', new Float32Array(3), [1, 3]);
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer] });
    await assert.rejects(session.run(row(1, 2, 3), { outputs: { y: gone } }), { name: 'InvalidArgumentError', message: /transferred/ });
    assert.deepEqual([...(await session.run(row(1, 2, 3))).y.data], [2, 3, 4]);
  });

  test('refuses the same memory for two outputs, before it runs', async () => {
    const twice = await Session.load(model({
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['r'] }, { op: 'Neg', inputs: ['x'], outputs: ['n'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [3] }],
      outputs: [{ name: 'r', type: 'float32', dims: [3] }, { name: 'n', type: 'float32', dims: [3] }],
    }));
    const feeds = { x: new Tensor('float32', Float32Array.of(1, 2, 3)) };
    const values = new Float32Array(6);
    const at = (start) => new Tensor('float32', values.subarray(start, start + 3));
    const text = () => new Tensor('string', ['a', 'b', 'c']);
    await assert.rejects(twice.run(feeds, { outputs: { r: text(), n: text() } }), /the output 'r' is float32\[3\], the tensor that is to receive it string\[3\]/);
    const same = at(0);
    for (const outputs of [{ r: same, n: same }, { r: same, n: at(0) }, { r: same, n: at(2) }, { r: at(3), n: at(1) }]) {
      const message = "the outputs 'r' and 'n' are to go to the same memory: each needs a tensor of its own";
      await assert.rejects(twice.run(feeds, { outputs }), { name: 'InvalidArgumentError', message });
    }
    assert.deepEqual([...values], [0, 0, 0, 0, 0, 0]);
    await twice.run(feeds, { outputs: { r: at(0), n: at(3) } });
    assert.deepEqual([...values], [1, 2, 3, -1, -2, -3]);
  });

  test('takes a Tensor of another copy of the package, and what has the parts of one', async () => {
    const { type, data, dims } = row(1, 2, 3).x;
    for (const x of [{ type, data, dims }, { type, data, dims, size: 3, location: 'cpu' }]) {
      assert.deepEqual([...(await session.run({ x })).y.data], [2, 3, 4]);
    }
    const wrong = { type, data: [1, 2, 3], dims };
    await assert.rejects(session.run({ x: wrong }), { name: 'InvalidArgumentError', message: "the feed 'x': a float32 tensor needs a Float32Array, got Array" });
  });

  test('is not made with new', () => {
    for (const wrong of [[], ['model.onnx']]) assert.throws(() => new Session(...wrong), { name: 'InvalidArgumentError', message: /use Session\.load$/ });
  });

  test('takes a view of a larger buffer', async () => {
    const { buffer } = Float32Array.of(100, 1, 2, 3, 100);
    const { y } = await session.run({ x: new Tensor('float32', new Float32Array(buffer, 4, 3), [1, 3]) });
    assert.deepEqual([...y.data], [2, 3, 4]);
  });

  test('describes its graph', () => {
    assert.match(session.describe(), /Add/);
  });

  test('names may be any text', async () => {
    const names = ['', '__proto__', 'ключ 🔑', 'a\nb'].filter((name) => name !== '');
    const odd = await Session.load(model({
      nodes: names.map((name) => ({ op: 'Identity', inputs: [name], outputs: [`${name}!`] })),
      inputs: names.map((name) => ({ name, type: 'int8' })),
      outputs: names.map((name) => ({ name: `${name}!`, type: 'int8' })),
    }));
    const feeds = Object.fromEntries(names.map((name, i) => [name, new Tensor('int8', Int8Array.of(i))]));
    const results = await odd.run(feeds);
    for (const [i, name] of names.entries()) assert.deepEqual(results[`${name}!`].data, Int8Array.of(i));
  });

  for (const [label, feeds, options, message] of [
    ['a missing feed', {}, {}, /'x'/],
    ['a feed that the model has not', { ...row(1, 2, 3), z: row(1, 2, 3).x }, {}, /'z'/],
    ['a feed that is no Tensor', { x: new Float32Array(3) }, {}, /the feed 'x' must be a Tensor .*; got Float32Array$/],
    ['feeds that are none', undefined, {}, /^feeds must be an object of tensors .*; got undefined$/],
    ['feeds in a Map', new Map(Object.entries(row(1, 2, 3))), {}, /^feeds .*; got Map \(Object\.fromEntries\(map\)/],
    ['feeds in an Array', [row(1, 2, 3).x], {}, /^feeds .*; got Array$/],
    ['an output that the model has not', row(1, 2, 3), { outputs: ['nope'] }, /'nope'/],
    ['an output that is no name', row(1, 2, 3), { outputs: [7] }, /outputs/],
    ['an option that is none', row(1, 2, 3), { output: ['y'] }, /^session\.run has no option 'output'; it has outputs, signal$/],
    ['outputs in a Map', row(1, 2, 3), { outputs: new Map([['y', null]]) }, /^outputs .*; got Map/],
    ['outputs that are one name', row(1, 2, 3), { outputs: 'y' }, /^outputs must be an Array of names, or .*; got 'y'$/],
    ['a controller for a signal', row(1, 2, 3), { signal: new AbortController() }, /^signal must be an AbortSignal, got AbortController$/],
    ['a signal for the options', row(1, 2, 3), new AbortController().signal, /^session\.run takes an object of outputs, signal; got AbortSignal$/],
    ['outputs that are neither names nor tensors', row(1, 2, 3), { outputs: { y: new Float32Array(3) } }, /the output 'y' is written to a Tensor .*; got Float32Array$/],
    ['a tensor for an output that the model has not', row(1, 2, 3), { outputs: { nope: row(1, 2, 3).x } }, /'nope'/],
  ]) {
    test(`refuses ${label}, and goes on`, async () => {
      await assert.rejects(session.run(feeds, options), (error) => {
        assert.ok(error instanceof InvalidArgumentError, error.stack);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual([...(await session.run(row(1, 2, 3))).y.data], [2, 3, 4]);
    });
  }

  for (const [label, x, actual] of [
    ['type', new Tensor('int32', new Int32Array(3), [1, 3]), 'int32[1,3]'],
    ['rank', new Tensor('float32', new Float32Array(3), [3]), 'float32[3]'],
    ['dim', new Tensor('float32', new Float32Array(4), [1, 4]), 'float32[1,4]'],
  ]) {
    test(`refuses a feed of another ${label}, and goes on`, async () => {
      await assert.rejects(session.run({ x }), (error) => {
        assert.ok(error instanceof ShapeError, error.stack);
        const { code, input, expected } = error;
        assert.deepEqual({ code, input, expected, actual: error.actual }, { code: 'shape', input: 'x', expected: 'float32[N,3]', actual });
        assert.equal(error.message, `input 'x': expected float32[N,3], got ${actual}`);
        return true;
      });
      assert.deepEqual([...(await session.run(row(1, 2, 3))).y.data], [2, 3, 4]);
    });
  }

  test('refuses a feed whose buffer was transferred', async () => {
    const feeds = row(1, 2, 3);
    structuredClone(feeds.x.data.buffer, { transfer: [feeds.x.data.buffer] });
    await assert.rejects(session.run(feeds), /elements of the feed 'x' are gone/);
  });

  // TypeScript forbids it, JavaScript does not.
  for (const [label, parts, message] of [
    ['fewer elements', { data: new Float32Array(2) }, /the feed 'x': dims \[1,3\] have 3 elements, the data has 2/],
    ['more elements', { data: new Float32Array(100) }, /the data has 100/],
    ['another class', { data: new Int32Array(3) }, /a float32 tensor needs a Float32Array, got Int32Array/],
    ['an Array', { data: [1, 2, 3] }, /got Array/],
    ['no data', { data: undefined }, /got undefined/],
    ['dims', { dims: [2, 3] }, /dims \[2,3\] have 6 elements/],
    ['a type', { type: 'int32' }, /an int32 tensor needs an Int32Array/],
  ]) {
    test(`refuses a tensor whose parts were replaced by what does not fit: ${label}`, async () => {
      await assert.rejects(session.run({ x: Object.assign(row(1, 2, 3).x, parts) }), { name: 'InvalidArgumentError', message });
      const place = Object.assign(row(0, 0, 0).x, parts);
      await assert.rejects(session.run(row(1, 2, 3), { outputs: { y: place } }), { name: 'InvalidArgumentError', message: /the tensor for output 'y': / });
      assert.deepEqual([...(await session.run(row(1, 2, 3))).y.data], [2, 3, 4]);
    });
  }

  test('takes the elements that were put in the place of a tensor\'s own', async () => {
    const { x } = row(1, 2, 3);
    x.data = Float32Array.of(7, 8, 9);
    assert.deepEqual([...(await session.run({ x })).y.data], [8, 9, 10]);
  });

  test('refuses a tensor in the place of the feeds', async () => {
    await assert.rejects(session.run(row(1, 2, 3).x), { name: 'InvalidArgumentError', message: /such as \{ x: tensor \}; got a Tensor/ });
  });
});

describe('Session: calls at the same time', () => {
  test('take place in the order of the calls, each with its own result', async () => {
    const session = await Session.load(addOne());
    const order = [];
    const runs = Array.from({ length: 50 }, async (_, i) => {
      const { y } = await session.run(row(i, i, i));
      order.push(i);
      return y.data[0];
    });
    assert.deepEqual(await Promise.all(runs), Array.from({ length: 50 }, (_, i) => i + 1));
    assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => i));
  });

  test('one that fails does not hold up the next', async () => {
    const session = await Session.load(addOne());
    const results = await Promise.allSettled([session.run(row(1, 1, 1)), session.run({}), session.run(row(3, 3, 3))]);
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal(results[2].value.y.data[0], 4);
  });

  test('sessions can be loaded at the same time', async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => Session.load(addOne())));
    const results = await Promise.all(sessions.map((session, i) => session.run(row(i, i, i))));
    assert.deepEqual(results.map(({ y }) => y.data[0]), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('an aborted run does not start; the others do', async () => {
    const session = await Session.load(addOne());
    const controller = new AbortController();
    const before = session.run(row(1, 1, 1));
    const aborted = session.run(row(2, 2, 2), { signal: controller.signal });
    const after = session.run(row(3, 3, 3));
    controller.abort();
    await assert.rejects(aborted, { name: 'AbortError' });
    assert.deepEqual([(await before).y.data[0], (await after).y.data[0]], [2, 4]);
    const reason = new Error('mine');
    await assert.rejects(session.run(row(1, 1, 1), { signal: AbortSignal.abort(reason) }), reason);
  });
});

describe('Session: dispose', () => {
  test('waits for the runs that were asked for, refuses later ones, and gives memory back', async () => {
    const session = await Session.load(addOne());
    const runs = [session.run(row(1, 1, 1)), session.run(row(2, 2, 2))];
    const disposed = session.dispose();
    await assert.rejects(session.run(row(3, 3, 3)), { name: 'InvalidArgumentError', message: 'the session is disposed' });
    assert.deepEqual((await Promise.all(runs)).map(({ y }) => y.data[0]), [2, 3]);
    await disposed;
    assert.deepEqual(session.memory, { weights: 0, activations: 0, heap: 0 });
    assert.throws(() => session.describe(), InvalidArgumentError);
    assert.equal(session.inputs[0].name, 'x');
  });

  test('can be called again', async () => {
    const session = await Session.load(addOne());
    await Promise.all([session.dispose(), session.dispose()]);
    await session.dispose();
  });

  test('is what `using` and `await using` call', async () => {
    const a = await Session.load(addOne());
    await a[Symbol.asyncDispose]();
    assert.equal(a.memory.heap, 0);
    const b = await Session.load(addOne());
    b[Symbol.dispose]();
    await assert.rejects(b.run(row(1, 1, 1)), InvalidArgumentError);
  });

  test('of one session leaves the others alone', async () => {
    const [a, b] = await Promise.all([Session.load(addOne()), Session.load(addOne())]);
    await a.dispose();
    assert.equal((await b.run(row(1, 1, 1))).y.data[0], 2);
  });
});
