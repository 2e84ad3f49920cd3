import { expect, test } from '@playwright/test';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { demoDir } from '../../scripts/lib/project.mjs';
import { serve } from '../../scripts/serve.mjs';
import { Demo, drawText } from './fixtures.mjs';

test.use({ serviceWorkers: 'allow' });

async function start(folder, port = 0) {
  const server = await serve(folder, port);
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}

/** Opens the page that a server of `folder` gives, and waits until its service worker answers. */
async function open(page, folder) {
  const server = await start(folder);
  await page.goto(server.url);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return server;
}

const namesOfCaches = () => caches.keys();

test('the page reads pictures without network after it read one with it', async ({ page }) => {
  const server = await open(page, demoDir);
  const demo = new Demo(page);
  await demo.readSample();
  await server.stop();
  await page.reload();
  await demo.readSample();
  const png = await drawText(page, ['Far from the net']);
  await demo.file.setInputFiles({ name: 'far.png', mimeType: 'image/png', buffer: png });
  await expect(demo.lines).toHaveText(['Far from the net']);
});

test('without network and without the models the page says so', async ({ page }) => {
  const server = await open(page, demoDir);
  const demo = new Demo(page);
  await server.stop();
  await page.reload();
  await demo.sample.click();
  await expect(demo.problem).toHaveText(/could not be downloaded: the server cannot be reached\.$/);
  const again = await start(demoDir, server.port);
  await demo.retry.click();
  await expect(demo.lines).not.toHaveCount(0);
  await again.stop();
});

test('a new version is shown at once and takes the place of the old one', async ({ page }, testInfo) => {
  const folder = testInfo.outputPath('demo');
  cpSync(demoDir, folder, { recursive: true });
  const edit = (name, from, to) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toMatch(from);
    writeFileSync(join(folder, name), text.replace(from, to));
  };
  const server = await open(page, folder);
  const [old] = await page.evaluate(namesOfCaches);
  edit('index.html', /<title>.*<\/title>/, '<title>Another version</title>');
  edit('service-worker.js', /const build = "\w+"/, 'const build = "another"');
  await page.reload();
  await expect(page).toHaveTitle('Another version');
  await expect.poll(() => page.evaluate(namesOfCaches)).toEqual([old.replace(/\w+$/, 'another')]);
  await server.stop();
  await page.reload();
  await expect(page).toHaveTitle('Another version');
});
