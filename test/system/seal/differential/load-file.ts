/** The loads that programs/replay-loads.c makes, as plain data that a variation can change. */
export interface ReplayedLoad {
  /** Null for none. */
  btf: Uint8Array | null;
  maps: ReplayedMap[];
  type: number;
  expectedAttachType: number;
  attachBtfId: number;
  flags: number;
  /** Whether bpf_attr has a relocation for the kernel. */
  relocation: boolean;
  license: string;
  name: string;
  insns: Uint8Array;
  /** Pairs of slot and BTF id. */
  funcInfo: Uint8Array;
  /** The instructions that refer to a map, by its index. */
  references: { slot: number; map: number }[];
}

export interface ReplayedMap {
  /** As the statement names it. */
  name: string;
  kind: string;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  extra: number;
  keyTypeId: number;
  valueTypeId: number;
  /** Index of the map that a map of maps holds; it comes before. */
  inner: number | null;
  frozen: boolean;
  /** Of the first element; null if it is not written. */
  contents: Uint8Array | null;
}

export function loadFile(loads: readonly ReplayedLoad[]): Buffer {
  const parts: Buffer[] = [words(loads.length)];
  for (const load of loads) {
    parts.push(blob(load.btf ?? new Uint8Array(0)), words(load.maps.length));
    for (const map of load.maps) {
      const { type, keySize, valueSize, maxEntries, flags, extra, keyTypeId, valueTypeId, inner, frozen } = map;
      parts.push(words(type, keySize, valueSize, maxEntries, flags, extra, keyTypeId, valueTypeId));
      parts.push(words(inner ?? 0xffffffff, frozen ? 1 : 0), blob(map.contents ?? new Uint8Array(0)));
    }
    const { type, expectedAttachType, attachBtfId, flags, relocation } = load;
    parts.push(words(type, expectedAttachType, attachBtfId, flags, relocation ? 1 : 0));
    parts.push(blob(Buffer.from(`${load.license}\0`)), blob(Buffer.from(load.name)), blob(load.insns));
    parts.push(blob(load.funcInfo), words(load.references.length));
    for (const { slot, map } of load.references) parts.push(words(slot, map));
  }
  return Buffer.concat(parts);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

function blob(bytes: Uint8Array): Buffer {
  return Buffer.concat([words(bytes.length), bytes, Buffer.alloc(-bytes.length & 3)]);
}
