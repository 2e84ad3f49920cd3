import { defineConfig } from '@playwright/test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default defineConfig({
  testDir: '.',
  outputDir: join(tmpdir(), `kinglet-playwright-${process.getuid?.() ?? 0}`),
  // Reading a picture takes all of a core.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  use: {
    // Tests answer for the server, which only requests without a service worker between let them; offline.spec.mjs has one.
    serviceWorkers: 'block',
    // The system's Chromium, which scripts/test.mjs finds.
    launchOptions: process.env.KINGLET_CHROMIUM ? { executablePath: process.env.KINGLET_CHROMIUM } : {},
  },
});
