import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import * as kinglet from 'kinglet';
import { addOne, model } from './helpers/onnx.mjs';

const { isKingletError, KingletError, ModelError, Session, ShapeError, Tensor, UnsupportedOperatorError } = kinglet;

describe('errors', () => {
  for (const [name, code] of [
    ['ModelError', 'model'],
    ['UnsupportedOperatorError', 'unsupported-operator'],
    ['ShapeError', 'shape'],
    ['OutOfMemoryError', 'out-of-memory'],
    ['LoadError', 'load'],
    ['InvalidArgumentError', 'invalid-argument'],
    ['UnsupportedEnvironmentError', 'unsupported-environment'],
    ['AbortError', 'aborted'],
    ['InternalError', 'internal'],
  ]) {
    test(`${name} is a class with a name and a code`, () => {
      const cause = new Error('the cause');
      const error = new kinglet[name]('what happened', name === 'UnsupportedOperatorError' ? [] : { cause });
      assert.ok(error instanceof KingletError);
      assert.ok(error instanceof Error);
      assert.equal(error.name, name);
      assert.equal(kinglet[name].name, name);
      assert.equal(error.code, code);
      assert.equal(error.message, 'what happened');
      assert.equal(String(error), `${name}: what happened`);
      assert.ok(isKingletError(error));
    });
  }

  test('the stack of a run that fails leads to its caller', async () => {
    const session = await Session.load(addOne());
    await assert.rejects(async function caller() {
      await session.run({ nope: new Tensor('float32', Float32Array.of(1), [1]) });
    }, (error) => /at async caller .*errors\.test\.mjs/.test(error.stack));
    await session.dispose();
  });

  test('one that nobody catches does not flood the terminal', async () => {
    const program = "const { Session } = await import('kinglet'); await Session.load('none.onnx');";
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', cwd: new URL('.', import.meta.url) });
    assert.match(stderr, /LoadError: none\.onnx could not be read/);
    assert.ok(stderr.length < 5000, `${stderr.length} characters`);
  });

  test('isKingletError: not for others', () => {
    for (const other of [new Error('x'), new DOMException('x', 'AbortError'), null, undefined, 'text', {}]) {
      assert.equal(isKingletError(other), false);
    }
  });

  test('UnsupportedOperatorError lists all that is missing, with its nodes', async () => {
    const bytes = model({
      nodes: [
        { op: 'NoSuchThing', name: 'first', inputs: ['x'], outputs: ['a'] },
        { op: 'Relu', name: 'fine', inputs: ['a'], outputs: ['b'] },
        { op: 'Whatever', domain: 'my.domain', name: 'second', inputs: ['b'], outputs: ['c'] },
        { op: 'NoSuchThing', name: 'third', inputs: ['c'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', type: 'float32' }],
      outputs: [{ name: 'y', type: 'float32' }],
      domains: { 'my.domain': 3 },
    });
    await assert.rejects(Session.load(bytes), (error) => {
      assert.ok(error instanceof UnsupportedOperatorError, error.stack);
      assert.deepEqual(error.missing, [
        { op: 'NoSuchThing', domain: '', opset: 17, nodes: ['first', 'third'] },
        { op: 'Whatever', domain: 'my.domain', opset: 3, nodes: ['second'] },
      ]);
      for (const name of ['NoSuchThing', 'my.domain', 'Whatever']) assert.match(error.message, new RegExp(name));
      return true;
    });
  });

  test('ModelError tells the node and its operator', async () => {
    const bytes = model({
      nodes: [{ op: 'Softmax', name: 'probs', inputs: ['x'], outputs: ['y'], attributes: { axis: { float: 1.5 } } }],
      inputs: [{ name: 'x', type: 'float32', dims: [2, 2] }],
      outputs: [{ name: 'y', type: 'float32' }],
    });
    await assert.rejects(Session.load(bytes), (error) => {
      assert.ok(error instanceof ModelError, error.stack);
      assert.deepEqual([error.node, error.op], ['probs', 'Softmax']);
      assert.match(error.message, /probs.*Softmax.*axis/);
      return true;
    });
  });

  test('ShapeError inside of the model tells the node', async () => {
    const bytes = model({
      nodes: [{ op: 'MatMul', name: 'product', inputs: ['a', 'b'], outputs: ['y'] }],
      inputs: [{ name: 'a', type: 'float32', dims: ['M', 'K'] }, { name: 'b', type: 'float32', dims: ['L', 'N'] }],
      outputs: [{ name: 'y', type: 'float32' }],
    });
    const session = await Session.load(bytes);
    const matrix = (rows, columns) => new Tensor('float32', new Float32Array(rows * columns), [rows, columns]);
    await assert.rejects(session.run({ a: matrix(2, 3), b: matrix(4, 5) }), (error) => {
      assert.ok(error instanceof ShapeError, error.stack);
      assert.deepEqual([error.node, error.op], ['product', 'MatMul']);
      assert.match(error.message, /product.*MatMul.*2.*3.*4.*5/);
      return true;
    });
    assert.deepEqual((await session.run({ a: matrix(2, 3), b: matrix(3, 1) })).y.dims, [2, 1]);
  });

  test('a page of errors leaves no trace in a session', async () => {
    const session = await Session.load(addOne());
    for (let i = 0; i < 300; i++) await assert.rejects(session.run({ x: new Tensor('float32', new Float32Array(4), [1, 4]) }), ShapeError);
    const { heap } = session.memory;
    for (let i = 0; i < 3000; i++) await assert.rejects(session.run({ x: new Tensor('float32', new Float32Array(4), [1, 4]) }), ShapeError);
    assert.equal(session.memory.heap, heap);
  });
});
