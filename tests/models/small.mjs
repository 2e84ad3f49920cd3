// Runs small models (one operator, or a random graph) on two engines and says where they differ.
// By hand: node tests/models/small.mjs [--filter TEXT] [--engines kinglet,ort]
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { smallModels } from './catalog.mjs';
import { engines } from './engines.mjs';
import { anyInput } from './inputs.mjs';
import { faults } from './results.mjs';

/** Lines of fault of one model: none when both engines agree. */
export async function compareSmall(engine, oracle, { path, quantum }) {
  const bytes = await readFile(path);
  const reference = await oracle.load(bytes);
  try {
    const feeds = Object.fromEntries(reference.inputs.map((input, i) => [input.name, anyInput(input, i + 1)]));
    const expected = await reference.run(feeds);
    const model = await engine.load(bytes);
    try {
      const first = faults(await model.run(feeds), expected, { quantum });
      const again = faults(await model.run(feeds), expected, { quantum });
      return first.length > 0 ? first : again.map((fault) => `second run: ${fault}`);
    } finally {
      await model.dispose();
    }
  } finally {
    await reference.dispose();
  }
}

async function main() {
  const { values } = parseArgs({ options: { filter: { type: 'string', default: '' }, engines: { type: 'string', default: 'kinglet,ort' } } });
  const [engine, oracle] = await Promise.all(values.engines.split(',').map((name) => engines[name]()));
  const chosen = (await smallModels()).filter(({ name }) => new RegExp(values.filter).test(name));
  let failed = 0;
  for (const row of chosen) {
    const found = await compareSmall(engine, oracle, row).catch((error) => [`${error.name}: ${error.message}`]);
    if (found.length === 0) continue;
    failed += 1;
    console.log(`${row.name} (${row.path}): ${found.join('; ')}`);
  }
  console.log(`${chosen.length - failed} agree, ${failed} do not`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
