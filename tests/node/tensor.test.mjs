import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import vm from 'node:vm';
import { InvalidArgumentError, Session, Tensor } from 'kinglet';
import { identity } from './helpers/onnx.mjs';

// [type, data, how many values make an element]
const table = [
  ['float32', Float32Array.of(1.5, -0, NaN, Infinity), 1],
  ['float64', Float64Array.of(Math.PI, -1e300), 1],
  ['int8', Int8Array.of(-128, 127), 1],
  ['uint8', Uint8Array.of(0, 255), 1],
  ['int16', Int16Array.of(-32768, 32767), 1],
  ['uint16', Uint16Array.of(0, 65535), 1],
  ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1), 1],
  ['uint32', Uint32Array.of(0, 2 ** 32 - 1), 1],
  ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n), 1],
  ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n), 1],
  ['bool', Uint8Array.of(0, 1, 1), 1],
  ['float16', Uint16Array.of(0x3c00, 0xfbff), 1],
  ['bfloat16', Uint16Array.of(0x3f80, 0xff80), 1],
  ['string', ['', 'plain', 'äöü 漢字 🐦', 'nul \0 inside'], 1],
  ['complex64', Float32Array.of(1, 2, 3, 4), 2],
  ['complex128', Float64Array.of(1, 2, 3, 4, 5, 6), 2],
  ['float8e4m3fn', Uint8Array.of(0, 0x7f, 0xfe), 1],
  ['float8e4m3fnuz', Uint8Array.of(0, 0x80, 0xff), 1],
  ['float8e5m2', Uint8Array.of(0, 0x7c, 0xff), 1],
  ['float8e5m2fnuz', Uint8Array.of(0, 0x80, 0xff), 1],
  ['float8e8m0', Uint8Array.of(0, 127, 255), 1],
  ['int4', Uint8Array.of(0x80, 0x7f, 0x1f), 1 / 2],
  ['uint4', Uint8Array.of(0x80, 0x7f, 0xff), 1 / 2],
  ['float4e2m1', Uint8Array.of(0x80, 0x7f, 0x1f), 1 / 2],
  ['int2', Uint8Array.of(0b11_10_01_00, 0xff), 1 / 4],
  ['uint2', Uint8Array.of(0b11_10_01_00, 0xff), 1 / 4],
];
const packed = table.filter(([, , values]) => values < 1);

describe('Tensor', () => {
  for (const [type, data, values] of table) {
    test(`${type}: has its elements in place, one dimension by default`, () => {
      const tensor = new Tensor(type, data);
      assert.equal(tensor.type, type);
      assert.equal(tensor.data, data);
      assert.equal(tensor.size, data.length / values);
      assert.deepEqual(tensor.dims, [data.length / values]);
    });
  }

  for (const [type, data] of table.filter(([, , values]) => values === 1)) {
    test(`${type}: goes through a model unchanged, also of no elements and as a scalar`, async () => {
      const session = await Session.load(identity(type));
      const last = data.slice(-1);
      for (const x of [new Tensor(type, data), new Tensor(type, last, []), new Tensor(type, data.slice(0, 0), [2, 0, 3])]) {
        const { y } = await session.run({ x });
        assert.equal(y.type, type);
        assert.deepEqual(y.data, x.data);
        assert.deepEqual(y.dims, x.dims);
        assert.notEqual(y.data, x.data);
      }
      await session.dispose();
    });
  }

  for (const [type, data, values] of packed) {
    test(`${type}: packed elements go through a model; spare bits come out as 0`, async () => {
      const session = await Session.load(identity(type));
      const size = data.length / values;
      for (const [dims, bytes] of [[[size], data], [[1, size - 1], data], [[], data.slice(0, 1)], [[0], data.slice(0, 0)]]) {
        const x = new Tensor(type, bytes, dims);
        const { y } = await session.run({ x });
        assert.equal(y.type, type);
        assert.deepEqual(y.dims, dims);
        const bits = x.size * 8 * values;
        const spare = bits % 8 === 0 ? 0xff : (1 << (bits % 8)) - 1;
        assert.deepEqual([...y.data], [...bytes].map((byte, i) => (i === bytes.length - 1 ? byte & spare : byte)));
      }
      assert.throws(() => new Tensor(type, data, [size + 1]), InvalidArgumentError);
      await session.dispose();
    });
  }

  test('a bool that is neither 0 nor 1 is 1', async () => {
    const session = await Session.load(identity('bool'));
    const x = new Tensor('bool', Uint8Array.of(0, 2, 255));
    const { y } = await session.run({ x });
    assert.deepEqual(y.data, Uint8Array.of(0, 1, 1));
    assert.deepEqual(x.data, Uint8Array.of(0, 2, 255));
  });

  test('is a view: of a part of a buffer, of clamped bytes, of another realm, of shared memory', async () => {
    const session = await Session.load(identity('uint8'));
    const inside = new Uint8Array(Uint8Array.of(9, 8, 1, 2, 3, 9).buffer, 2, 3);
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    shared.set([1, 2, 3]);
    for (const data of [inside, Uint8ClampedArray.of(1, 2, 3), vm.runInNewContext('Uint8Array.of(1, 2, 3)'), Buffer.of(1, 2, 3), shared]) {
      const { y } = await session.run({ x: new Tensor('uint8', data) });
      assert.deepEqual([...y.data], [1, 2, 3]);
    }
  });

  test('takes a Float16Array, as bits', () => {
    // Node 20 has no such class; this is what tells it apart from others.
    class Float16Array extends Uint16Array {
      get [Symbol.toStringTag]() {
        return 'Float16Array';
      }
    }
    const data = new Float16Array(Uint16Array.of(7, 0x3c00, 0xc000).buffer, 2, 2);
    assert.deepEqual(new Tensor('float16', data).data, Uint16Array.of(0x3c00, 0xc000));
    assert.throws(() => new Tensor('uint16', data), /needs a Uint16Array, got Float16Array/);
  });

  test('dims cannot be changed, neither through the tensor nor through the array that was given', () => {
    const dims = [2, 2];
    const tensor = new Tensor('int8', new Int8Array(4), dims);
    dims[0] = 100;
    assert.deepEqual(tensor.dims, [2, 2]);
    assert.throws(() => tensor.dims.push(1), TypeError);
  });

  const f = new Float32Array(6);
  for (const [label, args, message] of [
    ['an unknown type', ['float', f], /unknown tensor type 'float'/],
    ['a type of the prototype', ['constructor', f], /unknown tensor type 'constructor'/],
    ['no type', [undefined, f], /first argument of a Tensor is its type, such as 'float32'; got undefined$/],
    ['the elements first', [f, [6]], /^the first argument of a Tensor is its type, such as 'float32'; got Float32Array$/],
    ['another typed array', ['float32', new Float64Array(6), [6]], /a float32 tensor needs a Float32Array, got Float64Array/],
    ['a plain array', ['float32', [1, 2, 3], [3]], /needs a Float32Array, got Array/],
    ['a BigInt type with numbers', ['int64', new Int32Array(1)], /needs a BigInt64Array, got Int32Array/],
    ['no data', ['float32'], /needs a Float32Array, got undefined/],
    ['null', ['float32', null], /needs a Float32Array, got null/],
    ['an object', ['float32', { length: 6 }], /needs a Float32Array, got object/],
    ['clamped bytes for int8', ['int8', new Uint8ClampedArray(1)], /an int8 tensor needs an Int8Array, got Uint8ClampedArray/],
    ['numbers for strings', ['string', ['a', 1]], /element 1 of a string tensor is no string but number/],
    ['a string for strings', ['string', 'abc'], /needs an Array of strings, got string/],
    ['too few elements', ['float32', f, [7]], /dims \[7\] have 7 elements, the data has 6/],
    ['too many elements', ['float32', f, [5]], /dims \[5\] have 5 elements, the data has 6/],
    ['a scalar of many', ['float32', f, []], /dims \[\] have 1 elements, the data has 6/],
    ['half a complex number', ['complex64', Float32Array.of(1, 2, 3), [1]], /have 1 elements, the data has 1\.5/],
    ['half a complex number without dims', ['complex64', Float32Array.of(1)], /whole numbers/],
    ['a negative dim', ['float32', f, [-2, -3]], /whole numbers >= 0, got \[-2,-3\]/],
    ['a fraction', ['float32', f, [1.5, 4]], /whole numbers >= 0, got \[1\.5,4\]/],
    ['not a number', ['float32', f, [NaN]], /whole numbers/],
    ['infinity', ['float32', f, [Infinity]], /whole numbers/],
    ['a dim as text', ['float32', f, ['6']], /whole numbers/],
    ['a BigInt dim', ['float32', f, [6n]], /whole numbers/],
    ['dims that are a number', ['float32', f, 6], /dims must be an Array/],
  ]) {
    test(`refuses ${label}`, () => {
      assert.throws(() => new Tensor(...args), (error) => {
        assert.ok(error instanceof InvalidArgumentError);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
