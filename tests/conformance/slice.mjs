// A slice of the cases for hosts where all of them would take too long.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { operatorId, readOperators } from '../../scripts/lib/model-operators.mjs';
import { readRegistry } from '../../scripts/lib/registry.mjs';
import { conformanceData, listCases } from './data.mjs';
import { readExpected } from './run.mjs';

const every = 10;

/** Every tenth of the cases, and the first of each family of operators that those leave out. */
function sliceOf(cases) {
  const familyOf = new Map(readRegistry().map((operator) => [operatorId(operator), operator.family]));
  const familiesOf = ({ folder }) => readOperators(readFileSync(join(folder, 'model.onnx'))).map((id) => familyOf.get(id));
  const slice = cases.filter((_, i) => i % every === 0);
  const seen = new Set(slice.flatMap(familiesOf));
  for (const row of cases) {
    const families = familiesOf(row);
    if (families.every((family) => seen.has(family))) continue;
    slice.push(row);
    for (const family of families) seen.add(family);
  }
  return slice;
}

/** { cases, dataFolder, least }: the slice of those that have to pass, the folder that they lie in, and how many there are at least. */
export async function conformanceSlice() {
  const dataFolder = await conformanceData();
  const expected = new Set(await readExpected());
  const cases = sliceOf((await listCases(dataFolder)).filter(({ id }) => expected.has(id)));
  return { cases, dataFolder, least: expected.size / every };
}
