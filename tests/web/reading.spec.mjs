import { drawText, expect, hold, sampleFile, sampleLines, sampleTurned, test } from './fixtures.mjs';
import { readFileSync } from 'node:fs';

test('the sample is read, line by line, in reading order', async ({ demo }) => {
  await demo.readSample();
  await expect(demo.boxes).toHaveCount(sampleLines.length);
  await expect(demo.status).toHaveText(/^15 lines read in \d+(\.\d)? m?s\.$/);
  for (const [id, form] of [
    ['time-download', /^\d+(\.\d)? m?s, 16\.\d MB$/], ['time-prepare', /^\d+(\.\d)? m?s$/],
    ['time-detect', /^\d+(\.\d)? m?s$/], ['time-recognize', /^\d+(\.\d)? m?s$/],
  ]) {
    await expect(demo.page.locator(`#${id}`)).toHaveText(form);
  }
  expect(demo.page.workers(), 'the work is done in a worker').toHaveLength(1);
});

test('boxes lie on their lines', async ({ demo }) => {
  await demo.readSample();
  const picture = await demo.page.locator('#picture').boundingBox();
  const first = await demo.boxes.first().boundingBox();
  // "The Kinglet" is centred at 47 %, 15 % of the sample.
  expect((first.x + first.width / 2 - picture.x) / picture.width).toBeCloseTo(0.473, 1.5);
  expect((first.y + first.height / 2 - picture.y) / picture.height).toBeCloseTo(0.149, 1.5);
});

test('progress is shown while the models load and the lines are read', async ({ demo }) => {
  await demo.page.evaluate(() => {
    window.seen = new Set();
    const note = () => {
      const [status, bar] = ['status', 'progress'].map((id) => document.getElementById(id));
      if (!bar.hidden) window.seen.add(status.textContent);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await demo.readSample();
  expect(await demo.page.evaluate(() => [...window.seen])).toEqual([
    'Opening the picture…', 'Downloading the models…', 'Preparing the models…', 'Finding the lines…', 'Reading the lines…',
  ]);
  await expect(demo.page.getByRole('progressbar')).toBeHidden();
});

test('on a slow network the page says at once what it waits for', async ({ demo }) => {
  const bar = demo.page.getByRole('progressbar');
  const detail = demo.page.locator('#detail');
  const releaseSample = await hold(demo, '**/sample-*.jpg');
  const releaseWorker = await hold(demo, '**/worker-*.js');
  const releaseModels = await hold(demo, '**/*.onnx');
  await demo.sample.click();
  await expect(demo.status).toHaveText('Opening the picture…');
  await expect(bar).toBeVisible();
  releaseSample();
  await expect(demo.status).toHaveText('Downloading the models…');
  await expect(detail).toHaveText('about 16 MB');
  await expect(bar).toBeVisible();
  await expect(bar, 'how far it is is unknown').not.toHaveAttribute('value');
  releaseWorker();
  releaseModels();
  await expect(demo.lines).toHaveText(sampleLines);
  await expect(bar).toBeHidden();
});

const ways = {
  chosen: async ({ file }, png) => file.setInputFiles({ name: 'note.png', mimeType: 'image/png', buffer: png }),
  pasted: async ({ page }, png) => page.evaluate((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'image.png', { type: 'image/png' }));
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
  }, [...png]),
  dropped: async ({ page }, png) => page.evaluate((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'note.png', { type: 'image/png' }));
    for (const type of ['dragenter', 'dragover', 'drop']) {
      document.getElementById('drop').dispatchEvent(
        new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
  }, [...png]),
};
for (const [way, bring] of Object.entries(ways)) {
  test(`a picture can be ${way}`, async ({ demo }) => {
    await bring(demo, await drawText(demo.page, ['Small birds sing', 'at dawn']));
    await expect(demo.lines).toHaveText(['Small birds sing', 'at dawn']);
    await expect(demo.page.locator('#drop')).not.toHaveClass(/over/);
  });
}

test('a second picture takes the place of the first, at rest and at work', async ({ demo }) => {
  const png = await drawText(demo.page, ['Second']);
  await demo.readSample();
  await demo.file.setInputFiles({ name: 'second.png', mimeType: 'image/png', buffer: png });
  await expect(demo.lines).toHaveText(['Second']);
  await demo.sample.click();
  await expect(demo.status).toHaveText(/^(Finding|Reading) the lines…$/);
  await demo.file.setInputFiles({ name: 'second.png', mimeType: 'image/png', buffer: png });
  await expect(demo.status).toHaveText(/^1 line read/);
  await expect(demo.lines).toHaveText(['Second']);
});

test('a photo that a camera marked as turned is shown and read upright', async ({ demo }) => {
  await demo.file.setInputFiles({ name: 'turned.jpg', mimeType: 'image/jpeg', buffer: sampleTurned(6) });
  await expect(demo.lines).toHaveText(sampleLines);
  const picture = await demo.page.locator('#picture').boundingBox();
  const title = await demo.boxes.first().boundingBox();
  // A quarter to the right takes "The Kinglet" from (47 %, 15 %) to (85 %, 47 %).
  expect((title.x + title.width / 2 - picture.x) / picture.width).toBeCloseTo(0.851, 1.5);
  expect((title.y + title.height / 2 - picture.y) / picture.height).toBeCloseTo(0.473, 1.5);
  expect(title.height).toBeGreaterThan(title.width);
});

test('a picture that stands on its head is read all the same', async ({ demo }) => {
  await demo.file.setInputFiles({ name: 'head.jpg', mimeType: 'image/jpeg', buffer: sampleTurned(3) });
  await expect(demo.lines).toHaveText(sampleLines);
});

test('a picture without text says so', async ({ demo }) => {
  await demo.file.setInputFiles({ name: 'white.png', mimeType: 'image/png', buffer: await drawText(demo.page, []) });
  await expect(demo.status).toHaveText(/^No text was found/);
  await expect(demo.page.getByText('No text was found in this picture.')).toBeVisible();
  await expect(demo.page.getByRole('button', { name: 'Copy' })).toBeDisabled();
});

test('one pixel is a picture too', async ({ demo }) => {
  const png = await drawText(demo.page, [], { width: 1, height: 1 });
  await demo.file.setInputFiles({ name: 'pixel.png', mimeType: 'image/png', buffer: png });
  await expect(demo.status).toHaveText(/^No text was found/);
});

test('a picture of more pixels than some devices have canvas for is read', async ({ demo }) => {
  const png = await drawText(demo.page, ['Wide open'], { size: 400, width: 5200, height: 4000 });
  await demo.file.setInputFiles({ name: 'large.png', mimeType: 'image/png', buffer: png });
  await expect(demo.lines).toHaveText(['Wide open']);
  await expect(demo.page.locator('#boxes')).toHaveAttribute('viewBox', '0 0 4670 3592');
});

test('the text can be copied', async ({ demo, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const copy = demo.page.getByRole('button', { name: /Cop(y|ied)/ });
  await expect(copy).toBeDisabled();
  await demo.readSample();
  await copy.click();
  await expect(copy).toHaveText('Copied');
  expect(await demo.page.evaluate(() => navigator.clipboard.readText())).toBe(sampleLines.join('\n'));
});

test('the sample in the tests is the one on the page', async ({ demo, server }) => {
  const url = await demo.page.evaluate(async () => {
    const sources = [...document.scripts].map(({ src }) => src);
    const text = await (await fetch(sources.find((src) => src.includes('index')))).text();
    return /sample-[\w-]+\.jpg/.exec(text)[0];
  });
  const served = await demo.page.request.get(`${server}assets/${url}`);
  expect(Buffer.compare(await served.body(), readFileSync(sampleFile))).toBe(0);
});
