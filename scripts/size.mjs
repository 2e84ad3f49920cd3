// npm run size: what each part of the page download costs. Links the relaxed binary once more, with names and the linker's
// map, and writes docs/size.md. Options: --ops LIST: of a subset build (as in build.mjs), printed and not written.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliBytes, downloadSize } from './bench/download-size.mjs';
import { building, buildNamed, buildPackage, readSubset } from './build.mjs';
import { readArguments } from './lib/arguments.mjs';
import { buildDir, root } from './lib/project.mjs';
import { command } from './lib/run.mjs';
import { setup } from './setup.mjs';
import { readLinkMap, sourceFinder } from './size/origins.mjs';
import { readModule } from './size/wasm-module.mjs';

const sum = (list) => list.reduce((total, value) => total + value, 0);
const kib = (bytes) => (bytes / 1024).toFixed(1);
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

/** The part of the product that a source file or library belongs to. */
function partOf(source) {
  const [, folder, inside] = /^core\/(\w+)\/(?:(\w+)\/)?/.exec(source) ?? [];
  if (folder === 'ops') return inside ? `operators: ${inside}` : 'operators: what they share, Gemm, MatMul';
  if (folder === 'graph') return inside === 'passes' ? 'graph passes' : 'graph and shape inference';
  const names = { kernels: 'kernels', model: 'model reader', runtime: 'runtime', base: 'tensors, element types, errors', vision: 'vision and OCR' };
  if (folder) return names[folder] ?? folder;
  if (source.startsWith('bindings/')) return 'bindings';
  if (/registry/.test(source)) return 'registry of operators';
  return source;
}

const unknown = 'compiler\'s own';

/** Bytes by source: Map of source -> { functions: [bytes...], data: number }. */
function bySource(module, inputs, sourceOf) {
  const sources = new Map();
  const entry = (source) => {
    if (!sources.has(source)) sources.set(source, { functions: [], data: 0 });
    return sources.get(source);
  };
  const ofSymbol = new Map();
  for (const each of inputs) {
    const source = sourceOf(each);
    if (each.isData) entry(source).data += each.size;
    else ofSymbol.set(each.symbol, [...(ofSymbol.get(each.symbol) ?? []), source]);
  }
  for (const { name, bytes } of module.functions) {
    // Binaryen numbers names that occur twice, and marks what it took out of a function.
    const symbol = [name, name.replace(/[._$]\d+$/, ''), name.replace(/^byn\$\w+-?\$?/, '')].find((text) => ofSymbol.has(text));
    const candidates = ofSymbol.get(symbol) ?? [unknown];
    entry(candidates[0]).functions.push(bytes);
    if (candidates.length > 1) candidates.push(candidates.shift());
  }
  const lost = sum((sources.get(unknown)?.functions ?? []).map(({ length }) => length));
  if (lost * 50 > sum(module.functions.map(({ bytes }) => bytes.length))) throw new Error(`the linker's map does not tell where ${lost} bytes of code come from`);
  return sources;
}

/** [{ part, code, data, brotli, files }], largest first; brotli is the part's share of the whole binary's. */
function partsOf(module, sources, totalBrotli) {
  const parts = new Map();
  const part = (name) => {
    if (!parts.has(name)) parts.set(name, { part: name, chunks: [], data: 0 });
    return parts.get(name);
  };
  for (const [source, { functions, data }] of sources) {
    const found = part(partOf(source));
    found.chunks.push(...functions);
    found.data += data;
  }
  part('module: types, imports, tables').chunks.push(...module.other);
  // Each part's code by itself; data, which the map only sizes, at the rate of the data section as a whole.
  const dataRate = brotliBytes(module.data) / module.data.length;
  const rows = [...parts.values()].map(({ part: name, chunks, data }) => {
    const code = Buffer.concat(chunks);
    return { part: name, code: code.length, data, alone: (code.length > 0 ? brotliBytes(code) : 0) + data * dataRate };
  });
  const scale = totalBrotli / sum(rows.map(({ alone }) => alone));
  return rows.map((found) => ({ ...found, brotli: found.alone * scale })).sort((a, b) => b.brotli - a.brotli);
}

async function measure(folder) {
  const wasm = await readFile(join(folder, 'relaxed.wasm'));
  const module = readModule(wasm);
  const targets = ['kinglet_core.dir', 'kinglet_kernels_relaxed.dir', 'kinglet_embind.dir', 'kinglet_embind_ocr.dir'];
  const finder = sourceFinder(targets.map((name) => join(buildDir, 'wasm/CMakeFiles', name)));
  const sources = bySource(module, readLinkMap(await readFile(join(folder, 'relaxed.map'), 'utf8')), finder);
  return { module, sources };
}

function partTable(parts) {
  const total = (key) => kib(sum(parts.map((part) => part[key])));
  return table(['part', 'code, KiB', 'data, KiB', 'brotli, KiB'], [
    ...parts.map((part) => [part.part, kib(part.code), kib(part.data), kib(part.brotli)]),
    ['all', total('code'), total('data'), total('brotli')],
  ]);
}

function fileTable(sources, count) {
  const rows = [...sources].map(([source, { functions, data }]) => ({ source, bytes: sum(functions.map(({ length }) => length)) + data }));
  rows.sort((a, b) => b.bytes - a.bytes);
  return table(['file', 'KiB, not compressed'], rows.slice(0, count).map(({ source, bytes }) => [source, kib(bytes)]));
}

await command(async () => {
  const usage = 'usage: npm run size [-- --ops LIST] [--no-build]   LIST as in npm run build -- --help';
  const { values } = readArguments({ usage, options: { ops: { type: 'string' }, 'no-build': { type: 'boolean', default: false } } });
  if (values.help) return console.log(usage);
  const subset = values.ops === undefined ? undefined : await readSubset(values.ops);
  if (!values['no-build']) {
    await setup();
    await building(async () => {
      if (!subset) await buildPackage();
      await buildNamed(subset);
    });
  }
  const folder = join(buildDir, 'wasm', subset ? 'wasm-subset-named' : 'wasm-named');
  const { module, sources } = await measure(folder);
  if (subset) {
    const whole = Buffer.concat([...module.other, ...module.functions.map(({ bytes }) => bytes), module.data]);
    console.log(`${partTable(partsOf(module, sources, brotliBytes(whole)))}\n\n${fileTable(sources, 60)}`);
    return;
  }
  const { files, totalBytes, limitBytes } = await downloadSize();
  const wasm = files.find(({ name }) => name.endsWith('.wasm'));
  const text = `# Size

Written by \`npm run size\`; do not edit by hand. ${new Date().toISOString().slice(0, 10)}.

What a page downloads to run a model: one binary and the entry script, as brotli -q 11 compresses them. The limit is ${kib(limitBytes)} KiB.

${table(['file', 'KiB', 'KiB, brotli'], [...files.map((file) => [file.name, kib(file.rawBytes), kib(file.brotliBytes)]), ['all', '', kib(totalBytes)]])}

## Parts of the binary

By folder of the source, from the linker's map of \`relaxed.wasm\`. What is shared (a template's instance, a string) counts where the linker took it from.
Brotli: each part compressed by itself, scaled so that the sum is that of ${wasm.name}.

${partTable(partsOf(module, sources, wasm.brotliBytes))}

## Largest files

${fileTable(sources, 40)}
`;
  await writeFile(join(root, 'docs/size.md'), text);
  console.log(`${partTable(partsOf(module, sources, wasm.brotliBytes))}\n\nwritten: docs/size.md`);
});
