/**
 * Whether a call is converted after these of the three bytes before it began like a call (bit 0: the byte before it).
 * From the decoder of BCJ filters in XZ Embedded, xz_dec_bcj.c, which is in the public domain.
 */
const CONVERTS = [true, true, true, false, true, false, false, false];
/** Number of bytes by which the last of them overlaps with the target of the call. */
const OVERLAP = [0, 1, 2, 2, 3, 3, 3, 3];

/**
 * Undoes the filter `--x86` of xz in place: it replaced the relative targets of calls (E8) and jumps (E9) by absolute
 * ones, which compress better.
 */
export function undoX86Filter(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let previous = -1;
  let mask = 0;
  for (let at = 0; at < bytes.length - 4; at++) {
    if ((bytes[at]! & 0xfe) !== 0xe8) continue;
    const distance = at - previous;
    previous = at;
    mask = distance > 3 ? 0 : (mask << (distance - 1)) & 7;
    if (mask !== 0 && (!CONVERTS[mask] || isSign(bytes[at + 4 - OVERLAP[mask]!]!))) {
      mask = (mask << 1) | 1;
      continue;
    }
    if (!isSign(bytes[at + 4]!)) {
      mask = (mask << 1) | 1;
      continue;
    }
    view.setInt32(at + 1, relative(view.getUint32(at + 1, true), at + 5, mask), true);
    at += 4;
  }
}

function relative(absolute: number, next: number, mask: number): number {
  let source = absolute;
  let target = (source - next) >>> 0;
  while (mask !== 0) {
    const bits = OVERLAP[mask]! * 8;
    if (!isSign((target >>> (24 - bits)) & 0xff)) break;
    source = (target ^ (2 ** (32 - bits) - 1)) >>> 0;
    target = (source - next) >>> 0;
  }
  // 25 bits with sign.
  return (target << 7) >> 7;
}

/** Whether a byte is the upper byte of a target of at most 24 bits. */
function isSign(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}
