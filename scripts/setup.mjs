// Installs what the build (and, with `tests`, the tests) need and the machine lacks. Uses Node's built-in
// modules alone, because it runs before anything is installed. By hand: node scripts/setup.mjs [--tests]

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { buildDir, currentNode, hostNode, root, toolchain } from './lib/project.mjs';
import { command, Failure, output, run, say } from './lib/run.mjs';
import { withLock } from './lib/lock.mjs';
import { stamped } from './lib/stamp.mjs';

const oldestEmscripten = 4;

function versionAtLeast(text, wanted) {
  const found = /(\d+)\.(\d+)/.exec(text ?? '');
  if (!found) return false;
  const [major, minor = 0] = wanted;
  return +found[1] > major || (+found[1] === major && +found[2] >= minor);
}

function isCommand(name) {
  return output('sh', ['-c', 'command -v "$1"', 'sh', name]) !== undefined;
}

/** The browser of the tests: KINGLET_CHROMIUM, or the first known name on PATH. */
export function findChromium() {
  if (process.env.KINGLET_CHROMIUM) return process.env.KINGLET_CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const path = output('sh', ['-c', 'command -v "$1"', 'sh', name]);
    if (path) return path;
  }
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  return existsSync(mac) ? mac : undefined;
}

function emccOnPath() {
  const first = output('emcc', ['--version'])?.split('\n')[0];
  return versionAtLeast(/\)\s*(\d+\.\d+\S*)/.exec(first ?? '')?.[1] ?? first, [oldestEmscripten]);
}

const ownEmscripten = join(toolchain, 'emscripten');
const ownEmscriptenReady = () => existsSync(join(ownEmscripten, '.complete'));

/** Environment for programs that use Emscripten: its configuration, and EMSCRIPTEN for CMake's presets. */
export function emscriptenEnv() {
  const nodeVar = { EM_NODE_JS: hostNode };
  if (emccOnPath()) {
    const folder = output('em-config', ['EMSCRIPTEN_ROOT']);
    if (!folder) throw new Failure('emcc is on PATH but em-config, of the same package, is not');
    return { EMSCRIPTEN: folder, ...nodeVar };
  }
  return {
    EM_CONFIG: join(ownEmscripten, 'emscripten_config.py'),
    EMSCRIPTEN: join(ownEmscripten, 'root/usr/share/emscripten'),
    ...nodeVar,
  };
}

// What Debian's packages bring. `found` asks the machine, not the package database: any origin will do.
function systemNeeds(tests) {
  const needs = [
    { what: 'CMake >= 3.25', packages: ['cmake'],
      found: () => versionAtLeast(output('cmake', ['--version']), [3, 25]) },
    { what: 'Ninja', packages: ['ninja-build'], found: () => isCommand('ninja') },
    { what: 'Python >= 3.8', packages: ['python3'],
      found: () => versionAtLeast(output('python3', ['--version']), [3, 8]) },
  ];
  if (!ownEmscriptenReady() && !emccOnPath()) {
    needs.push({ what: 'patchelf', packages: ['patchelf'], found: () => isCommand('patchelf') });
  }
  if (tests) {
    needs.push(
      { what: 'a C++20 compiler', packages: ['g++'], found: () => process.env.CXX || isCommand('c++') },
      { what: 'Python\'s venv module', packages: ['python3-venv'],
        found: () => output('python3', ['-c', 'import ensurepip, venv']) !== undefined },
      { what: 'Chromium', packages: ['chromium'], found: () => findChromium() !== undefined },
    );
  }
  return needs;
}

async function setupSystem(tests) {
  const missing = systemNeeds(tests).filter((need) => !need.found());
  if (missing.length === 0) return;
  const packages = missing.flatMap((need) => need.packages);
  const list = missing.map(({ what, packages: names }) => `${what} (Debian package ${names.join(', ')})`);
  const lacks = `this machine lacks:\n  ${list.join('\n  ')}\n`;
  if (!isCommand('apt-get')) {
    throw new Failure(`${lacks}Install them with its package manager, then run this again.`);
  }
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? [] : output('sudo', ['-n', 'true']) !== undefined ? ['sudo', '-n'] : undefined;
  if (!sudo) {
    throw new Failure(
      `${lacks}Installing them needs root. Run this, then try again:\n` +
      `  sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(' ')}`);
  }
  say(`system packages: installing ${packages.join(' ')}`);
  const [program, ...options] = [
    ...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y', '-o', 'DPkg::Lock::Timeout=600',
  ];
  await run(program, [...options, 'update']);
  // --no-upgrade and --no-remove: what the machine has stays as it is.
  const careful = ['--no-install-recommends', '--no-upgrade', '--no-remove'];
  await run(program, [...options, 'install', ...careful, ...packages]);
  const still = systemNeeds(tests).filter((need) => !need.found());
  if (still.length > 0) {
    throw new Failure(`installed, but still not found: ${still.map((need) => need.what).join(', ')}`);
  }
}

async function setupNpmPackages() {
  const folder = join(root, 'node_modules');
  const stamp = join(folder, '.kinglet-stamp');
  const npm = process.env.npm_execpath && existsSync(process.env.npm_execpath)
    ? [hostNode, process.env.npm_execpath] : ['npm'];
  await stamped('npm', {
    inputs: [join(root, 'package-lock.json'), join(root, '.npmrc')],
    outputs: [join(folder, '.package-lock.json'), currentNode],
    extra: `${process.platform} ${process.arch}`,
  }, async () => {
    say('npm packages: installing (about 200 MB to download)');
    await run(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund'], { timeoutMinutes: 20 });
  }, stamp);
}

async function setupEmscripten() {
  if (emccOnPath() || ownEmscriptenReady()) return;
  say(`Emscripten: no emcc >= ${oldestEmscripten} on PATH; making one, 85 MB to download, 5 to 12 minutes on two cores`);
  await run('bash', ['scripts/setup-emscripten.sh', ownEmscripten]);
}

async function setupHeaders() {
  const folder = join(toolchain, 'headers');
  // Where there is no apt, CMake finds or fetches them.
  if (existsSync(join(folder, '.complete')) || !isCommand('apt-get')) return;
  say('C++ libraries: xtensor, nlohmann-json, protozero, Catch2 (about 2 MB)');
  await run('bash', ['scripts/setup-headers.sh', folder]);
}

/** Everything that the build needs; with `tests`, everything that the tests need too. */
export async function setup({ tests = false } = {}) {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < 20) throw new Failure(`Node >= 20 is needed; this is ${process.version}`);
  mkdirSync(toolchain, { recursive: true });
  await withLock(join(toolchain, '.lock'), async () => {
    await setupSystem(tests);
    await setupEmscripten();
    await setupHeaders();
  });
  await withLock(join(buildDir, '.lock'), setupNpmPackages);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    await setup({ tests: process.argv.includes('--tests') });
    say('set-up is complete');
  });
}
