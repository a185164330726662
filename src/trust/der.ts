import { CountersignError } from "../error.js";
import { wrongValue } from "./der-value.js";
import { TAG } from "./tag.js";

/**
 * A reader of DER (X.690 section 10 and 11) and of nothing else: definite, minimal lengths, low tag numbers, primitive strings,
 * canonical values, no trailing bytes, bounded depth. It never copies and never recurses past {@link MAX_DEPTH}.
 *
 * Cursors check the header of every element that they step over; {@link checkDer} checks values as well, all the way down. A parser
 * calls it once on what it has not read field by field, so that every byte of an input is held to the rules exactly once.
 */

/** Deeper nesting than any certificate or CMS has. */
export const MAX_DEPTH = 32;

/** One element: where its header, its contents and its end are in `bytes`. */
export class Element {
  constructor(
    readonly bytes: Buffer,
    readonly tag: number,
    readonly start: number,
    readonly body: number,
    readonly end: number,
  ) {}

  get length(): number {
    return this.end - this.body;
  }

  /** Header and contents; shares memory with the input. */
  get whole(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** Contents alone; shares memory with the input. */
  get contents(): Buffer {
    return this.bytes.subarray(this.body, this.end);
  }

  /** Header and contents, a character a byte: fit to be a key of a Map. */
  get key(): string {
    return this.bytes.toString("latin1", this.start, this.end);
  }

  /** The same element under the tag that an implicit one stands for. */
  as(tag: number): Element {
    return new Element(this.bytes, tag, this.start, this.body, this.end);
  }

  /** Steps inside a constructed element. */
  open(): Cursor {
    return new Cursor(this.bytes, this.body, this.end);
  }

  /** The only element inside this one, nothing behind it. Throws DER_MALFORMED. */
  only(tag: number, what: string): Element {
    const cursor = this.open();
    const element = cursor.take(tag, what);
    cursor.finish(what);
    return element;
  }

  /** Whether two elements are the same bytes. */
  equals(other: Element): boolean {
    const length = this.end - this.start;
    if (other.end - other.start !== length) return false;
    if (length > SHORT) return this.bytes.compare(other.bytes, other.start, other.end, this.start, this.end) === 0;
    for (let index = 0; index < length; index++)
      if (this.bytes[this.start + index] !== other.bytes[other.start + index]) return false;
    return true;
  }

  /** Checks this element all the way down. Throws DER_MALFORMED. */
  check(): this {
    checkDer(this.bytes, this.start, this.end);
    return this;
  }
}

/** Steps over the elements of one constructed element, or of a whole input. */
export class Cursor {
  #position: number;

  constructor(
    readonly bytes: Buffer,
    start: number,
    readonly end: number,
  ) {
    this.#position = start;
  }

  get done(): boolean {
    return this.#position === this.end;
  }

  /** The next element's tag, or -1 at the end. */
  get tag(): number {
    return this.#position < this.end ? (this.bytes[this.#position] as number) : -1;
  }

  /** The next element, whatever it is. Throws DER_MALFORMED. */
  next(): Element {
    const element = readElement(this.bytes, this.#position, this.end);
    this.#position = element.end;
    return element;
  }

  /** The next element, which must have this tag. Throws DER_MALFORMED with `what` in words. */
  take(tag: number, what: string): Element {
    this.#expect(tag, what);
    return this.next();
  }

  /** Steps inside the next element, which must have this tag. Throws DER_MALFORMED. */
  enter(tag: number, what: string): Cursor {
    this.#expect(tag, what);
    readHeader(this.bytes, this.#position, this.end);
    this.#position = headerEnd;
    return new Cursor(this.bytes, headerBody, headerEnd);
  }

  /** Contents octets of the next element, an OBJECT IDENTIFIER, a character a byte. Throws DER_MALFORMED. */
  identifier(what: string): string {
    this.#expect(TAG.oid, what);
    readHeader(this.bytes, this.#position, this.end);
    const wrong = wrongValue(this.bytes, TAG.oid, headerBody, headerEnd);
    if (wrong !== null) throw malformed(wrong, this.#position);
    this.#position = headerEnd;
    return this.bytes.toString("latin1", headerBody, headerEnd);
  }

  /** The next element if it has this tag. */
  optional(tag: number): Element | null {
    return this.tag === tag ? this.next() : null;
  }

  /** What `read` makes of each element that is left. More than `limit` of them throw DER_MALFORMED with `what` in words. */
  each<T>(limit: number, what: string, read: (cursor: Cursor) => T): readonly T[] {
    if (this.done) return [];
    // Most lists have one element, and an array that grows has room for seventeen
    const list = [read(this)];
    while (!this.done) {
      if (list.length === limit) throw malformed(`more than ${limit} ${what}`, this.#position);
      list.push(read(this));
    }
    return list;
  }

  /** No more elements may follow. Throws DER_MALFORMED. */
  finish(what: string): void {
    if (!this.done) throw malformed(`unexpected bytes at the end of ${what}`, this.#position);
  }

  #expect(tag: number, what: string): void {
    if (this.tag === tag) return;
    const found = this.done ? "nothing" : `tag 0x${this.tag.toString(16).padStart(2, "0")}`;
    throw malformed(`${what} expected, found ${found}`, this.#position);
  }
}

/** The only element of an input, nothing behind it. Throws DER_MALFORMED. */
export function readDer(input: Uint8Array, tag: number, what: string): Element {
  const bytes = asBuffer(input);
  const cursor = new Cursor(bytes, 0, bytes.length);
  const element = cursor.take(tag, what);
  cursor.finish(what);
  return element;
}

/** Checks every element of a range, all the way down: each header, each value, the order of each SET OF. Throws DER_MALFORMED. */
export function checkDer(bytes: Buffer, start: number, end: number): void {
  checkRange(bytes, start, end, 0, false);
}

/** X.690 11.6: the encodings of a SET OF ascend. Equal neighbours are no set either. Throws DER_MALFORMED. */
export function checkSetOrder(set: Element): void {
  const { bytes, end } = set;
  let before = set.body;
  for (let position = before; position < end; ) {
    readHeader(bytes, position, end);
    checkOrder(bytes, before, position, headerEnd);
    before = position;
    position = headerEnd;
  }
}

export function malformed(message: string, offset: number): CountersignError {
  return new CountersignError("DER_MALFORMED", message, {
    place: `byte ${offset}`,
    remedy: "give DER, whole and unchanged, as the tool that made it wrote it",
  });
}

/** The same memory as a Buffer, whose native methods compare and slice without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes that are compared sooner here than by a call to native code. */
const SHORT = 96;

const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

/** Lengths need at most four octets: inputs are smaller than 4 GiB. */
const MAX_LENGTH_OCTETS = 4;

/** Where the contents of the header that was read last begin and end. Objects for each would be most of what checking costs. */
let headerBody = 0;
let headerEnd = 0;

function checkRange(bytes: Buffer, start: number, end: number, depth: number, isSet: boolean): void {
  if (depth > MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`, start);
  let before = start;
  for (let position = start; position < end; ) {
    const tag = readHeader(bytes, position, end);
    const body = headerBody;
    const next = headerEnd;
    if (isSet) checkOrder(bytes, before, position, next);
    if ((tag & CONSTRUCTED) !== 0) {
      if (tag < CONTEXT && tag !== TAG.sequence && tag !== TAG.set)
        throw malformed(`constructed encoding of universal tag ${tag & 0x1f}`, position);
      checkRange(bytes, body, next, depth + 1, tag === TAG.set);
    } else if (tag < CONTEXT) {
      const wrong = wrongValue(bytes, tag, body, next);
      if (wrong !== null) throw malformed(wrong, position);
    }
    before = position;
    position = next;
  }
}

/** The element from `before` to `start` has to come before the one from there to `end`; there is none where they are the same. */
function checkOrder(bytes: Buffer, before: number, start: number, end: number): void {
  if (before === start) return;
  const common = Math.min(start - before, end - start);
  let index = 0;
  while (index < common && bytes[before + index] === bytes[start + index]) index += 1;
  const ascends =
    index < common
      ? (bytes[before + index] as number) < (bytes[start + index] as number)
      : start - before < end - start;
  if (!ascends) throw malformed("a set that is not in ascending order", start);
}

function readElement(bytes: Buffer, start: number, end: number): Element {
  const tag = readHeader(bytes, start, end);
  return new Element(bytes, tag, start, headerBody, headerEnd);
}

/** X.690 8.1 and 10.1: one header, whose contents must fit before `end`. Gives the tag. */
function readHeader(bytes: Buffer, start: number, end: number): number {
  if (end - start < 2) throw malformed("an element is cut short", start);
  const tag = bytes[start] as number;
  if ((tag & 0x1f) === 0x1f) throw malformed("a tag number of more than 30", start);
  if (tag >= 0xc0 || (tag & 0xc0) === 0x40) throw malformed("an application or private tag", start);
  let body = start + 2;
  let length = bytes[start + 1] as number;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    if (octets === 0) throw malformed("an indefinite length", start);
    if (octets > MAX_LENGTH_OCTETS) throw malformed(`a length of ${octets} octets`, start);
    if (end - body < octets) throw malformed("a length is cut short", start);
    length = 0;
    for (let index = 0; index < octets; index++) length = length * 256 + (bytes[body + index] as number);
    if (length < 0x80 || (octets > 1 && (bytes[body] as number) === 0))
      throw malformed("a length that is not minimal", start);
    body += octets;
  }
  if (length > end - body) throw malformed(`a length of ${length} where ${end - body} bytes are left`, start);
  headerBody = body;
  headerEnd = body + length;
  return tag;
}
