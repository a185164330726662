import { GUEST_CONSTANTS } from "../../policy/model/guest.js";
import { DETACHED_SIGNATURE_TYPES, SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import type { TextPart } from "../shared/atom.js";
import { integer, lookUp, stringParts, textParts, view } from "./facts.js";
import { integerWithin, isEqual, isZero } from "./operators.js";
import { notEvaluated, type Path, raise } from "./path.js";
import { constant, Native, plus, type Sum, Sym, unknownOf } from "./value.js";

/** A call of `deny`. */
export interface Denial {
  readonly verdict: Sum;
  readonly reason: readonly TextPart[];
  readonly line: string;
}

/** The maximum number of denials of which the engine keeps the reasons. */
const MOST_DENIALS = 32;
const NO_SIGNATURE = -61;

/** What the virtual module has, on one path. */
export class Helpers {
  readonly denials: Denial[] = [];
  readonly #functions: Readonly<Record<string, Native>>;

  constructor(private readonly path: Path) {
    this.#functions = {
      deny: new Native(([reason, errno]) => this.#deny(reason, errno)),
      map_lookup: new Native(([map, key]) => this.#lookUp(map, key)),
      verify_program: new Native(([prog, keyring]) => this.#verifyProgram(this.#keyring(prog, keyring))),
      statement_of: new Native(([prog, keyring]) => this.#statementOf(prog, keyring)),
      signer_of: new Native(([data, ...given]) => this.#signerOf(data, given)),
      verify_signature: new Native((given) => this.#verifySignature(this.#signature(given))),
    };
  }

  /** A function or constant of the module. */
  read(name: string): unknown {
    if (Object.hasOwn(this.#functions, name)) return this.#functions[name];
    return Object.hasOwn(GUEST_CONSTANTS, name) ? GUEST_CONSTANTS[name] : notEvaluated(`the helper \`${name}\``);
  }

  #deny(reason: unknown, errno: unknown = 1): unknown {
    const sum = integerWithin(this.path, errno, 1n, 4095n) ?? raise();
    const verdict = plus(constant(0n), sum, -1n);
    this.denials.push({ verdict, reason: textParts(this.path, reason), line: this.path.line });
    if (this.denials.length > MOST_DENIALS) notEvaluated("more than 32 calls of `deny`");
    return verdict.of.size === 0 ? Number(verdict.constant) : new Sym({ kind: "number", sum: verdict, isExact: true });
  }

  #lookUp(map: unknown, key: unknown): unknown {
    const name = this.#among(map, this.path.names.maps);
    return lookUp(this.path, name, stringParts(this.path, key) ?? raise());
  }

  /** A name of the configuration; for a text that is not known, each of them is tried. */
  #among(value: unknown, names: readonly string[]): string {
    const seen = view(this.path, value);
    const its = unknownOf(seen);
    if (its === null) return typeof seen === "string" && names.includes(seen) ? seen : raise();
    if (its.kind !== "text") return notEvaluated("a name that is not known");
    return names.find((text) => this.path.ask({ kind: "equals", of: its.name, text })) ?? raise();
  }

  #keyring(prog: unknown, keyring: unknown): string {
    const its = unknownOf(prog);
    if (its?.kind !== "object" || !its.isSubject || !Object.hasOwn(its.fields, "statements")) return raise();
    return JSON.stringify(this.#among(keyring, this.path.names.keyrings));
  }

  #verdict(name: string): Sym {
    this.path.place(name, "answer");
    return integer(this.path, name, -4095n, 0n);
  }

  #verifyProgram(keyring: string): Sym {
    return this.#verdict(`verify_program(${keyring})`);
  }

  #statementOf(prog: unknown, ring: unknown): unknown {
    const keyring = this.#keyring(prog, ring);
    return isEqual(this.path, this.#verifyProgram(keyring), 0)
      ? this.#result("statement_of", `statement_of(${keyring})`)
      : null;
  }

  #signerOf(data: unknown, given: readonly unknown[]): unknown {
    const its = unknownOf(data);
    if (its?.kind === "object" && its.isSubject) {
      const keyring = this.#keyring(data, given[0]);
      if (!isEqual(this.path, this.#verifyProgram(keyring), 0)) return null;
      return this.#result("signer_of", `signer_of(${keyring})`);
    }
    const signature = this.#signature([data, ...given]);
    if (!isEqual(this.path, this.#verifySignature(signature), 0)) return null;
    return this.#result("signer_of", `signer_of(${signature.name})`);
  }

  #result(helper: string, name: string): Sym {
    this.path.place(name, "answer");
    return new Sym({ kind: "object", name, fields: this.path.declarations.results[helper]!, isSubject: false });
  }

  /** The arguments of a verification as a name. */
  #signature([data, signature, keyring, type]: readonly unknown[]): { name: string; isMissing: boolean } {
    const bytes = this.#bytes(data);
    const signed = view(this.path, signature) === null ? null : this.#bytes(signature);
    const ring = this.#among(keyring, this.path.names.keyrings);
    const kind = this.#among(type, SIGNATURE_TYPES);
    const isDetached = (DETACHED_SIGNATURE_TYPES as readonly string[]).includes(kind);
    return {
      name: [bytes, String(signed), JSON.stringify(ring), kind].join(),
      isMissing: signed === null && isDetached,
    };
  }

  #verifySignature({ name, isMissing }: { name: string; isMissing: boolean }): unknown {
    return isMissing ? NO_SIGNATURE : this.#verdict(`verify_signature(${name})`);
  }

  #bytes(value: unknown): string {
    const its = unknownOf(view(this.path, value));
    return its?.kind === "bytes" ? its.name : raise();
  }

  /** The reason of a verdict: that of the last denial which returned it. */
  denialWith(verdict: Sum): Denial | null {
    return this.denials.findLast((one) => isZero(this.path, plus(one.verdict, verdict, -1n))) ?? null;
  }
}
