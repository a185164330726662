import { ANSWERS, HASH, MAP_DELETE, MAP_LOOKUP, MAP_UPDATE, READ, VERIFY_SIGNATURE } from "../slots.js";
import { answer, answers, deny, MAX_ANSWERS, note } from "./answers.js";
import { byteNumber, numberOf } from "./bytes.js";
import { deepFreeze } from "./freeze.js";
import { box, callHost, hostNumber } from "./host.js";

const ENODATA = 61;

/** The virtual module `countersign`; types/countersign.d.ts says what each function promises. */
export const functions = {
  verify_signature(data: unknown, signature: unknown, keyring: unknown, type: unknown): number {
    // what has no signature is answered here, at no cost; but data of this type carries its own
    if (
      signature === null &&
      type !== "MODSIG" &&
      typeof type === "string" &&
      typeof keyring === "string" &&
      byteNumber(data) !== -1
    ) {
      // `answer`, written out: it is called in nearly every decision there is
      const kept = box[ANSWERS]!;
      if (kept < 4 * MAX_ANSWERS) {
        answers[kept] = "verify_signature";
        answers[kept + 1] = keyring;
        answers[kept + 2] = type;
        answers[kept + 3] = -ENODATA;
      }
      box[ANSWERS] = kept + 4;
      return -ENODATA;
    }
    const ring = text(keyring, "verify_signature: keyring");
    const kind = text(type, "verify_signature: type");
    const bytes = numberOf(data, "verify_signature: data");
    const signed = signature === null ? -1 : numberOf(signature, "verify_signature: signature");
    callHost(VERIFY_SIGNATURE, "verify_signature", JSON.stringify([ring, kind]), bytes, signed);
    const verdict = hostNumber();
    answer("verify_signature", ring, kind, verdict);
    return verdict;
  },

  hash(algorithm: unknown, data: unknown): string {
    const name = text(algorithm, "hash: algorithm");
    const digest = callHost(HASH, "hash", JSON.stringify([name]), numberOf(data, "hash: data"))!;
    answer("hash", name, "", digest);
    return digest;
  },

  map_lookup(map: unknown, key: unknown): unknown {
    const name = text(map, "map_lookup: map");
    const at = text(key, "map_lookup: key");
    const found = callHost(MAP_LOOKUP, "map_lookup", JSON.stringify([name, at]));
    answer("map_lookup", name, at, found !== undefined);
    return found === undefined ? undefined : JSON.parse(found);
  },

  map_update(map: unknown, key: unknown, value: unknown): number {
    const name = text(map, "map_update: map");
    const at = text(key, "map_update: key");
    const json = JSON.stringify(value);
    if (typeof json !== "string") throw new TypeError("map_update: value is not JSON");
    callHost(MAP_UPDATE, "map_update", `[${JSON.stringify(name)},${JSON.stringify(at)},${json}]`);
    const verdict = hostNumber();
    answer("map_update", name, at, verdict);
    return verdict;
  },

  map_delete(map: unknown, key: unknown): number {
    const name = text(map, "map_delete: map");
    const at = text(key, "map_delete: key");
    callHost(MAP_DELETE, "map_delete", JSON.stringify([name, at]));
    const verdict = hostNumber();
    answer("map_delete", name, at, verdict);
    return verdict;
  },

  read(bytes: unknown, offset: unknown, length: unknown): readonly number[] {
    const number = numberOf(bytes, "read: bytes");
    const all = (bytes as { length: number }).length;
    if (!Number.isInteger(offset) || (offset as number) < 0 || (offset as number) > all)
      throw new RangeError("read: offset is outside of the bytes");
    if (!Number.isInteger(length) || (length as number) < 0 || (offset as number) + (length as number) > all)
      throw new RangeError("read: length is outside of the bytes");
    return deepFreeze(JSON.parse(callHost(READ, "read", undefined, number, offset as number, length as number)!));
  },

  deny,
  note,
};

function text(value: unknown, who: string): string {
  if (typeof value !== "string") throw new TypeError(`${who} is not a string`);
  return value;
}
