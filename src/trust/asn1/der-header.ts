import { CountersignError } from "../../error.js";

/** Offsets of one element in `bytes`: its header, its contents and its end. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly tag: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/**
 * Start and end of the contents of the header that was read last. Module variables, because allocating an object for
 * each header would take most of the time of a check.
 */
export let headerBody = 0;
export let headerEnd = 0;

/**
 * How many elements this thread has read: a decoder is charged for the difference (`Effort.decode`). Elements take time
 * rather than bytes, since the shortest has two. One that takes as long as several counts as several.
 */
export let elementsRead = 0;

/** Counts a value whose check takes as long as reading `elements` headers. */
export function countElements(elements: number): void {
  elementsRead += elements;
}

/** X.690 8.1 and 10.1: reads one header, whose contents must end at or before `end`. Returns the tag. */
export function readHeader(bytes: Buffer, start: number, end: number): number {
  if (end - start < 2) throw malformed("an element is cut short", start);
  elementsRead += 1;
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

const UNMODIFIED =
  "give the complete, unmodified DER; if it is that, have its issuer or signer make it again in strict DER";

export function malformed(message: string, offset: number, remedy: string = UNMODIFIED): CountersignError {
  return new CountersignError("DER_MALFORMED", message, { place: `byte ${offset}`, remedy });
}

/** Lengths need at most four octets: inputs are smaller than 4 GiB. */
const MAX_LENGTH_OCTETS = 4;
