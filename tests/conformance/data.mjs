// The conformance cases on disk: generated once per pinned version into the toolchain folder.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { toolchain } from '../../scripts/lib/project.mjs';
import { exists, onnxVersion, pythonEnv } from '../../scripts/python-env.mjs';
import { filesUnder } from '../../scripts/lib/stamp.mjs';
import { protoFiles } from './proto-files.mjs';

const generator = fileURLToPath(new URL('./generate.py', import.meta.url));

export const suites = ['node', 'simple', 'pytorch-operator', 'pytorch-converted'];

function runPython(python, args, log) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', log);
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')} ended with code ${code}`))));
  });
}

/** Folder with a subfolder for each suite, and the .proto files. */
export async function conformanceData({ log = console.error } = {}) {
  const hash = createHash('sha256').update(await readFile(generator)).digest('hex').slice(0, 8);
  const finished = join(toolchain, `onnx-cases-${await onnxVersion()}-${hash}`);
  if (await exists(finished)) return finished;
  const python = await pythonEnv({ log });
  const unfinished = await mkdtemp(join(toolchain, 'onnx-cases-making-'));
  await runPython(python, ['-B', generator, unfinished], log);
  try {
    await rename(unfinished, finished);
  } catch (error) {
    await rm(unfinished, { recursive: true });
    if (!(await exists(finished))) throw error;
  }
  return finished;
}

/** [{ id: 'suite/case', folder }] of every case under a data folder, sorted. */
export async function listCases(folder) {
  const found = [];
  for (const suite of suites) {
    if (!(await exists(join(folder, suite)))) continue;
    for (const name of (await readdir(join(folder, suite))).sort()) {
      if (await exists(join(folder, suite, name, 'model.onnx'))) {
        found.push({ id: `${suite}/${name}`, folder: join(folder, suite, name) });
      }
    }
  }
  return found;
}

/** The files of a case, for `readCase`. */
export async function folderFiles(folder) {
  const names = filesUnder([folder]).map((file) => relative(folder, file).replaceAll('\\', '/'));
  return { names, read: (name) => readFile(join(folder, name)) };
}

/** The texts of the .proto files in a data folder. */
export function protoTexts(folder) {
  return Promise.all(protoFiles.map((name) => readFile(join(folder, name), 'utf8')));
}
