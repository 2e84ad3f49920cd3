// What every test of the demo starts from: the built page, served under the strictest policy, watched for mistakes.

import { test as base, expect } from '@playwright/test';
import { readFileSync } from 'node:fs';

import { demoDir, root } from '../../scripts/lib/project.mjs';
import { serve } from '../../scripts/serve.mjs';

export { expect };

export const sampleFile = `${root}/demo/ocr/sample.jpg`;

/** What is written on the sample, in reading order. */
export const sampleLines = [
  'The Kinglet', 'Coffee & second-hand books', 'Since 1987',
  'Espresso', '2.40', 'Cappuccino', '3.20', 'Lemon tart', '4.10', 'Carrot cake', '3.90',
  'Open every day till late', 'Corner of Wren Lane', 'Remember:', 'buy oat milk!',
];

/** The parts of the page. */
export class Demo {
  constructor(page) {
    this.page = page;
    this.lines = page.getByTestId('ocr-text').getByRole('listitem');
    this.boxes = page.locator('#boxes polygon');
    this.status = page.getByRole('status');
    this.problem = page.getByRole('alert').getByRole('paragraph');
    this.sample = page.getByRole('button', { name: 'Try the sample' });
    this.retry = page.getByRole('button', { name: 'Try again' });
    this.file = page.getByLabel('Choose a picture');
  }

  async readSample() {
    await this.sample.click();
    await expect(this.lines).toHaveText(sampleLines);
  }
}

export const test = base.extend({
  server: [
    async ({}, use) => {
      const server = await serve(demoDir, 0);
      await use(`http://localhost:${server.address().port}/`);
      server.closeAllConnections();
      server.close();
    },
    { scope: 'worker' },
  ],

  /** A pattern of the console messages that a test brings about on purpose. */
  expectedErrors: [undefined, { option: true }],

  demo: async ({ page, server, expectedErrors }, use) => {
    const errors = [];
    const foreign = [];
    page.on('console', (message) => {
      if (message.text() === 'Service Worker registration blocked by Playwright') return;
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.stack));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== new URL(server).origin) foreign.push(request.url());
    });
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`);
      });
    });
    await page.goto(server);
    await use(new Demo(page));
    const unexpected = errors.filter((error) => !expectedErrors?.test(error));
    expect(unexpected, 'errors and warnings in the console').toEqual([]);
    expect(foreign, 'requests to other hosts').toEqual([]);
  },
});

/** Keeps requests from being answered until what it resolves to is called. */
export async function hold({ page }, path, answer = (route) => route.continue()) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.context().route(path, async (route) => {
    await released;
    await answer(route);
  });
  return release;
}

/** A PNG with lines of black text on white, in letters of `size` pixels. */
export async function drawText(page, lines, { size = 32, width = 13 * size, height = 2 * size * (lines.length + 1) } = {}) {
  const url = await page.evaluate(({ lines, width, height, size }) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.fillStyle = 'black';
    context.font = `${size}px sans-serif`;
    lines.forEach((line, i) => context.fillText(line, size, size * (2 + 2 * i)));
    return canvas.toDataURL('image/png');
  }, { lines, width, height, size });
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

/** The sample with an EXIF orientation (1 to 8), as a camera that was held another way writes it. */
export function sampleTurned(orientation) {
  const jpeg = readFileSync(sampleFile);
  // APP1: "Exif", then a little-endian TIFF whose only directory has one entry, tag 0x0112 of type SHORT.
  const exif = Buffer.from(
    `ffe100224578696600004949${'2a0008000000'}${'0100'}${'1201030001000000'}0${orientation}000000${'00000000'}`, 'hex');
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
}
