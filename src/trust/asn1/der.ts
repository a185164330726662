import { checkDer } from "./der-check.js";
import { type Encoded, headerBody, headerEnd, malformed, readHeader } from "./der-header.js";
import { wrongValue } from "./der-value.js";
import { octetsOf } from "./oid.js";
import { TAG } from "./tag.js";

/**
 * A reader that accepts only DER (X.690 10 and 11): definite, minimal lengths, low tag numbers, primitive strings,
 * canonical values, no trailing bytes, bounded depth. It never copies and never recurses past {@link MAX_DEPTH}.
 *
 * Cursors check the header of every element that they pass; {@link checkDer} also checks values, recursively. A parser
 * calls it once on each part that it does not read field by field, so that every byte of an input is checked exactly
 * once.
 */

export { checkDer, checkSetOrder } from "./der-check.js";
export { malformed } from "./der-header.js";

/** One element of an input. */
export class Element implements Encoded {
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

  /** The contents without the header; shares memory with the input. */
  get contents(): Buffer {
    return this.bytes.subarray(this.body, this.end);
  }

  /** Header and contents as a string with one character per byte, for use as the key of a Map. */
  get key(): string {
    return this.bytes.toString("latin1", this.start, this.end);
  }

  /** The same element with the universal tag that its implicit tag replaces. */
  as(tag: number): Element {
    return new Element(this.bytes, tag, this.start, this.body, this.end);
  }

  /** Steps inside a constructed element. */
  open(): Cursor {
    return new Cursor(this.bytes, this.body, this.end);
  }

  /** The only element inside this one; anything after it is an error. Throws DER_MALFORMED. */
  only(tag: number, what: string): Element {
    const cursor = this.open();
    const element = cursor.take(tag, what);
    cursor.finish(what);
    return element;
  }

  /** Whether two elements have the same bytes. */
  equals(other: Element): boolean {
    const length = this.end - this.start;
    if (other.end - other.start !== length) return false;
    if (length > SHORT) return this.bytes.compare(other.bytes, other.start, other.end, this.start, this.end) === 0;
    for (let index = 0; index < length; index++)
      if (this.bytes[this.start + index] !== other.bytes[other.start + index]) return false;
    return true;
  }

  /** Checks this element recursively. Throws DER_MALFORMED. */
  check(): this {
    checkDer(this.bytes, this.start, this.end);
    return this;
  }
}

/** Reads the elements of one constructed element, or of a whole input, in order. */
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

  /** Takes the next element, whatever its tag. Throws DER_MALFORMED. */
  next(): Element {
    const element = readElement(this.bytes, this.#position, this.end);
    this.#position = element.end;
    return element;
  }

  /**
   * Takes the next element, which must have this tag. `what` names the element in the message. Throws DER_MALFORMED.
   */
  take(tag: number, what: string): Element {
    this.#expect(tag, what);
    return this.next();
  }

  /** Opens the next element, which must have this tag. Throws DER_MALFORMED. */
  enter(tag: number, what: string): Cursor {
    this.#expect(tag, what);
    readHeader(this.bytes, this.#position, this.end);
    this.#position = headerEnd;
    return new Cursor(this.bytes, headerBody, headerEnd);
  }

  /** The contents octets of the next element, an OBJECT IDENTIFIER, one character per byte. Throws DER_MALFORMED. */
  identifier(what: string): string {
    this.#expect(TAG.oid, what);
    readHeader(this.bytes, this.#position, this.end);
    const wrong = wrongValue(this.bytes, TAG.oid, headerBody, headerEnd);
    if (wrong !== null) throw malformed(wrong, this.#position);
    this.#position = headerEnd;
    return octetsOf(this.bytes, headerBody, headerEnd);
  }

  /** Takes the next element if it has this tag; returns null otherwise. */
  optional(tag: number): Element | null {
    return this.tag === tag ? this.next() : null;
  }

  /**
   * Calls `read` for each remaining element and returns the results. Throws DER_MALFORMED with `what` if there are more
   * than `limit`.
   */
  each<T>(limit: number, what: string, read: (cursor: Cursor) => T): readonly T[] {
    if (this.done) return [];
    // Most lists have one element, and an array that grows from empty allocates room for seventeen
    const list = [read(this)];
    while (!this.done) {
      if (list.length === limit)
        throw malformed(`more than ${limit} ${what}`, this.#position, `make it with at most ${limit} of them`);
      list.push(read(this));
    }
    return list;
  }

  /** Throws DER_MALFORMED if another element follows. */
  finish(what: string): void {
    if (!this.done) throw malformed(`unexpected bytes at the end of ${what}`, this.#position);
  }

  #expect(tag: number, what: string): void {
    if (this.tag === tag) return;
    const found = this.done ? "nothing" : `tag 0x${this.tag.toString(16).padStart(2, "0")}`;
    throw malformed(`${what} expected, found ${found}`, this.#position);
  }
}

/** The only element of an input; anything after it is an error. Throws DER_MALFORMED. */
export function readDer(input: Uint8Array, tag: number, what: string): Element {
  const bytes = asBuffer(input);
  const cursor = new Cursor(bytes, 0, bytes.length);
  const element = cursor.take(tag, what);
  cursor.finish(what);
  return element;
}

/** The same memory as a Buffer, whose native methods compare and slice without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readElement(bytes: Buffer, start: number, end: number): Element {
  const tag = readHeader(bytes, start, end);
  return new Element(bytes, tag, start, headerBody, headerEnd);
}

/** Up to this length, a loop here compares faster than a call into native code. */
const SHORT = 96;
