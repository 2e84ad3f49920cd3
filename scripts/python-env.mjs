// The Python environment of the test tools: a venv in the toolchain folder, made once per set of pinned packages.
// By hand: node scripts/python-env.mjs (prints the interpreter's path).
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { toolchain } from './lib/project.mjs';

const run = promisify(execFile);
const requirementsPath = fileURLToPath(new URL('./python-requirements.txt', import.meta.url));
const oldestPython = [3, 10];

export async function exists(path) {
  return access(path).then(() => true, () => false);
}

async function canMakeVenv(python) {
  const probe = 'import sys, venv, ensurepip; print(*sys.version_info[:2])';
  try {
    const { stdout } = await run(python, ['-c', probe]);
    const [major, minor] = stdout.trim().split(' ').map(Number);
    return major > oldestPython[0] || (major === oldestPython[0] && minor >= oldestPython[1]);
  } catch {
    return false;
  }
}

async function basePython() {
  const candidates = [process.env.KINGLET_PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean);
  for (const python of candidates) if (await canMakeVenv(python)) return python;
  throw new Error(
    `No Python >= ${oldestPython.join('.')} with the venv module was found (tried ${candidates.join(', ')}). ` +
      'On Debian: apt-get install python3-venv. Or set KINGLET_PYTHON to an interpreter.',
  );
}

/**
 * Path of a Python interpreter that has the packages of python-requirements.txt.
 * The folder's name holds a hash of the requirements, so a changed pin makes a new environment. The file `ready`
 * is written last, so an interrupted set-up is never taken for a finished one.
 */
export async function pythonEnv({ log = () => {} } = {}) {
  const requirements = await readFile(requirementsPath, 'utf8');
  const hash = createHash('sha256').update(requirements).digest('hex').slice(0, 12);
  const folder = join(toolchain, `python-${hash}`);
  const interpreter = join(folder, 'bin', 'python');
  if (await exists(join(folder, 'ready'))) return interpreter;

  log('Python packages of the test tools: creating an environment');
  await rm(folder, { recursive: true, force: true });
  await mkdir(toolchain, { recursive: true });
  await run(await basePython(), ['-m', 'venv', folder]);
  log('Python packages of the test tools: installing (onnx, numpy; about 40 MB)');
  await run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsPath]);
  await writeFile(join(folder, 'ready'), '');
  return interpreter;
}

/** The version of the `onnx` package that the environment pins: it names the conformance data. */
export async function onnxVersion() {
  const match = /^onnx==(\S+)$/m.exec(await readFile(requirementsPath, 'utf8'));
  if (!match) throw new Error(`${requirementsPath} pins no onnx version`);
  return match[1];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await pythonEnv({ log: (line) => console.error(line) }));
}
