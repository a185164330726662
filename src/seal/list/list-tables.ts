import { CountersignError } from "../../error.js";
import { encodeEntry, encodeMaps, KEY_SIZE, type ListEntry, MAX_ALTERNATIVES, RECORD_SIZE } from "./list-entry.js";

/** The two tables of a list, as the guard reads them. */
export interface ListTables {
  readonly entries: Buffer;
  readonly records: Buffer;
}

/**
 * Encodes entries in the order in which the guard searches: that of their bytes. Entries that are alike are stored
 * once, and equal maps share their records. Throws SEAL_LIST_UNSUPPORTED if one program has too many alternatives.
 */
export function encodeTables(entries: readonly ListEntry[]): ListTables {
  const groups = new Map<string, { readonly bytes: Buffer; index: number }>();
  const wanted = new Map<string, { readonly entry: ListEntry; readonly group: string }>();
  for (const entry of entries) {
    const bytes = encodeMaps(entry.maps);
    const group = bytes.toString("latin1");
    if (!groups.has(group)) groups.set(group, { bytes, index: 0 });
    wanted.set(`${encodeEntry(entry, 0).toString("latin1")}${group}`, { entry, group });
  }
  const records: Buffer[] = [];
  let next = 0;
  // In the order of their bytes, so that the same programs give the same file
  for (const [, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    group.index = next;
    next += group.bytes.length / RECORD_SIZE;
    records.push(group.bytes);
  }
  const encoded = [...wanted.values()].map(({ entry, group }) => encodeEntry(entry, groups.get(group)!.index));
  encoded.sort(Buffer.compare);
  requireFewAlternatives(encoded);
  return { entries: Buffer.concat(encoded), records: Buffer.concat(records) };
}

function requireFewAlternatives(sorted: readonly Buffer[]): void {
  for (let at = MAX_ALTERNATIVES; at < sorted.length; at++) {
    const [first, last] = [sorted[at - MAX_ALTERNATIVES]!, sorted[at]!];
    if (first.compare(last, 0, KEY_SIZE, 0, KEY_SIZE) !== 0) continue;
    const digest = first.toString("hex", 0, 32);
    throw new CountersignError(
      "SEAL_LIST_UNSUPPORTED",
      `the program ${digest} has more than ${MAX_ALTERNATIVES} sets of maps`,
      {
        remedy: "leave out objects that have the same program",
      },
    );
  }
}
