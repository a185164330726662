import { GUEST_CONSTANTS } from "../../policy/model/guest.js";
import { DETACHED_SIGNATURE_TYPES, SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import { DECISIONS } from "../property/evaluated-property.js";
import type { TextPart } from "../shared/atom.js";
import { integer, lookUp, property, settled, stringParts, text, textParts, view } from "./facts.js";
import { compares, integerWithin, isEqual } from "./operators.js";
import { notEvaluated, type Path, raise } from "./path.js";
import { constant, isPrimitive, numberOf, Plain, plus, type Sum, Sym, unknownOf } from "./value.js";

/** A policy's answer on a path, or its fault: then there is no verdict. */
export interface Answered {
  readonly verdict: Sum | null;
  readonly reason: readonly TextPart[] | null;
  readonly fault: string | null;
  readonly line: string;
}

/** The maximum number of denials of which the engine keeps the reasons. */
const MOST_DENIALS = 32;
const NO_SIGNATURE = -61;

/** Lengths of digests in bytes. */
export const DIGESTS: Readonly<Record<string, number>> = { sha256: 32, sha384: 48, sha512: 64 };

function digestOf(path: Path, argument: string): unknown {
  return property(
    path,
    new Sym({ kind: "object", name: argument, fields: path.declarations.subject, isSubject: true }),
    "digest",
  );
}

/** Ends the evaluation at a value of which it is not known that it is JSON. */
function checkJson(path: Path, value: unknown): void {
  const its = view(path, value);
  const kind = unknownOf(its)?.kind;
  if (isPrimitive(its) ? its !== undefined : ["text", "number", "json", "joined"].includes(kind ?? "")) return;
  const isObject = its instanceof Plain && its.isWritten && !its.properties.has("toJSON");
  if (!isObject && !Array.isArray(its)) notEvaluated("this value of a map");
  const parts = isObject ? [...its.properties.values()].map((read) => read()) : (its as readonly unknown[]);
  for (const part of parts) checkJson(path, part);
}

/** What the virtual module has, on one path. */
export class Helpers {
  readonly denials: Answered[] = [];
  /** The decision that a property is about, or another one by its key; null for a policy. */
  decision: ((key: string) => Plain) | null = null;
  readonly #functions: Readonly<Record<string, (given: readonly unknown[]) => unknown>> = {
    deny: ([reason, errno]) => this.#deny(reason, errno),
    note: ([text]) => void textParts(this.path, text),
    map_lookup: ([map, key]) => this.#lookUp(map, key),
    map_update: ([map, key, value]) => this.#update(map, key, value),
    map_delete: ([map, key]) => this.#written("map_delete", map, key),
    hash: ([algorithm, data]) => this.#hash(algorithm, data),
    verify_program: (given) => this.#verdict(this.#program(given)),
    statement_of: (given) => this.#result("statement_of", this.#program(given)),
    signer_of: (given) => this.#result("signer_of", this.#signature(given) ?? this.#program(given)),
    verify_signature: (given) => this.#verdict(this.#signature(given) ?? raise()),
  };

  readonly #writtenMaps = new Set<string>();
  #writes = 0;
  #isPassForAny = false;

  /** `canWrite`: no other policy writes to maps in the same decision. */
  constructor(
    private readonly path: Path,
    private readonly canWrite: boolean,
  ) {}

  /**
   * Whether a pass of a loop leaves it. Denials of a pass for any element of a list are no denials of the policy: the
   * pass is evaluated again for the element that leaves the loop.
   */
  withoutDenials(isForAny: boolean, leaves: () => boolean): boolean {
    const before = this.denials.length;
    if (!isForAny) return leaves();
    this.#isPassForAny = true;
    try {
      const itLeaves = leaves();
      if (!itLeaves && this.denials.length > before) notEvaluated("a denial after which a loop over a list goes on");
      return itLeaves;
    } finally {
      this.denials.length = before;
      this.#isPassForAny = false;
    }
  }

  /** A function or constant of the module. */
  read(name: string): unknown {
    if (Object.hasOwn(this.#functions, name)) return this.#functions[name];
    return Object.hasOwn(GUEST_CONSTANTS, name) ? GUEST_CONSTANTS[name] : notEvaluated(`the helper \`${name}\``);
  }

  #deny(reason: unknown, errno: unknown = 1): unknown {
    if (this.path.element !== null && !this.#isPassForAny) notEvaluated("`deny` for an element of a list");
    const sum = integerWithin(this.path, errno, 1n, 4095n) ?? raise();
    const verdict = plus(constant(0n), sum, -1n);
    this.denials.push({ verdict, reason: textParts(this.path, reason), fault: null, line: this.path.line });
    if (this.denials.length > MOST_DENIALS) notEvaluated("more than 32 calls of `deny`");
    return numberOf(verdict);
  }

  #lookUp(map: unknown, key: unknown): unknown {
    if (map === DECISIONS && typeof key === "string" && this.decision !== null) return this.decision(key);
    const name = this.#among(map, this.path.names.maps);
    if (this.#writtenMaps.has(name)) notEvaluated("a look-up after a write to the same map");
    return lookUp(this.path, name, stringParts(this.path, key) ?? raise());
  }

  #update(map: unknown, key: unknown, value: unknown): unknown {
    if (settled(this.path, value) === undefined) return raise();
    checkJson(this.path, value);
    return this.#written("map_update", map, key);
  }

  /** The verdict of a write, which can be any errno. */
  #written(helper: string, map: unknown, key: unknown): unknown {
    if (!this.canWrite || this.path.element !== null) notEvaluated("a write to a map here");
    const name = this.#among(map, this.path.names.maps);
    if (stringParts(this.path, key) === null) return raise();
    this.#writtenMaps.add(name);
    this.#writes += 1;
    return this.#verdict(`${helper}(${this.#writes})`);
  }

  /** The digest of a program's instructions is a fact; of any other bytes it is some text of as many digits. */
  #hash(algorithm: unknown, data: unknown): unknown {
    const length = Object.hasOwn(DIGESTS, algorithm as string) ? DIGESTS[algorithm as string]! : null;
    const bytes = this.#bytes(data);
    const { argument } = this.path.declarations;
    if (length === null) return notEvaluated("a hash by this algorithm");
    if (algorithm === "sha256" && bytes === `${argument}.insns`) return digestOf(this.path, argument);
    const name = `hash(${algorithm},${bytes})`;
    this.path.symbols.places.set(name, "answer");
    return text(this.path, name, length);
  }

  /** A name of the configuration; for a text that is not known, each of them is tried. */
  #among(value: unknown, names: readonly string[]): string {
    const seen = view(this.path, value);
    const its = unknownOf(seen);
    if (its === null) return typeof seen === "string" && names.includes(seen) ? seen : raise();
    if (its.kind !== "text") return notEvaluated("a name that is not known");
    return names.find((text) => this.path.ask({ kind: "equals", of: its.name, text })) ?? raise();
  }

  /** A verification of the program: the name of its call. */
  #program([prog, keyring]: readonly unknown[]): string | number {
    const its = unknownOf(prog);
    if (its?.kind !== "object" || !its.isSubject || !Object.hasOwn(its.fields, "statements")) return raise();
    return `verify_program(${JSON.stringify(this.#among(keyring, this.path.names.keyrings))})`;
  }

  /** The same for bytes, or a verdict that depends on nothing; null if the first argument is a subject. */
  #signature([data, signature, keyring, type]: readonly unknown[]): string | number | null {
    if (unknownOf(data)?.kind === "object") return null;
    const bytes = this.#bytes(data);
    const signed = settled(this.path, signature) === null ? null : this.#bytes(signature);
    const ring = this.#among(keyring, this.path.names.keyrings);
    const kind = this.#among(type, SIGNATURE_TYPES);
    const isDetached = (DETACHED_SIGNATURE_TYPES as readonly string[]).includes(kind);
    if (signed === null && isDetached) return NO_SIGNATURE;
    return `verify_signature(${[bytes, String(signed), JSON.stringify(ring), kind].join()})`;
  }

  #verdict(verification: string | number): unknown {
    if (typeof verification === "number") return verification;
    this.path.symbols.places.set(verification, "answer");
    return integer(this.path, verification, -4095n, 0n);
  }

  /** What a helper returns about what was verified; null if it was not. */
  #result(helper: string, verification: string | number): Sym | null {
    if (!isEqual(this.path, this.#verdict(verification), 0)) return null;
    const name = String(verification).replace(/^\w+/, helper);
    this.path.symbols.places.set(name, "answer");
    return new Sym({ kind: "object", name, fields: this.path.declarations.results[helper]!, isSubject: false });
  }

  #bytes(value: unknown): string {
    const its = unknownOf(view(this.path, value));
    return its?.kind === "bytes" ? its.name : raise();
  }

  /** The reason of a verdict: that of the last denial which returned it. */
  denialWith(verdict: Sum): Answered | undefined {
    return this.denials.findLast((one) => compares(this.path, plus(one.verdict!, verdict, -1n)));
  }
}
