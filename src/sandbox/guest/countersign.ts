import { HASH, MAP_DELETE, MAP_LOOKUP, MAP_UPDATE, READ, SIGNER_OF } from "../shared/buffer-layout.js";
import { answer, deny, note } from "./answers.js";
import { lengthOf, numberOf, verify_signature } from "./bytes.js";
import { makeFacts } from "./facts.js";
import { callHost, hostNumber } from "./host.js";
import { isSubject, signerOfProgram, statement_of, verify_program } from "./programs.js";
import { type Signer, signerName } from "./signer.js";
import { stringOf } from "./text.js";

/** The functions of the virtual module `countersign`; types/countersign.d.ts documents them. */
export const functions = {
  verify_signature,

  verify_program,
  statement_of,

  /** Of bytes; or of the hook's program, with a keyring as the second and last argument. */
  signer_of(data: unknown, signature: unknown, keyring: unknown, type: unknown): Signer | null {
    if (isSubject(data)) return signerOfProgram(data, signature);
    const ring = stringOf(keyring, "signer_of: keyring");
    const kind = stringOf(type, "signer_of: type");
    const bytes = numberOf(data, "signer_of: data");
    const signed = signature === null ? -1 : numberOf(signature, "signer_of: signature");
    const found = callHost(SIGNER_OF, "signer_of", JSON.stringify([ring, kind]), bytes, signed)!;
    const signer: Signer | null = makeFacts(JSON.parse(found));
    answer("signer_of", ring, kind, signerName(signer));
    return signer;
  },

  hash(algorithm: unknown, data: unknown): string {
    const name = stringOf(algorithm, "hash: algorithm");
    const digest = callHost(HASH, "hash", JSON.stringify([name]), numberOf(data, "hash: data"))!;
    answer("hash", name, "", digest);
    return digest;
  },

  map_lookup(map: unknown, key: unknown): unknown {
    const name = stringOf(map, "map_lookup: map");
    const at = stringOf(key, "map_lookup: key");
    const found = callHost(MAP_LOOKUP, "map_lookup", JSON.stringify([name, at]));
    answer("map_lookup", name, at, found !== undefined);
    return found === undefined ? undefined : JSON.parse(found);
  },

  map_update(map: unknown, key: unknown, value: unknown): number {
    const name = stringOf(map, "map_update: map");
    const at = stringOf(key, "map_update: key");
    const json = JSON.stringify(value);
    if (typeof json !== "string") throw new TypeError("map_update: value is not JSON");
    callHost(MAP_UPDATE, "map_update", `[${JSON.stringify(name)},${JSON.stringify(at)},${json}]`);
    const verdict = hostNumber();
    answer("map_update", name, at, verdict);
    return verdict;
  },

  map_delete(map: unknown, key: unknown): number {
    const name = stringOf(map, "map_delete: map");
    const at = stringOf(key, "map_delete: key");
    callHost(MAP_DELETE, "map_delete", JSON.stringify([name, at]));
    const verdict = hostNumber();
    answer("map_delete", name, at, verdict);
    return verdict;
  },

  read(bytes: unknown, offset: unknown, length: unknown): readonly number[] {
    const number = numberOf(bytes, "read: bytes");
    const all = lengthOf(number);
    if (!Number.isInteger(offset) || (offset as number) < 0 || (offset as number) > all)
      throw new RangeError("read: offset is outside of the bytes");
    if (!Number.isInteger(length) || (length as number) < 0 || (offset as number) + (length as number) > all)
      throw new RangeError("read: length is outside of the bytes");
    return makeFacts(JSON.parse(callHost(READ, "read", undefined, number, offset as number, length as number)!));
  },

  deny,
  note,
};
