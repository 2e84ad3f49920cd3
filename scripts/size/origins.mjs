// Where the functions and data of a linked binary come from: wasm-ld's map (-Map, --no-demangle) names the object file of
// each, and the object files lie in folders like their sources.

import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

import { root } from '../lib/project.mjs';
import { filesUnder } from '../lib/stamp.mjs';

const mapLine = /^ *([0-9a-f]+|-) +([0-9a-f]+) +([0-9a-f]+) {9}(\S.*)$/;
const input = /^(.*?)(?:\(([^()]+\.o)\))?:\((.*)\)$/;

/** `[{ object, symbol, size, isData }]`: every input of the code and data sections. `object` may be `<internal>`. */
export function readLinkMap(text) {
  const inputs = [];
  let section = '';
  for (const line of text.split('\n')) {
    const header = /^ +- +[0-9a-f]+ +[0-9a-f]+ ([A-Z]+)$/.exec(line);
    if (header) section = header[1];
    if (section !== 'CODE' && section !== 'DATA') continue;
    const [, , , size, rest] = mapLine.exec(line) ?? [];
    const [, file, member, symbol] = (rest && input.exec(rest)) ?? [];
    if (file === undefined) continue;
    inputs.push({ archive: member ? basename(file) : '', object: member ?? file, symbol, size: Number.parseInt(size, 16), isData: section === 'DATA' });
  }
  return inputs;
}

/** Object files of a CMake target's folder by name: name -> [{ source, bytes }], the source relative to the project. */
export function objectFiles(folder) {
  const found = new Map();
  for (const file of filesUnder([folder]).filter((name) => name.endsWith('.o'))) {
    const source = relative(folder, file).replace(/\.o$/, '');
    // Objects of sources that are gone stay in a build folder.
    if (source.startsWith('core/') && !existsSync(join(root, source))) continue;
    found.set(basename(file), [...(found.get(basename(file)) ?? []), { source, bytes: readFileSync(file) }]);
  }
  return found;
}

const systemLibraries = [
  [/^libembind/, 'Embind'],
  [/^libc\+\+|^libunwind/, 'C++ library'],
  [/^lib(c|emmalloc|clang_rt\.builtins|dlmalloc|compiler_rt|standalonewasm|stubs|noexit|al|GL|sockets|jsmath)\b/, 'C library'],
];

/** Tells the source file of an input of the map ('core/ops/nn/conv.cpp'), or the library that it is of. */
export function sourceFinder(targetFolders) {
  const objects = targetFolders.map(objectFiles);
  return ({ archive, object, symbol, isData }) => {
    if (object === '<internal>') return isData ? 'string literals' : 'linker';
    const library = systemLibraries.find(([pattern]) => pattern.test(archive))?.[1];
    if (library) return library;
    const name = isData ? symbol.replace(/^\.\w+\./, '') : symbol;
    const candidates = objects.flatMap((files) => files.get(basename(object)) ?? []);
    // An archive knows no folders: of two files of one name, the one that has the symbol.
    const chosen = candidates.length > 1 ? candidates.find(({ bytes }) => bytes.includes(name)) : candidates[0];
    return chosen?.source ?? basename(object);
  };
}
