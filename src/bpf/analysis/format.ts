import type { Maps } from "./maps.js";
import type { Frames } from "./states/frames.js";
import { ANY_OFFSET, KIND } from "./values/kinds.js";
import type { Values } from "./values/values.js";

/**
 * A conversion that prints only the value of its argument: flags, width and length with d, i, u, x, X or c; a bare
 * pointer; `%%`.
 */
const OWN_VALUE = /^%(?:%|[-+ #0]*\d*(?:ll?|h|z)?[diuxXc]|0?p[xK]?(?![A-Za-z0-9]))/;
/** Maximum length of a format that is read. bpf_bprintf_prepare accepts at most a page. */
const LONGEST = 4096;

export interface FormatReads {
  readonly kernel: boolean;
  readonly user: boolean;
  readonly because: string;
}

/**
 * The memory that a helper reads because of its format (bpf_bprintf_prepare, kernel/bpf/helpers.c). `%s` reads a string
 * at any address (also of a process, where the architecture separates address spaces), `%pks` and `%pus` a kernel and a
 * user string, `%pI4` and similar the bytes of an address, `%pS` the name of a symbol. Any conversion that is not known
 * to print only its argument counts as reading.
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

/** The format that a pointer points to, up to its NUL; null if one of its bytes is not known. */
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
