import type { Frames } from "./frames.js";
import { ANY_OFFSET, KIND } from "./kinds.js";
import type { Maps } from "./maps.js";
import type { Values } from "./values.js";

/** A conversion that prints its argument's own value: flags, width, length and d, i, u, x, X, c; a bare pointer; `%%`. */
const OWN_VALUE = /^%(?:%|[-+ #0]*\d*(?:ll?|h|z)?[diuxXc]|0?p[xK]?(?![A-Za-z0-9]))/;
/** Longer formats are not read: bpf_bprintf_prepare takes what fits a page. */
const LONGEST = 4096;

export interface FormatReads {
  readonly kernel: boolean;
  readonly user: boolean;
  readonly because: string;
}

/**
 * What a format makes its helper read, by bpf_bprintf_prepare of kernel/bpf/helpers.c: `%s` reads a string at any address
 * (of a process too, where addresses tell the two apart), `%pks` and `%pus` one of the kernel's and one of the user's, `%pI4`
 * and the like an address's bytes, `%pS` a symbol's name. What is not known to print its argument's own value reads.
 */
export function readsOfFormat(text: string | null): FormatReads {
  if (text === null) return { kernel: true, user: true, because: "prints by a format that is not known" };
  let kernel = false;
  let user = false;
  const reading: string[] = [];
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at)) {
    const rest = text.slice(at, at + 16);
    const own = OWN_VALUE.exec(rest);
    if (own !== null) {
      at += own[0].length;
      continue;
    }
    const kernelOnly = rest.startsWith("%pks") || /^%p[iI][46]/.test(rest) || /^%p[sSB]/.test(rest);
    const userOnly = rest.startsWith("%pus");
    kernel ||= !userOnly;
    user ||= !kernelOnly;
    reading.push(/^%[^\s%]{1,4}/.exec(rest)?.[0] ?? "%");
    at += 1;
  }
  return { kernel, user, because: `prints by a format with ${reading.map((part) => `\`${part}\``).join(", ")}` };
}

/** The text of a format that a pointer points to, up to its NUL; null where a byte of it is not known. */
export function formatAt(values: Values, frames: Frames, maps: Maps, pointer: number): string | null {
  const offset = values.offset(pointer);
  if (offset === ANY_OFFSET) return null;
  const kinds = values.kinds(pointer);
  let byteAt: (index: number) => number;
  if (kinds === KIND.STACK) byteAt = (index) => frames.byteAt(values.frame(pointer), offset + index);
  else if (kinds === KIND.MAP_VALUE) {
    const map = maps.only(values.maps(pointer));
    if (map === null || !map.frozen || map.data === null) return null;
    const { data } = map;
    byteAt = (index) => data[offset + index] ?? -1;
  } else return null;
  let text = "";
  for (let index = 0; index < LONGEST; index++) {
    const byte = byteAt(index);
    if (byte < 0) return null;
    if (byte === 0) return text;
    text += String.fromCharCode(byte);
  }
  return null;
}
