// Writes docs/operators.md from the results of a whole run.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, type as system } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { operatorId } from '../../scripts/lib/model-operators.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { readRegistry } from '../../scripts/lib/registry.mjs';
import { onnxVersion, pythonEnv } from '../../scripts/python-env.mjs';
import { operatorsOfNativeTests, operatorsOfSmallModels } from './coverage.mjs';
import { elementTypes } from './element-types.mjs';
import { reasonFor } from './reasons.mjs';

const run = promisify(execFile);
const outPath = join(root, 'docs/operators.md');
const schemasScript = fileURLToPath(new URL('./schemas.py', import.meta.url));
const besidePath = new URL('./newer-cases.txt', import.meta.url);

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, alignments, rows) => [row(head), row(alignments), ...rows.map(row)].join('\n');
const count = (results) => `${results.filter(({ passed }) => passed).length} of ${results.length}`;

/** Lines of a list file in this folder: ids, with comments left out. */
export async function readList(url) {
  return (await readFile(url, 'utf8')).split('\n').filter((line) => line && !line.startsWith('#'));
}

async function onnxOperators() {
  const { stdout } = await run(await pythonEnv(), ['-B', schemasScript], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

/** Counts by suite, one column a host: hosts is [{ label, results }]. */
function countTable(hosts, newer) {
  const suiteOf = (id) => id.split('/')[0];
  const suites = [...new Set([...hosts[0].results.keys()].map(suiteOf))];
  const chosen = (results, fits) => count([...results].filter(([id]) => fits(id)).map(([, result]) => result));
  const line = (label, fits) => [label, ...hosts.map(({ results }) => chosen(results, fits))];
  return table(['cases', ...hosts.map(({ label }) => label)], ['---', ...hosts.map(() => '---:')], [
    ...suites.map((suite) => line(suite, (id) => suiteOf(id) === suite)),
    line('all', () => true),
    line('node, without those newer than August 2026', (id) => suiteOf(id) === 'node' && !newer.has(id)),
  ]);
}

const typeOrder = new Map(Object.values(elementTypes).map(({ name }, i) => [name, i]));
const listTypes = (types) => [...types].sort((a, b) => typeOrder.get(a) - typeOrder.get(b)).join(', ');

function operatorTable(results, schemas, otherTests) {
  const byOperator = new Map();
  for (const { passed, operators = [] } of results.values()) {
    for (const operator of operators) {
      const id = operatorId(operator);
      if (!byOperator.has(id)) byOperator.set(id, { cases: [], types: new Set() });
      const entry = byOperator.get(id);
      entry.cases.push({ passed });
      if (passed) for (const type of operator.types) entry.types.add(type);
    }
  }
  const revisions = new Map(schemas.map((schema) => [operatorId(schema), schema.revisions]));
  const rows = readRegistry().map((operator) => {
    const id = operatorId(operator);
    const entry = byOperator.get(id);
    const later = (revisions.get(id) ?? []).filter((opset) => opset > operator.since);
    const opsets = later.length > 0 ? `${operator.since} (${later.join(', ')})` : String(operator.since);
    const tests = entry?.cases.some(({ passed }) => passed) ? count(entry.cases) : [entry && count(entry.cases), otherTests(id)].filter(Boolean).join('; ');
    return [operator.type, operator.domain || 'ai.onnx', opsets, entry ? listTypes(entry.types) : '', tests];
  });
  const order = (cells) => `${cells[1] === 'ai.onnx' ? '' : cells[1]} ${cells[0].toLowerCase()}`;
  rows.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return table(['operator', 'domain', 'opsets', 'element types', 'cases passed'], ['---', '---', '---', '---', '---'], rows);
}

/** Failing cases by reason, those with the most cases first. */
function failureList(hosts) {
  const groups = new Map();
  for (const { label, results } of hosts) {
    for (const [id, { passed, stage, reason }] of results) {
      if (passed || (label !== hosts[0].label && !hosts[0].results.get(id)?.passed)) continue;
      const where = label === hosts[0].label ? '' : ` (${label} only)`;
      groups.set(`${id}${where}`, reasonFor(id) ?? `${stage}: ${reason}`);
    }
  }
  if (groups.size === 0) return 'None.';
  return [...groups].map(([id, reason]) => `- \`${id.split(' ')[0]}\`${id.includes(' ') ? id.slice(id.indexOf(' ')) : ''}: ${reason.replace(/\s+/g, ' ')}`).join('\n');
}

function missingList(schemas) {
  const here = new Set(readRegistry().map(operatorId));
  const missing = schemas.filter((schema) => !here.has(operatorId(schema)));
  return missing.map((schema) => `- ${schema.type} (${schema.domain || 'ai.onnx'}, opset ${schema.revisions.join(', ')})`).join('\n');
}

/** hosts: [{ label, results }], the results of a whole run as runSuite gives them. */
export async function writeOperators(hosts) {
  const [schemas, deviations, newer, small, native, onnx, manifest] = await Promise.all([
    onnxOperators(),
    readFile(new URL('./deviations.md', import.meta.url), 'utf8'),
    readList(besidePath),
    operatorsOfSmallModels(),
    operatorsOfNativeTests(),
    onnxVersion(),
    readFile(join(root, 'package.json'), 'utf8').then(JSON.parse),
  ]);
  const otherTests = (id) => [small.has(id) && 'compared with onnxruntime-web', native.has(id) && 'C++ tests'].filter(Boolean).join(', ');
  const cases = hosts[0].results;
  const nodeCases = [...cases.keys()].filter((id) => id.startsWith('node/')).length;
  await writeFile(outPath, `# Operators

Written by \`npm run conformance\`; do not edit by hand.

Kinglet ${manifest.version} on the test cases of ONNX ${onnx}, through the npm package's public API; numbers agree within rtol 1e-3 and atol 1e-5.
${cpus()[0].model.trim()}, ${system()} ${arch()}, ${new Date().toISOString().slice(0, 10)}.

${countTable(hosts, new Set(newer))}

The node cases are those that the \`onnx\` package ${onnx} generates: ${nodeCases}. The set of August 2026, from ONNX's sources before that release, has ${nodeCases - newer.length}
of them; the release added ${newer.length} (\`tests/conformance/newer-cases.txt\`), numbered its opset 28, and changed some function bodies of Attention.

## Operators and opsets

Opsets: the first that Kinglet takes, and in brackets the later ones that changed the operator. Element types: of inputs and outputs in
passing cases. Cases passed: of all cases whose model calls the operator, in functions and subgraphs too; where no
case passes, what else tests it.

${operatorTable(cases, schemas, otherTests)}

## Failing cases

${failureList(hosts)}

## Left out

Operators of ONNX ${onnx} that Kinglet does not have:

${missingList(schemas)}

## Deviations

${deviations.trim()}
`);
}
