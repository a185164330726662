import { countElements, type Encoded, headerBody, headerEnd, malformed, readHeader } from "./der-header.js";
import { wrongValue } from "./der-value.js";
import { TAG } from "./tag.js";

/** Certificates and CMS messages nest less deeply. */
const MAX_DEPTH = 32;

/**
 * Checks every element of a range recursively: each header, each value, and the order of each SET OF. Throws
 * DER_MALFORMED.
 */
export function checkDer(bytes: Buffer, start: number, end: number): void {
  checkRange(bytes, start, end, 0, false);
}

/**
 * X.690 11.6: the encodings of a SET OF are in ascending order. Equal elements are rejected too. Throws DER_MALFORMED.
 */
export function checkSetOrder(set: Encoded): void {
  const { bytes, end } = set;
  let before = set.body;
  for (let position = before; position < end; ) {
    readHeader(bytes, position, end);
    checkOrder(bytes, before, position, headerEnd);
    before = position;
    position = headerEnd;
  }
}

/** Bytes whose comparison takes as long as reading one header. Sets in sets compare the same bytes at each depth. */
const COMPARED = 8;
const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

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

/**
 * The element from `before` to `start` must sort before the element from `start` to `end`. If both start at the same
 * offset, there is no previous element.
 */
function checkOrder(bytes: Buffer, before: number, start: number, end: number): void {
  if (before === start) return;
  const common = Math.min(start - before, end - start);
  let index = 0;
  while (index < common && bytes[before + index] === bytes[start + index]) index += 1;
  countElements(Math.floor(index / COMPARED));
  const ascends =
    index < common
      ? (bytes[before + index] as number) < (bytes[start + index] as number)
      : start - before < end - start;
  if (!ascends) throw malformed("a set that is not in ascending order", start);
}
