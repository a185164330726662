import { brokenConstraints } from "../../bpf/program-constraints.js";
import type { FactDomain } from "../../fact-type.js";
import { MapSchema } from "../../policy/maps/map-schema.js";
import type { Current } from "../../policy/model/current.js";
import type { Fields } from "../facts/declarations.js";
import { outsideDomain } from "../facts/in-domain.js";
import { type Atom, anyElement, type LinearTerm, type Origin, type TextPart } from "../shared/atom.js";
import type { End, Witness } from "../shared/certificate.js";
import { knownMap } from "../shared/known-maps.js";
import type { Input } from "../witness/input.js";
import { attempt, type Condition, notEvaluated, type Path, Stop } from "./path.js";
import { TEXT_TESTS } from "./value.js";

/** Ends what is computed at a value that is not there, or of another type than a condition needs. */
const missing = () => notEvaluated("a value that a witness does not have");

/** What is computed of a witness; null if a value is missing for it. */
function ifThere<T>(compute: () => T): T | null {
  const its = attempt(Stop, compute);
  return its instanceof Stop ? null : its;
}

/** Maximum length of a reason, which the sandbox cuts after that. */
const MAX_REASON = 1024;

/** A witness that is in the domains of facts, and the values that symbols have for it. */
export class WitnessInput implements Input {
  readonly subject: Readonly<Record<string, unknown>>;
  readonly current: Current;
  /** Why there can be no such input; null if there can. */
  readonly flaw: string | null;
  /** The element of each list that is looked at. */
  readonly #elements = new Map<string, unknown>();

  constructor(
    private readonly witness: Witness,
    private readonly path: Path,
  ) {
    this.subject = decoded(witness.subject, objectOf(path.declarations.subject)) as Readonly<Record<string, unknown>>;
    this.current = witness.current as Current;
    this.flaw = this.#flaw();
    // Evidence is for people only: policies do not see it
    this.subject = { ...this.subject, evidence: [] };
  }

  #flaw(): string | null {
    const { argument, subject, current, fixed, clauses } = this.path.declarations;
    const [outside] = [
      ...outsideDomain(this.subject, objectOf(subject), argument),
      ...outsideDomain(this.current, objectOf(current), "current"),
      ...Object.entries(this.witness.maps).flatMap(([map, entries]) => {
        const found = new MapSchema(knownMap(this.path.names.known ?? {}, map)).firstBreach(entries);
        return found === null ? [] : [`${map}[${JSON.stringify(found.path[0])}]`];
      }),
      ...Object.keys(fixed).filter((name) => this.subject[name.slice(argument.length + 1)] !== fixed[name]),
      ...Object.keys(this.witness.answers).filter((call) => !this.#isAnswer(call, this.witness.answers[call])),
    ];
    if (outside !== undefined) return `\`${outside}\` is not in its domain`;
    return (clauses.length === 0 ? undefined : brokenConstraints(this.subject)[0]) ?? null;
  }

  /** Whether a helper can give an answer. */
  #isAnswer(call: string, answer: unknown): boolean {
    const [helper = ""] = call.split("(");
    const within = (least: number, most: number) =>
      Number.isInteger(answer) && (answer as number) >= least && (answer as number) <= most;
    if (helper.startsWith("verify_")) return within(-4095, 0);
    if (helper === "statement_of") return within(0, ((this.subject.statements as unknown[])?.length ?? 0) - 1);
    const fields = this.path.declarations.results[helper];
    return fields === undefined || outsideDomain(answer, objectOf(fields), call).length === 0;
  }

  /** What a helper answers to the engine, also in a copy of this input. */
  readonly answer = (origin: Origin, key: string | null): unknown =>
    origin.kind === "lookup" ? this.#entry(origin.map, key!) : this.#answer(nameOf(origin));

  #entry(map: string, key: string): unknown {
    return own(own(this.witness.maps, map) ?? {}, key);
  }

  #answer(call: string): unknown {
    const answer = own(this.witness.answers, call);
    if (answer === undefined) return missing();
    return call.startsWith("statement_of(") ? own(this.subject.statements, String(answer)) : answer;
  }

  /** Whether all conditions are true of it. */
  satisfies(conditions: readonly Condition[]): boolean {
    return ifThere(() => conditions.every(({ atom, is }) => this.#isTrue(atom) === is)) ?? false;
  }

  /** An end with this witness's values in place of symbols, and the reason as the sandbox cuts it. */
  endOf(end: End): object | null {
    if ("holds" in end) return end;
    const { verdict, reason } = end;
    const number = () => (typeof verdict === "object" && verdict !== null ? Number(this.#sum(verdict)) : verdict);
    const cut = (text: string) => (text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text);
    return ifThere(() => ({ ...end, verdict: number(), reason: reason && cut(this.#joined(reason)) }));
  }

  #sum({ constant, of }: LinearTerm): bigint {
    return of.reduce((sum, [by, name]) => sum + BigInt(by) * this.#integer(name), BigInt(constant));
  }

  #joined(parts: readonly TextPart[]): string {
    const textOf = (part: TextPart) => {
      if (typeof part === "string") return part;
      if ("text" in part) return this.#text(part.text);
      return "number" in part ? String(this.#sum(part.number)) : missing();
    };
    return parts.map(textOf).join("");
  }

  #isTrue(atom: Atom): boolean {
    if ("text" in atom) return (TEXT_TESTS[atom.kind] ?? missing())(this.#text(atom.of), atom.text);
    if (atom.kind === "same") return this.#text(atom.of) === this.#text(atom.other);
    if (atom.kind === "number") {
      const sum = this.#sum(atom.term);
      return atom.is === "= 0" ? sum === 0n : atom.is === "< 0" ? sum < 0n : sum <= 0n;
    }
    if (atom.kind === "some") {
      const list = this.#value(atom.of);
      return Array.isArray(list) ? list.some((one) => this.#isIn(atom, one)) : missing();
    }
    if (atom.kind === "flag") return this.#value(atom.of) === true;
    if (atom.kind === "null") return this.#value(atom.of.slice(0, -1)) === null;
    if (atom.kind === "exists") return this.#value(atom.of.slice(0, -1)) !== undefined;
    if (atom.kind !== "type") return missing();
    const value = this.#value(atom.of);
    const isNamed = value === null || typeof value === "boolean";
    const type = isNamed ? String(value) : Array.isArray(value) ? "array" : typeof value;
    return (atom.among as readonly string[]).includes(type);
  }

  /** Whether an element of a list is in one of the cases. */
  #isIn({ of, where }: Extract<Atom, { readonly kind: "some" }>, element: unknown): boolean {
    this.#elements.set(anyElement(of), element);
    return where.some((one) => one.every(({ atom, is }) => this.#isTrue(atom) === is));
  }

  #text(name: string): string {
    const value = this.#value(name);
    return typeof value === "string" ? value : missing();
  }

  #integer(name: string): bigint {
    const value = this.#value(name);
    return Number.isSafeInteger(value) ? BigInt(value as number) : missing();
  }

  #value(name: string): unknown {
    if (name === this.path.declarations.argument) return this.subject;
    if (name === "current") return this.current;
    if (this.#elements.has(name)) return this.#elements.get(name);
    const place = this.path.symbols.places.get(name) ?? missing();
    if (place === "answer") return this.#answer(name);
    if ("map" in place) return this.#entry(place.map, this.#joined(place.parts));
    return own(this.#value(place.of), place.key);
  }
}

const objectOf = (fields: Fields): FactDomain => ({ kind: "object", declared: "", fields });

/** The facts of JSON: bytes are base64 there. Whatever does not fit is left as it is. */
function decoded(value: unknown, domain: FactDomain): unknown {
  if (domain.kind === "bytes" && typeof value === "string") return new Uint8Array(Buffer.from(value, "base64"));
  if (domain.kind === "unknown or" || (domain.kind === "null or" && value !== null)) return decoded(value, domain.of);
  if (domain.kind !== "object" || typeof value !== "object" || value === null) return value;
  const known = Object.entries(value).filter(([name]) => Object.hasOwn(domain.fields, name));
  return Object.fromEntries(known.map(([name, one]) => [name, decoded(one, domain.fields[name]!)]));
}

/** The name of a helper's call, as the evaluator gives it. */
function nameOf(origin: Origin): string {
  if (!("keyring" in origin)) return missing();
  const keyring = JSON.stringify(origin.keyring);
  const its = "data" in origin ? [origin.data, String(origin.signature), keyring, origin.type].join() : keyring;
  return `${origin.kind.replace("_of_program", "_of")}(${its})`;
}

/** A property of a value; undefined if it has none of its own. */
function own(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return missing();
  const isThere = Object.hasOwn(value, key) || (key === "length" && ArrayBuffer.isView(value));
  return isThere ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
