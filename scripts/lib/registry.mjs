// The operators that core/ops/ registers, read from its KINGLET_OP lines as cmake/OpRegistry.cmake does.

import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { operatorId } from './model-operators.mjs';
import { root } from './project.mjs';
import { filesUnder } from './stamp.mjs';

const opsDir = join(root, 'core/ops');
const statement = /^[ \t]*KINGLET_OP(?:\(|_IN\(\s*\w+,\s*"([^"]*)",)\s*(\w+),\s*([^;]*)\);/gm;
const sinceCall = /\bsince\((\d+)\)/;

/** The opset in `since(n)` of a definition: written there, given as the last argument, or in what it names. */
function sinceOf(definition, source, seen = new Set()) {
  const direct = sinceCall.exec(definition) ?? /\((\d+)\)\s*$/.exec(definition);
  if (direct) return Number(direct[1]);
  for (const [, name] of definition.matchAll(/\b([A-Za-z_]\w*)\b/g)) {
    if (seen.has(name)) continue;
    seen.add(name);
    const text = new RegExp(`\\bOpDef ${name}\\b[^;]*;`).exec(source)?.[0];
    const found = text && sinceOf(text, source, seen);
    if (found) return found;
  }
  return undefined;
}

// The one operator that is not registered: it becomes others before anything looks for it.
const gradient = { domain: 'ai.onnx.preview.training', type: 'Gradient', since: 1, family: 'training', file: 'core/graph/gradient.cpp' };

/**
 * The operators that a model may call: [{ domain, type, since, family, file }] in the order of the files; the family is
 * the folder in core/ops/. Operators of the domain `kinglet`, which only Kinglet's own graphs hold, are left out.
 */
export function readRegistry() {
  const found = [gradient];
  for (const file of filesUnder([opsDir]).filter((name) => name.endsWith('.cpp'))) {
    const source = readFileSync(file, 'utf8');
    const lines = source.match(/^[ \t]*KINGLET_OP(_IN)?[ \t]*\(/gm)?.length ?? 0;
    const operators = [...source.matchAll(statement)].map(([, domain = '', type, definition]) => {
      const since = sinceOf(definition, source);
      if (!since) throw new Error(`${relative(root, file)}: no since(n) found for ${operatorId({ domain, type })}`);
      const folder = dirname(file);
      return { domain, type, since, family: folder === opsDir ? 'shared' : basename(folder), file: relative(root, file) };
    });
    if (operators.length !== lines) throw new Error(`${relative(root, file)}: ${lines} KINGLET_OP lines, ${operators.length} understood`);
    found.push(...operators.filter(({ domain }) => domain !== 'kinglet'));
  }
  return found;
}
