// Which operators are run by which tests.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesUnder } from '../../scripts/lib/stamp.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { operatorId, readOperators } from '../../scripts/lib/model-operators.mjs';
import { readRegistry } from '../../scripts/lib/registry.mjs';
import { smallModels } from '../models/catalog.mjs';

async function operatorsInFiles(files) {
  const found = new Set();
  for (const file of files) for (const id of readOperators(await readFile(file))) found.add(id);
  return found;
}

/** Operators in the models of `cases` ([{ folder }]). */
export const operatorsOfCases = (cases) => operatorsInFiles(cases.map(({ folder }) => join(folder, 'model.onnx')));

/** Operators in the small models, whose results are compared with onnxruntime-web's. */
export const operatorsOfSmallModels = async () => operatorsInFiles((await smallModels()).map(({ path }) => path));

// Where an operator's name is something else: a test's title, a choice by name, an attribute of another operator.
const otherUse = /TEST_CASE|SECTION|INFO|activation/;
const nearLines = 12;

/**
 * Operators that a file of tests/core/ops/ names in a string literal: as `.op`, in a table, or to a helper. One of another
 * domain than ai.onnx counts where the file names that domain too, and near by when ai.onnx has an operator of its name.
 */
export async function operatorsOfNativeTests() {
  const registry = readRegistry();
  const inStandard = new Set(registry.filter(({ domain }) => !domain).map(({ type }) => type));
  const found = new Set();
  for (const file of filesUnder([join(root, 'tests/core/ops')]).filter((name) => name.endsWith('_test.cpp'))) {
    const text = await readFile(file, 'utf8');
    const lines = text.split('\n');
    const uses = lines.map((line) => (/"/.test(line) ? line.replaceAll(/(==|!=) *"[^"]*"/g, '') : ''));
    for (const { domain, type } of registry) {
      const at = uses.flatMap((line, i) => (line.includes(`"${type}"`) && !otherUse.test(line) ? [i] : []));
      if (at.length === 0) continue;
      const constant = domain && new RegExp(`\\b(k\\w+)\\b[^\\n;]*= "${domain}"`).exec(text)?.[1];
      const hasDomain = (part) => part.includes(`"${domain}"`) || (constant && part.includes(constant));
      const around = (i) => lines.slice(Math.max(0, i - nearLines), i + nearLines).join('\n');
      if (!domain || (inStandard.has(type) ? at.some((i) => hasDomain(around(i))) : hasDomain(text))) found.add(operatorId({ domain, type }));
    }
  }
  return found;
}

/** Operators of the registry that none of the sets holds. */
export const uncovered = (...sets) => readRegistry().map(operatorId).filter((id) => !sets.some((set) => set.has(id)));
