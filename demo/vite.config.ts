import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

import { offline } from './offline/plugin.ts';

// The demo runs the package as it is published: dist/, not web/src/.
const library = (file: string) => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

export default defineConfig({
  base: './',
  resolve: { alias: { 'kinglet/ocr': library('ocr.js') } },
  worker: { format: 'es' },
  plugins: [offline()],
});
