import { writeFileSync } from 'node:fs';

import { drawText, expect, hold, sampleLines, test } from './fixtures.mjs';

const png = (bytes) => ({ mimeType: 'image/png', buffer: Buffer.from(bytes) });

for (const { label, file, message } of [
  { label: 'a text file', file: { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') },
    message: '“notes.txt” is not an image. PNG, JPEG, WebP, GIF and AVIF files can be read.' },
  { label: 'an empty file', file: { name: 'empty.png', ...png([]) }, message: '“empty.png” is empty.' },
  { label: 'a broken picture', file: { name: 'broken.png', ...png([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0]) },
    message: '“broken.png” is not an image that can be read: it is broken, too large, or of a kind unknown to this browser.' },
  { label: 'markup in the name', file: { name: '<img src=x>.txt', mimeType: 'text/plain', buffer: Buffer.from('x') },
    message: '“<img src=x>.txt” is not an image. PNG, JPEG, WebP, GIF and AVIF files can be read.' },
]) {
  test(`${label} is refused, and the page goes on`, async ({ demo }) => {
    await demo.file.setInputFiles(file);
    await expect(demo.problem).toHaveText(message);
    await expect(demo.retry).toBeHidden();
    await demo.readSample();
    await expect(demo.problem).toBeHidden();
    await demo.file.setInputFiles(file);
    await expect(demo.problem).toHaveText(message);
    await expect(demo.lines, 'what was read stays').toHaveText(sampleLines);
  });
}

test('a file of more than 64 MB is refused', async ({ demo }, testInfo) => {
  const path = testInfo.outputPath('huge.png');
  writeFileSync(path, Buffer.alloc(65 * 2 ** 20));
  await demo.file.setInputFiles(path);
  await expect(demo.problem).toHaveText('“huge.png” is too large: 65 MB. The limit is 64 MB.');
});

test('a refused file is not held against the picture that is being read', async ({ demo }) => {
  const release = await hold(demo, '**/*.onnx');
  await demo.sample.click();
  await expect(demo.status).toHaveText('Downloading the models…');
  await demo.file.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
  await expect(demo.problem).toHaveText(/^“notes.txt” is not an image/);
  await expect(demo.status, 'the picture is still being read').toHaveText('Downloading the models…');
  release();
  await expect(demo.lines).toHaveText(sampleLines);
  await expect(demo.problem).toBeHidden();
});

test('a refused file does not stop the sample, which is still on its way', async ({ demo }) => {
  const release = await hold(demo, '**/sample-*.jpg');
  await demo.sample.click();
  await demo.file.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
  await expect(demo.problem).toHaveText(/^“notes.txt” is not an image/);
  release();
  await expect(demo.lines).toHaveText(sampleLines);
});

test.describe('a refused file and models that do not come', () => {
  test.use({ expectedErrors: /Failed to load resource/ });

  test('the message about the models takes the place of the other', async ({ demo }) => {
    const release = await hold(demo, '**/*.onnx', (route) => route.fulfill({ status: 503 }));
    await demo.sample.click();
    await expect(demo.status).toHaveText('Downloading the models…');
    await demo.file.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await expect(demo.problem).toHaveText(/^“notes.txt” is not an image/);
    release();
    await expect(demo.problem).toContainText('the server answered 503');
    await expect(demo.retry).toBeVisible();
  });
});

test('a picture cut short in the middle does not stop the page', async ({ demo }) => {
  const whole = await drawText(demo.page, ['Half of this is missing']);
  await demo.file.setInputFiles({ name: 'half.png', mimeType: 'image/png', buffer: whole.subarray(0, whole.length / 2) });
  await expect(demo.problem.or(demo.page.getByText(/read in|No text was found,/)).first()).toBeVisible();
  await demo.readSample();
});

for (const [label, event] of [
  ['pasted', () => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))],
  ['dropped', () => document.dispatchEvent(new DragEvent('drop', { dataTransfer: new DataTransfer(), cancelable: true }))],
]) {
  test(`something without a file that is ${label} gets an answer`, async ({ demo }) => {
    await demo.page.evaluate(event);
    await expect(demo.problem).toHaveText(label === 'pasted' ? 'There is no picture in the clipboard.'
      : 'That was no file. Save the picture first, then drop it here.');
  });
}

test.describe('a model that does not come', () => {
  test.use({ expectedErrors: /Failed to load resource/ });

  for (const { label, answer, message } of [
    { label: 'no connection', answer: (route) => route.abort('connectionrefused'), message: 'the server cannot be reached' },
    { label: 'a server in trouble', answer: (route) => route.fulfill({ status: 503, body: 'busy' }),
      message: 'the server answered 503 for ch_PP-OCRv4_rec_infer.onnx' },
    { label: 'a missing file', answer: (route) => route.fulfill({ status: 404, body: 'not found' }),
      message: 'the server answered 404 for ch_PP-OCRv4_rec_infer.onnx' },
  ]) {
    test(`${label}: a message, and another try works`, async ({ demo }) => {
      await demo.page.context().route('**/ch_PP-OCRv4_rec_infer.onnx', answer);
      await demo.sample.click();
      await expect(demo.problem).toContainText(`The models could not be downloaded: ${message}.`);
      await expect(demo.page.getByRole('progressbar')).toBeHidden();
      await demo.retry.click();
      await expect(demo.problem).toContainText(message);
      await demo.page.context().unroute('**/ch_PP-OCRv4_rec_infer.onnx');
      await demo.retry.click();
      await expect(demo.lines).toHaveText(sampleLines);
      await expect(demo.problem).toBeHidden();
    });
  }

  for (const name of ['ppocr_keys_v1.txt', 'ch_ppocr_mobile_v2.0_cls_infer.onnx']) {
    test(`${name} is missing`, async ({ demo }) => {
      await demo.page.context().route(`**/${name}`, (route) => route.fulfill({ status: 404 }));
      await demo.sample.click();
      await expect(demo.problem).toContainText('the server answered 404');
    });
  }

  const signIn = (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Sign in</title>' });
  for (const { label, path, answer, message } of [
    { label: 'a page instead of the model', path: '**/ch_PP-OCRv4_det_infer.onnx', answer: signIn,
      message: /^Reading cannot start: http:\S+det_infer\.onnx is an HTML page, not a model/ },
    { label: 'a page instead of the .wasm', path: '**/*.wasm', answer: signIn,
      message: /^Reading cannot start: http:\S+\.wasm is not WebAssembly but an HTML page/ },
    { label: 'a missing .wasm', path: '**/*.wasm', answer: (route) => route.fulfill({ status: 404 }),
      message: /^Kinglet's WebAssembly could not be downloaded: the server answered 404 for relaxed-[\w-]+\.wasm\.$/ },
    { label: 'a .wasm without connection', path: '**/*.wasm', answer: (route) => route.abort('connectionrefused'),
      message: "Kinglet's WebAssembly could not be downloaded: the server cannot be reached." },
  ]) {
    test(`${label}: the true cause is shown, and another try works`, async ({ demo }) => {
      await demo.page.context().route(path, answer);
      await demo.sample.click();
      await expect(demo.problem).toHaveText(message);
      await demo.page.context().unroute(path);
      await demo.retry.click();
      await expect(demo.lines).toHaveText(sampleLines);
    });
  }

  test('the sample does not come: another try works, and it is fetched once', async ({ demo }) => {
    const path = '**/sample-*.jpg';
    let fetched = 0;
    await demo.page.context().route(path, (route) => route.abort('internetdisconnected'));
    await demo.sample.click();
    await expect(demo.problem).toHaveText('The sample could not be loaded: the server cannot be reached.');
    await expect(demo.page.getByRole('progressbar')).toBeHidden();
    await expect(demo.status).toHaveText('The first picture downloads the models, 16 MB, once.');
    await demo.page.context().unroute(path);
    await demo.page.context().route(path, (route) => {
      fetched += 1;
      return route.continue();
    });
    await demo.retry.click();
    await expect(demo.lines).toHaveText(sampleLines);
    await expect(demo.problem).toBeHidden();
    await demo.sample.click();
    await expect(demo.lines).toHaveCount(0);
    await expect(demo.lines).toHaveText(sampleLines);
    expect(fetched).toBe(1);
  });

  test('the worker\'s script is missing', async ({ demo }) => {
    await demo.page.context().route('**/worker-*.js', (route) => route.fulfill({ status: 404 }));
    await demo.sample.click();
    await expect(demo.problem).toContainText('The models could not be loaded');
    await demo.page.context().unroute('**/worker-*.js');
    await demo.retry.click();
    await expect(demo.lines).toHaveText(sampleLines);
  });
});

test.describe('a worker that dies', () => {
  test.use({ expectedErrors: /stumbled/ });

  test('is replaced', async ({ demo }) => {
    await demo.readSample();
    const [worker] = demo.page.workers();
    const closed = worker.waitForEvent('close');
    await worker.evaluate(() => {
      setTimeout(() => {
        throw new Error('stumbled');
      });
    });
    await closed;
    const png = await drawText(demo.page, ['Up again']);
    await demo.file.setInputFiles({ name: 'again.png', mimeType: 'image/png', buffer: png });
    await expect(demo.lines).toHaveText(['Up again']);
    expect(demo.page.workers()).toHaveLength(1);
  });
});
