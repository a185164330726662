import { type TextPart, unknownIn } from "../shared/atom.js";
import { addHelper, call } from "./calls.js";
import { configuredNames } from "./configured-names.js";
import { factOf, symbol, verdictOf, view } from "./facts.js";
import { jsonOf } from "./json-text.js";
import { changes } from "./loops.js";
import { lookUp, lookUpOr, writtenMaps } from "./map-values.js";
import { addConstants, namespace } from "./namespace.js";
import { type Integer, isWithin, testNumber } from "./numbers.js";
import { isEqual } from "./operators.js";
import { at, beginning, declare, fault, here, isInLoading, notDecided, originate, raise, test } from "./path.js";
import { linear, type Sym, type Term, termOf } from "./term.js";
import { isPrimitive, nullish, settled, stringParts, textParts } from "./values.js";

/** A call of `deny`: what it returned, its reason and its place. */
interface Denied {
  readonly verdict: unknown;
  readonly reason: readonly (string | Term)[];
  readonly place: number;
}

const denied: Denied[] = [];

export function forgetDenials(): void {
  denied.length = 0;
}

/** The number of denials so far. */
export function denials(): number {
  return denied.length;
}

/** The last denial that returned this verdict: its reason counts. */
export function denialWith(verdict: unknown): Denied | null {
  if (denied.length > 32) return notDecided("more than 32 calls of `deny`");
  for (const one of [...denied].reverse()) if (isEqual(one.verdict, verdict, true)) return one;
  return null;
}

/** Whether a call whose value is dropped has dropped a denial, which is a fault. */
export function unused(place: number, before: number, value: unknown): unknown {
  at(place);
  if (denied.length === before) return value;
  const its = settled(value);
  const term = termOf(its);
  if (term?.k === "double") return notDecided("whether a value that is dropped is a denial");
  const isDenial =
    term === null
      ? typeof its === "number" && its < 0 && Number.isInteger(its)
      : term.k === "integer" && testNumber(term, "< 0");
  return isDenial ? fault("UNUSED_DENIAL", "a denial that is not used") : value;
}

function deny(reason: unknown, errno: unknown = 1): unknown {
  if (isInLoading()) return notDecided("a call of `deny` outside of a function");
  const code = settled(errno);
  const term = termOf(code);
  if (term?.k === "double") return notDecided("an errno of a map");
  const isErrno =
    term === null
      ? Number.isInteger(code) && (code as number) >= 1 && (code as number) <= 4095
      : term.k === "integer" && isWithin(term, 1n, 4095n);
  if (!isErrno) return raise("RangeError", "deny: errno is not an integer from 1 to 4095");
  const words = textOf(reason);
  const verdict = term === null ? -(code as number) : negative(term as Integer);
  changes("a denial in a loop over a list");
  denied.push({ verdict, reason: words, place: here() });
  return verdict;
}

function negative({ constant, of }: Integer): Sym {
  const negated = [...of].map(([name, summand]) => [name, { ...summand, coefficient: -summand.coefficient }] as const);
  const term = { k: "integer", constant: -constant, of: new Map(negated) } as const;
  return symbol(`-${JSON.stringify(linear(term))}`, term);
}

function textOf(value: unknown): readonly (string | Term)[] {
  if (!isPrimitive(value) && termOf(value) === null) return notDecided("an object as a text");
  return textParts(value);
}

function note(text: unknown): void {
  textOf(text);
}

function map_lookup(map: unknown, key: unknown): unknown {
  return lookUp(...mapAndKey(map, key));
}

/** `callee(...given) ?? otherwise()`. For a `map_lookup`, null and absent are one condition. */
export function nullishCall(
  place: number,
  callee: unknown,
  given: readonly unknown[],
  otherwise: () => unknown,
): unknown {
  at(place);
  if (callee !== map_lookup) return nullish(place, call(place, callee, given), otherwise);
  return lookUpOr(...mapAndKey(given[0], given[1]), otherwise);
}

function mapAndKey(map: unknown, key: unknown): readonly [map: string, key: readonly TextPart[]] {
  const name = nameAmong(map, configuredNames().maps, "map_lookup: map");
  const parts = stringParts(key) ?? raise("TypeError", "map_lookup: key is not a string");
  const why = unknownIn(parts);
  return why === null ? [name, parts] : notDecided(why);
}

let isOneDecision = false;
let writes = 0;

/** Says that one policy decides once, so that its writes to maps are the only ones. */
export function allowWrites(): void {
  isOneDecision = true;
}

function map_update(map: unknown, key: unknown, value: unknown): unknown {
  checkTexts(map, key, "map_update");
  if (jsonOf(value) === undefined) return raise("TypeError", "map_update: value is not JSON");
  return written(map, "map_update");
}

function map_delete(map: unknown, key: unknown): unknown {
  checkTexts(map, key, "map_delete");
  return written(map, "map_delete");
}

function checkTexts(map: unknown, key: unknown, who: string): void {
  if (stringParts(map) === null) raise("TypeError", `${who}: map is not a string`);
  if (stringParts(key) === null) raise("TypeError", `${who}: key is not a string`);
}

/** The verdict of a write, which can be any errno; what the map has then is not known. */
function written(map: unknown, who: string): unknown {
  const name = nameAmong(map, configuredNames().maps, `${who}: map`);
  if (!isOneDecision) return notDecided("a write to a map");
  changes("a write to a map in a loop over a list");
  writtenMaps.add(name);
  writes += 1;
  return verdictOf(`${who}(${writes})`, { kind: "write", number: writes });
}

/** A name of the configuration: a constant, or each of them on a path of its own for a text that is not known. */
function nameAmong(value: unknown, names: readonly string[], who: string): string {
  const its = settled(value);
  const term = termOf(its);
  if (term === null) {
    if (typeof its !== "string") return raise("TypeError", `${who} is not a string`);
    return names.includes(its) ? its : raise("Error", `${who} does not exist`);
  }
  if (term.k !== "text") return notDecided(`${who} is not known`);
  const found = names.find((text) => test({ kind: "equals", of: term.name, text }));
  return found ?? raise("Error", `${who} does not exist`);
}

export function verify_program(prog: unknown, keyring: unknown): unknown {
  const name = programKeyring(prog, keyring, "verify_program");
  return verdictOf(`verify_program(${JSON.stringify(name)})`, { kind: "verify_program", keyring: name });
}

export function isSubject(value: unknown): boolean {
  const term = termOf(value);
  return term?.k === "object" && term.isSubject;
}

function programKeyring(prog: unknown, keyring: unknown, who: string): string {
  const term = termOf(prog);
  if (!isSubject(prog) || !Object.hasOwn((term as Extract<Term, { k: "object" }>).fields, "statements"))
    return raise("TypeError", `${who}: prog is not the program that the hook was called with`);
  return nameAmong(keyring, configuredNames().keyrings, `${who}: keyring`);
}

function statement_of(prog: unknown, keyring: unknown): unknown {
  const name = programKeyring(prog, keyring, "statement_of");
  return verified(verify_program(prog, name))
    ? resultOf("statement_of", `statement_of(${JSON.stringify(name)})`, { kind: "statement_of", keyring: name })
    : null;
}

export function verified(verdict: unknown): boolean {
  return isEqual(verdict, 0, true);
}

function resultOf(helper: "statement_of" | "signer_of", name: string, origin: Parameters<typeof originate>[1]): Sym {
  originate(name, origin);
  return symbol(name, { k: "object", name, fields: beginning.results[helper]!, isSubject: false });
}

function bytesOf(value: unknown, who: string): string {
  const term = termOf(view(value));
  if (term?.k === "bytes") return term.name;
  return term?.k === "json" ? notDecided("a value of a map") : raise("TypeError", `${who} is not bytes`);
}

function verify_signature(data: unknown, signature: unknown, keyring: unknown, type: unknown): unknown {
  const { ring, kind, bytes, signed, name } = signatureArguments(data, signature, keyring, type, "verify_signature");
  if (signed === null && beginning.detached.includes(kind)) return -61;
  const origin = { kind: "verify_signature", keyring: ring, type: kind, data: bytes, signature: signed } as const;
  return verdictOf(`verify_signature(${name})`, origin);
}

function signatureArguments(data: unknown, signature: unknown, keyring: unknown, type: unknown, who: string) {
  const [ring_, kind_] = [stringParts(keyring), stringParts(type)];
  if (ring_ === null || kind_ === null) return raise("TypeError", `${who}: a name is not a string`);
  const bytes = bytesOf(data, `${who}: data`);
  const its = view(signature);
  const signed = its === null ? null : bytesOf(its, `${who}: signature`);
  const ring = nameAmong(keyring, configuredNames().keyrings, `${who}: keyring`);
  const kind = nameAmong(type, [...beginning.detached, ...beginning.attached], `${who}: type`);
  const name = [bytes, String(signed), JSON.stringify(ring), kind].join();
  return { ring, kind, bytes, signed, name };
}

export function signer_of(data: unknown, signature: unknown, keyring: unknown, type: unknown): unknown {
  if (isSubject(data)) {
    const name = programKeyring(data, signature, "signer_of");
    if (!verified(verify_program(data, name))) return null;
    return resultOf("signer_of", `signer_of(${JSON.stringify(name)})`, { kind: "signer_of_program", keyring: name });
  }
  const { ring, kind, bytes, signed, name } = signatureArguments(data, signature, keyring, type, "signer_of");
  if (!verified(verify_signature(data, signature, ring, kind))) return null;
  const origin = { kind: "signer_of", keyring: ring, type: kind, data: bytes, signature: signed } as const;
  return resultOf("signer_of", `signer_of(${name})`, origin);
}

const LENGTHS: Readonly<Record<string, number>> = { sha256: 32, sha384: 48, sha512: 64 };

function hash(algorithm: unknown, data: unknown): unknown {
  const its = settled(algorithm);
  if (typeof its !== "string" || !Object.hasOwn(LENGTHS, its))
    return notDecided("a hash by an algorithm that is not known");
  const bytes = bytesOf(data, "hash: data");
  // The digest of a program is a fact
  if (its === "sha256" && bytes === `${beginning.argument}.insns`)
    return factOf(`${beginning.argument}.digest`, { kind: "text", names: null, hex: 32 });
  const name = `hash(${its},${bytes})`;
  originate(name, { kind: "hash", algorithm: its, data: bytes });
  declare(name, { kind: "text", names: null, hex: LENGTHS[its]! });
  return symbol(name, { k: "text", name });
}

function read(): never {
  return notDecided("`read`");
}

Object.assign(namespace, {
  deny,
  note,
  map_lookup,
  verify_program,
  verify_signature,
  statement_of,
  signer_of,
  hash,
  read,
});
Object.assign(namespace, { map_update, map_delete });
for (const helper of Object.values(namespace)) addHelper(helper as object);
addConstants();
Object.freeze(namespace);

export {
  deny as guest_deny,
  hash as guest_hash,
  map_delete as guest_map_delete,
  map_lookup as guest_map_lookup,
  map_update as guest_map_update,
  note as guest_note,
  read as guest_read,
  signer_of as guest_signer_of,
  statement_of as guest_statement_of,
  verify_program as guest_verify_program,
  verify_signature as guest_verify_signature,
};
