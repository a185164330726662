// A WebAssembly module as bytes: the positions of its parts, the encoding of instructions, and edits. For
// scripts/engine.mjs. Parses only what emscripten writes (WebAssembly Core Specification 2.0).

export function fail(message) {
  throw new Error(message);
}

/** Encodes a number as LEB128, unsigned or signed. */
export function unsigned(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return bytes;
}
export function signed(value) {
  const bytes = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const last = (value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  unsigned() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return value;
    }
  }
  skip(count) {
    this.at += count;
  }
  name() {
    const length = this.unsigned();
    this.skip(length);
    return this.bytes.subarray(this.at - length, this.at).toString();
  }
  /** The elements of a vector. */
  many(read) {
    return Array.from({ length: this.unsigned() }, read);
  }
}

/** Ids of sections (WebAssembly Core Specification 2.0, 5.5.2). */
const [TYPE, IMPORT, FUNCTION, EXPORT, ELEMENT, CODE, DATA] = [1, 2, 3, 7, 9, 10, 11];

/** The parts of a module that patches need, each with its offset in the file. */
export function parse(bytes) {
  const reader = new Reader(bytes, 8);
  const sections = new Map();
  while (reader.at < bytes.length) {
    const id = reader.bytes[reader.at++];
    const sizeAt = reader.at;
    const size = reader.unsigned();
    sections.set(id, { sizeAt, start: reader.at, size });
    reader.skip(size);
  }
  const at = (id) => new Reader(bytes, sections.get(id).start);
  let in_ = at(TYPE);
  const types = in_.many(() => {
    in_.skip(1);
    return [0, 1].map(() => in_.many(() => in_.bytes[in_.at++]));
  });
  in_ = at(IMPORT);
  const imports = in_.many(() => {
    in_.name();
    in_.name();
    const kind = in_.bytes[in_.at++];
    if (kind === 0) return in_.unsigned();
    if (kind !== 2) fail("an import is neither a function nor a memory");
    const limits = in_.bytes[in_.at++];
    in_.unsigned();
    if (limits & 1) in_.unsigned();
    return null;
  });
  in_ = at(FUNCTION);
  const declared = in_.many(() => in_.unsigned());
  in_ = at(EXPORT);
  const exports = new Map(
    in_.many(() => {
      const name = in_.name();
      in_.skip(1);
      return [name, in_.unsigned()];
    }),
  );
  in_ = at(ELEMENT);
  const kinds = [in_.unsigned(), in_.unsigned(), in_.bytes[in_.at++], in_.unsigned(), in_.bytes[in_.at++]];
  if (kinds.join() !== "1,0,65,1,11") fail("there is more than one table");
  const elements = in_.many(() => {
    const offset = in_.at;
    return { offset, index: in_.unsigned(), length: in_.at - offset };
  });
  in_ = at(CODE);
  const bodies = in_.many(() => {
    const sizeAt = in_.at;
    const size = in_.unsigned();
    const start = in_.at;
    in_.skip(size);
    return { sizeAt, start, size };
  });
  in_ = at(DATA);
  const data = in_.many(() => {
    if (in_.unsigned() !== 0 || in_.bytes[in_.at++] !== 0x41) fail("data has no fixed place");
    const address = in_.unsigned();
    in_.skip(1);
    const length = in_.unsigned();
    in_.skip(length);
    return { address, bytes: bytes.subarray(in_.at - length, in_.at) };
  });
  const imported = imports.filter((type) => type !== null);
  return { bytes, sections, types, imported, functions: [...imported, ...declared], exports, elements, bodies, data };
}

/** A function's parameter and result types, such as `127,127>127`. */
export function signatureOf({ types, functions }, index) {
  return types[functions[index]].map(String).join(">");
}

/** The address of a text with its NUL, which must be in the data once. */
export function addressOfText({ data }, text) {
  const places = data.flatMap((segment) => {
    const at = segment.bytes.indexOf(`${text}\0`);
    if (at !== -1 && segment.bytes.indexOf(`${text}\0`, at + 1) !== -1) fail(`\`${text}\` is there twice`);
    return at === -1 ? [] : [segment.address + at];
  });
  if (places.length !== 1) fail(`\`${text}\` is there ${places.length} times`);
  return places[0];
}

/** Edits of a module's file, in any order. Edits of code are at the start of an instruction. */
export class Edits {
  /** Offset, number of removed bytes, and the inserted bytes. */
  list = [];
  #added = [];

  constructor(wasm) {
    this.wasm = wasm;
  }

  replace(at, gone, come) {
    this.list.push([at, gone, Buffer.from(come)]);
  }

  insert(at, come) {
    this.replace(at, 0, come);
  }

  /** Adds a function with the type of this index, and returns its index. A body begins with its locals. */
  add(type, body) {
    return this.wasm.functions.length + this.#added.push([unsigned(type), [...unsigned(body.length), ...body]]) - 1;
  }

  /** All edits in order, including those of sizes and counts. */
  finished() {
    const { sections, bodies } = this.wasm;
    const within = [...this.list].sort(([a], [b]) => a - b);
    let next = 0;
    for (const body of bodies) {
      let growth = 0;
      for (; next < within.length && within[next][0] < body.start + body.size; next++)
        if (within[next][0] >= body.start) growth += within[next][2].length - within[next][1];
      if (growth !== 0) this.#resize(body, growth);
    }
    for (const [id, part] of [
      [FUNCTION, 0],
      [CODE, 1],
    ])
      this.#append(
        sections.get(id),
        this.#added.map((one) => one[part]),
      );
    for (const id of [FUNCTION, ELEMENT, CODE]) {
      const { start, size } = sections.get(id);
      const mine = this.list.filter(([at]) => at >= start && at < start + size + 1);
      const growth = mine.reduce((sum, [, gone, come]) => sum + come.length - gone, 0);
      this.#resize(sections.get(id), growth);
    }
    this.list.sort(([a, gone], [b, other]) => a - b || gone - other);
    for (let index = 1; index < this.list.length; index++)
      if (this.list[index][0] < this.list[index - 1][0] + this.list[index - 1][1]) fail("two changes overlap");
    return this.list;
  }

  #resize({ sizeAt, start, size }, growth) {
    this.replace(sizeAt, start - sizeAt, unsigned(size + growth));
  }

  #append({ start, size }, entries) {
    const reader = new Reader(this.wasm.bytes, start);
    const count = reader.unsigned();
    this.replace(start, reader.at - start, unsigned(count + entries.length));
    this.insert(start + size, entries.flat());
  }
}

/** The type of a 32-bit integer (WebAssembly Core Specification 2.0, 5.3.1). */
export const I32 = 0x7f;

// Instructions (5.4) that patches use.
export const get = (local) => [0x20, local];
export const set = (local) => [0x21, local];
export const tee = (local) => [0x22, local];
export const i32 = (value) => [0x41, ...signed(value)];
export const load = (offset) => [0x28, 2, ...unsigned(offset)];
export const store = (offset) => [0x36, 2, ...unsigned(offset)];
export const call = (index) => [0x10, ...unsigned(index)];
/** Instructions without an operand. The 64-bit ones exist so that sums and products of lengths do not overflow. */
export const OP = {
  IF: [0x04, 0x40],
  ELSE: [0x05],
  END: [0x0b],
  RETURN: [0x0f],
  UNREACHABLE: [0x00],
  DROP: [0x1a],
  SELECT: [0x1b],
  LESS: [0x48],
  MORE: [0x4a],
  ADD: [0x6a],
  SUB: [0x6b],
  AND: [0x71],
  HALF: [...i32(1), 0x75],
  SHIFT: [0x76],
  COPY: [0xfc, 10, 0, 0],
  FILL: [0xfc, 11, 0],
  LONG_UNSIGNED: [0xad],
  LONG_SIGNED: [0xac],
  LONG_ADD: [0x7c],
  LONG_MUL: [0x7e],
  LONG_MORE: [0x55],
  /** Unsigned, where the others compare signed numbers. */
  LONG_GE_U: [0x5a],
  /** The lower half of a 64-bit operand. */
  WRAP: [0xa7],
  /** i64.const 0xffffffff00000000: the smallest unsigned JSValue with JS_TAG_OBJECT (-1) in its upper half. */
  OBJECT: [0x42, 0x80, 0x80, 0x80, 0x80, 0x70],
};
