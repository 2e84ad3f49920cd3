// The command `kinglet`.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addOne, identity, model } from './helpers/onnx.mjs';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Resolves to { code, stdout, stderr }. */
const inNode = (...args) => new Promise((resolve) => {
  execFile(process.execPath, args, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
});
const kinglet = (...args) => inNode(cli, ...args);

test('kinglet --version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  for (const arg of ['--version', 'version']) assert.deepEqual(await kinglet(arg), { code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('kinglet profile', () => {
  let folder, addOneFile;
  const file = (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kinglet-cli-'));
    addOneFile = file('add-one.onnx', addOne());
  });
  after(() => rmSync(folder, { recursive: true }));

  test('lists operators, nodes and memory', async () => {
    const { code, stdout, stderr } = await kinglet('profile', addOneFile, '--shape', 'x=5x3', '--runs', '2');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /add-one\.onnx: \d+\.\d+ ms a run, the mean of 2 \((simd|relaxed), 1 thread; loaded in \d+ ms\)/);
    assert.match(stdout, /memory: [\d.]+ MiB weights, [\d.]+ MiB activations, [\d.]+ MiB heap/);
    assert.match(stdout, /^operator +nodes +ms +share$\n^-+.*$\n^Add +1 +\d+\.\d+ +100\.0 %$/m);
    assert.match(stdout, /all 1 nodes:\n.*\n.*\nadd +Add +\d+\.\d+ +100\.0 % +1 +5x3$/m);
  });

  test('gives everything as JSON, with the binary that was asked for', async () => {
    const { stdout } = await kinglet('profile', addOneFile, '--json', '--variant', 'simd', '--dim', 'N=7', '--runs=3', '--warm-up', '0');
    const { variant, runs, nodes, memory } = JSON.parse(stdout);
    assert.deepEqual([variant, runs, nodes.length, nodes[0].op, nodes[0].dims], ['simd', 3, 1, 'Add', [[7, 3]]]);
    assert.ok(memory.heap > 0);
  });

  test('measures as many runs as there is time for unless told', async () => {
    // A small model has the most, once the warm-up has ended.
    const { runs, nodes } = JSON.parse((await kinglet('profile', addOneFile, '--json')).stdout);
    assert.ok(runs > 100 && runs <= 1000, `${runs}`);
    assert.equal(nodes[0].calls, 1);
    assert.match((await kinglet('profile', '--help')).stdout, /--warm-up .*300 ms/);
  });

  describe('an input with the dims of another', () => {
    let pair;
    const dimsOf = async (...args) => {
      const { code, stdout, stderr } = await kinglet('profile', pair, ...args, '--json', '--runs', '1', '--no-optimize');
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout).nodes.map(({ dims }) => dims[0].join('x'));
    };
    before(() => {
      const values = (names) => names.map((name) => ({ name, type: 'float32', dims: ['n', null] }));
      pair = file('pair.onnx', model({
        nodes: ['a', 'b', 'c'].map((name) => ({ op: 'Identity', name, inputs: [name], outputs: [`${name}Out`] })),
        inputs: values(['a', 'b', 'c']),
        outputs: values(['aOut', 'bOut', 'cOut']),
      }));
    });

    test('takes what a shape tells', async () => {
      assert.deepEqual(await dimsOf('--shape', 'b=4x2'), ['4x1', '4x2', '4x1']);
      assert.deepEqual(await dimsOf('--shape', 'b=4x2', '--dim', 'n=4'), ['4x1', '4x2', '4x1']);
    });

    test('does not take what contradicts a shape', async () => {
      const refusal = async (...args) => (await kinglet('profile', pair, '--shape', 'b=4x2', ...args)).stderr;
      assert.equal(await refusal('--dim', 'n=5'), "kinglet: --dim n=5 and --shape b=4x2 contradict each other: 'n' is 5 or 4\n");
      assert.equal(await refusal('--shape', 'c=5x2'), "kinglet: --shape b=4x2 and --shape c=5x2 contradict each other: 'n' is 4 or 5\n");
    });
  });

  test('computes with several threads', async () => {
    const args = ['profile', addOneFile, '--threads', '2', '--runs', '1'];
    assert.match((await kinglet(...args)).stdout, /\((simd|relaxed), 2 threads; loaded in \d+ ms\)/);
    const { threads, memory } = JSON.parse((await kinglet(...args, '--json')).stdout);
    assert.equal(threads, 2);
    // The heap that threads share is 16 MiB from the start, the other one as small as the model.
    assert.ok(memory.heap >= 16 * 2 ** 20, `${memory.heap}`);
  });

  test('feeds every type', async () => {
    const types = ['float32', 'float64', 'float16', 'bfloat16', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'bool',
      'string', 'complex64', 'complex128', 'float8e4m3fn', 'float8e5m2', 'int4', 'uint4', 'float4e2m1', 'int2', 'uint2'];
    const values = (prefix) => types.map((type) => ({ name: prefix + type, type, dims: [3, null] }));
    const bytes = model({
      nodes: types.map((type) => ({ op: 'Identity', name: type, inputs: [`x${type}`], outputs: [`y${type}`] })),
      inputs: values('x'),
      outputs: values('y'),
      opset: 25,
    });
    const { code, stderr } = await kinglet('profile', file('types.onnx', bytes), '--no-optimize');
    assert.equal(code, 0, stderr);
  });

  test('explains itself', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help'], ['profile', '--help'], ['profile', '-h']]) {
      const { code, stdout } = await kinglet(...args);
      assert.equal(code, 0);
      assert.match(stdout, /kinglet profile MODEL/);
    }
  });

  const mistakes = [
    ['no command of this name', ['prof'], /no command 'prof'/],
    ['no model', ['profile'], /one model is needed/],
    ['two models', ['profile', 'a', 'b'], /one model is needed/],
    ['a missing file', ['profile', 'nothing.onnx'], /there is no file nothing\.onnx/],
    ['a file of another kind', ['profile', cli], /^kinglet: \S+cli\.js: .*malformed protobuf/],
    ['a folder', ['profile', tmpdir()], /^kinglet: \S+ could not be read: EISDIR/],
    ['an unknown option', ['profile', 'FILE', '--speed', '3'], /^kinglet: there is no option --speed; kinglet profile --help lists what there is\n$/],
    ['an unknown short option', ['profile', 'FILE', '-x'], /^kinglet: there is no option -x; /],
    ['an option without its value', ['profile', 'FILE', '--runs'], /^kinglet: --runs wants a value; .*\n$/],
    ['an option in place of a value', ['profile', 'FILE', '--runs', '--json'], /^kinglet: --runs wants a value; .*\n$/],
    ['a value that an option does not take', ['profile', 'FILE', '--help=1'], /^kinglet: --help takes no value; .*\n$/],
    ['an empty number', ['profile', 'FILE', '--warm-up='], /--warm-up must be a whole number >= 0, got ''/],
    ['an unknown input', ['profile', 'FILE', '--shape', 'z=1x3'], /no input 'z'; its inputs are x: float32\[N, 3\]/],
    ['an unknown dim', ['profile', 'FILE', '--dim', 'M=2'], /no dim 'M'; its inputs are x: float32\[N, 3\]/],
    ['another rank', ['profile', 'FILE', '--shape', 'x=1x3x1'], /x=1x3x1 does not fit x: float32\[N, 3\]/],
    ['another fixed dim', ['profile', 'FILE', '--shape', 'x=1x4'], /x=1x4 does not fit/],
    ['a shape that is none', ['profile', 'FILE', '--shape', 'x=1xa'], /'x=1xa' must be whole numbers/],
    ['a shape without a name', ['profile', 'FILE', '--shape', '1x3'], /--shape wants NAME=/],
    ['a shape of more than there is', ['profile', 'FILE', '--shape', 'x=1000000000000000x3'], /does not fit into memory/],
    ['a shape twice', ['profile', 'FILE', '--shape', 'x=1x3', '--shape', 'x=2x3'], /^kinglet: --shape x=\.\.\. is given twice$/m],
    ['a dim twice', ['profile', 'FILE', '--dim', 'N=1', '--dim', 'N=1'], /^kinglet: --dim N=\.\.\. is given twice$/m],
    ['a file twice', ['profile', 'FILE', '--external-data', 'w=a', '--external-data', 'w=b'], /^kinglet: --external-data w=\.\.\. is given twice$/m],
    ['a file without a name', ['profile', 'FILE', '--external-data', 'w.bin'], /--external-data wants NAME=/],
    ['a value that looks like an option', ['profile', 'FILE', '--runs', '-1'], /--runs wants a value; one that begins with '-' is written --runs=-/],
    ['no runs', ['profile', 'FILE', '--runs', '0'], /--runs must be a whole number >= 1, got '0'/],
    ['no thread', ['profile', 'FILE', '--threads', '0'], /--threads must be a whole number >= 1, got '0'/],
    ['more threads than there can be', ['profile', 'FILE', '--threads', '65'], /^kinglet: threads must be a whole number from 1 to 64/],
    ['an unknown pass', ['profile', 'FILE', '--without', 'fuse_all'], /no pass 'fuse_all'/],
    ['an unknown binary', ['profile', 'FILE', '--variant', 'fast'], /--variant must be simd or relaxed/],
  ];
  for (const [label, args, message] of mistakes) {
    test(`tells in one line: ${label}`, async () => {
      const { code, stdout, stderr } = await kinglet(...args.map((arg) => (arg === 'FILE' ? addOneFile : arg)));
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  }

  test('tells that this Node lacks what --variant relaxed needs', async () => {
    // Takes relaxed SIMD away from any Node: of the two modules that try the host, the one with it is the longer.
    const lack = 'data:text/javascript,WebAssembly.validate = ({ length }) => length < 60';
    const { code, stdout, stderr } = await inNode('--import', lack, cli, 'profile', addOneFile, '--variant', 'relaxed');
    assert.deepEqual([code, stdout], [1, '']);
    assert.ok(stderr.startsWith(`kinglet: --variant relaxed: Node ${process.version} has no relaxed SIMD`), stderr);
  });

  test('names the file that a run fails for', async () => {
    const bytes = model({
      nodes: [{ op: 'MatMul', name: 'mul', inputs: ['x', 'x'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: ['N', 'M'] }],
      outputs: [{ name: 'y', type: 'float32', dims: null }],
    });
    const { code, stderr } = await kinglet('profile', file('product.onnx', bytes), '--shape', 'x=2x3');
    assert.equal(code, 1);
    assert.match(stderr, /^kinglet: \S+product\.onnx: \S/);
  });

  test('tells the dims that it made up when a run fails', async () => {
    const bytes = model({
      nodes: [{ op: 'Conv', name: 'c', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [1, 3, null, 'W'] }],
      outputs: [{ name: 'y', type: 'float32' }],
      constants: [{ name: 'w', type: 'float32', dims: [1, 3, 3, 3], data: new Float32Array(27) }],
    });
    const path = file('conv.onnx', bytes);
    const made = (await kinglet('profile', path, '--dim', 'W=8')).stderr.trimEnd().split('\n');
    assert.match(made[0], /^kinglet: \S+conv\.onnx: c \(Conv\): /);
    assert.deepEqual(made.slice(1), ['the inputs were x: float32[1, 3, 1, 8]; dims that were not given are 1: set them with --shape or --dim']);
    const given = (await kinglet('profile', path, '--shape', 'x=1x3x1x8')).stderr;
    assert.match(given, /^kinglet: \S+conv\.onnx: c \(Conv\): .*\n$/);
  });

  test('names the file whose operators are missing', async () => {
    const bytes = model({
      nodes: [{ op: 'Convolve', name: 'c', inputs: ['x'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [1] }],
      outputs: [{ name: 'y', type: 'float32', dims: [1] }],
    });
    assert.match((await kinglet('profile', file('new.onnx', bytes))).stderr, /^kinglet: \S+new\.onnx: [^]*Convolve/);
  });

  test('takes weights from other files', async () => {
    const bytes = model({
      nodes: [{ op: 'Add', name: 'add', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [3] }],
      outputs: [{ name: 'y', type: 'float32', dims: [3] }],
      constants: [{ name: 'w', type: 'float32', dims: [3], external: 'w.bin' }],
    });
    const path = file('outside.onnx', bytes);
    assert.match((await kinglet('profile', path)).stderr, /^kinglet: \S+outside\.onnx: .*w\.bin/);
    const weights = file('some=weights', new Uint8Array(12));
    const { code, stderr } = await kinglet('profile', path, '--external-data', `w.bin=${weights}`, '--runs', '1');
    assert.equal(code, 0, stderr);
  });

  test('wants the shape of an input of any rank', async () => {
    const any = file('any.onnx', identity('float32'));
    assert.match((await kinglet('profile', any)).stderr, /input x: float32 may have any rank: tell it with --shape x=/);
    assert.equal((await kinglet('profile', any, '--shape', 'x=2x2', '--runs', '1')).code, 0);
  });
});
