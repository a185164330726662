/**
 * A name without its flavour: `bpf_foo___v2` means the kernel's `bpf_foo`. A flavour begins at exactly three
 * underscores between two other characters (libbpf's bpf_core_essential_name_len).
 */
export function essentialName(name: string): string {
  if (name.length > MAX_LENGTH) return name;
  for (let at = name.lastIndexOf("___"); at > 0; at = name.lastIndexOf("___", at - 1))
    if (at + 3 < name.length && name[at - 1] !== "_" && name[at + 3] !== "_") return name.slice(0, at);
  return name;
}

/**
 * Kernels take no longer names (KSYM_NAME_LEN). Types are compared by name so often that reading a name of megabytes
 * each time would take minutes.
 */
const MAX_LENGTH = 512;

const UNDERSCORE = 0x5f;

/** The name in these bytes up to a NUL: the length of its essential part, and that part's hash. */
export interface HashedName {
  length: number;
  hash: number;
  /** Length of the whole name, without its NUL. */
  whole: number;
}

/** As {@link essentialName}, over bytes: a kernel has more than 70,000 names, and decoding them would take 50 ms. */
export function hashName(bytes: Uint8Array, start: number, into: HashedName): void {
  let hash = FNV_BASIS;
  let underscores = 0;
  let at = start;
  // Length of what is in front of the last flavour.
  let length = 0;
  for (let byte = bytes[at]; byte !== undefined && byte !== 0; byte = bytes[++at]) {
    if (byte === UNDERSCORE) underscores += 1;
    else {
      if (underscores === 3 && at - start > 3) length = at - start - 3;
      underscores = 0;
    }
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  into.whole = at - start;
  into.length = length === 0 ? into.whole : length;
  into.hash = (length === 0 ? hash : hashOf(bytes, start, start + length)) >>> 0;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_BASIS;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
  return hash;
}

/** FNV-1a of 32 bits. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
