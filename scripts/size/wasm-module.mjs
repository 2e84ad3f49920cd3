// The parts of a WebAssembly binary whose size matters: its functions with their names, its data, the rest.

const text = new TextDecoder();

class Reader {
  constructor(bytes, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }
  byte() {
    return this.bytes[this.position++];
  }
  /** An unsigned LEB128 number of at most 53 bits. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  name() {
    const length = this.number();
    this.position += length;
    return text.decode(this.bytes.subarray(this.position - length, this.position));
  }
  skipLimits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }
}

// Ids of sections: https://webassembly.github.io/spec/core/binary/modules.html#sections
const custom = 0, imports = 2, code = 10, data = 11;

function countImportedFunctions(reader) {
  let functions = 0;
  for (let left = reader.number(); left > 0; --left) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 0) functions += 1, reader.number();
    else if (kind === 1) reader.byte(), reader.skipLimits();
    else if (kind === 2) reader.skipLimits();
    else if (kind === 3) reader.byte(), reader.byte();
    else if (kind === 4) reader.byte(), reader.number();
    else throw new Error(`an import of unknown kind ${kind}`);
  }
  return functions;
}

function readNames(reader, end) {
  const names = new Map();
  while (reader.position < end) {
    const subsection = reader.byte();
    const size = reader.number();
    const next = reader.position + size;
    if (subsection === 1) {
      for (let left = reader.number(); left > 0; --left) {
        const index = reader.number();
        names.set(index, reader.name());
      }
    }
    reader.position = next;
  }
  return names;
}

/** { functions: [{ name, bytes }], data, other }: the bytes of each; the section of names counts nowhere. */
export function readModule(bytes) {
  const reader = new Reader(bytes, 8);
  const functions = [];
  const other = [bytes.subarray(0, 8)];
  let names = new Map();
  let imported = 0;
  let dataBytes = new Uint8Array();
  while (reader.position < bytes.length) {
    const start = reader.position;
    const id = reader.byte();
    const size = reader.number();
    const end = reader.position + size;
    if (id === code) {
      for (let left = reader.number(); left > 0; --left) {
        const from = reader.position;
        const length = reader.number();
        reader.position += length;
        functions.push({ bytes: bytes.subarray(from, reader.position) });
      }
    } else if (id === data) {
      dataBytes = bytes.subarray(start, end);
    } else if (id === custom && reader.name() === 'name') {
      names = readNames(reader, end);
    } else {
      if (id === imports) imported = countImportedFunctions(reader);
      other.push(bytes.subarray(start, end));
    }
    reader.position = end;
  }
  functions.forEach((fn, i) => { fn.name = names.get(imported + i) ?? ''; });
  return { functions, data: dataBytes, other };
}
