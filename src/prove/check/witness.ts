import { brokenConstraints } from "../../bpf/program-constraints.js";
import type { FactDomain } from "../../fact-type.js";
import { MapSchema } from "../../policy/maps/map-schema.js";
import type { Current } from "../../policy/model/current.js";
import type { Fields } from "../facts/declarations.js";
import { outsideDomain } from "../facts/in-domain.js";
import { type Atom, anyElement, hasUnknown, type LinearTerm, type Origin, type TextPart } from "../shared/atom.js";
import type { End, Witness } from "../shared/certificate.js";
import { knownMap } from "../shared/known-maps.js";
import { numberText } from "../shared/value-text.js";
import type { Input } from "../witness/input.js";
import { DIGESTS } from "./helpers.js";
import { COMPARED, ofOperands } from "./operators.js";
import { attempt, type Condition, notEvaluated, type Path, type Place, Stop } from "./path.js";
import { ofMeasure, ofStep } from "./texts.js";
import { TEXT_TESTS } from "./value.js";

/** Ends what is computed at a value that is not there, or of another type than a condition needs. */
const missing = () => notEvaluated("a value that a witness does not have");

/** What is computed of a witness; null if a value is missing for it. */
function ifThere<T>(compute: () => T): T | null {
  const its = attempt(Stop, compute);
  return its instanceof Stop ? null : its;
}

/** Any finite double times 2 to the power of this is an integer. */
const SHIFT = 1074n;

/** An array or object of JSON as a text: an object must not have a property `toString`, which is no function. */
function writtenText(value: unknown): string {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return value.map((one) => (one === null ? "" : writtenText(one))).join();
  if (typeof value !== "object" || value === null) return String(value);
  return Object.hasOwn(value, "toString") ? missing() : "[object Object]";
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
    if (helper.startsWith("verify_") || helper.startsWith("map_")) return within(-4095, 0);
    if (helper === "hash") {
      const length = DIGESTS[call.slice("hash(".length).split(",")[0]!];
      return length !== undefined && new RegExp(`^[0-9a-f]{${2 * length}}$`).test(String(answer));
    }
    if (helper === "statement_of") return within(0, ((this.subject.statements as unknown[])?.length ?? 0) - 1);
    const fields = this.path.declarations.results[helper];
    return fields === undefined || outsideDomain(answer, objectOf(fields), call).length === 0;
  }

  /** What a helper answers to the engine, also in a copy of this input. */
  readonly answer = (origin: Origin, key: string | null): unknown =>
    origin.kind === "lookup"
      ? this.#entry(origin.map, key!)
      : origin.kind === "write"
        ? this.#write(origin.number)
        : this.#answer(nameOf(origin));

  #write(number: number): unknown {
    const call = ["map_update", "map_delete"].find((one) => Object.hasOwn(this.witness.answers, `${one}(${number})`));
    return call === undefined ? missing() : this.#answer(`${call}(${number})`);
  }

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

  /**
   * An end with this witness's values in place of symbols, and the reason as the sandbox cuts it. A reason with a text
   * of which nothing is known is the one that was found, if the other parts of it are as they must be.
   */
  endOf(end: End, found: { readonly reason?: string | null }): object | null {
    if ("holds" in end) return end;
    const { verdict, reason } = end;
    const number = () => (typeof verdict === "object" && verdict !== null ? this.#number(verdict) : verdict);
    const cut = (text: string) => (text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text);
    const isAs = () => typeof found.reason === "string" && this.#pattern(reason!).test(found.reason);
    const written = () => (hasUnknown(reason!) ? (isAs() ? found.reason : missing()) : cut(this.#joined(reason!)));
    return ifThere(() => ({ ...end, verdict: number(), reason: reason && written() }));
  }

  #pattern(parts: readonly TextPart[]): RegExp {
    const escaped = (text: string) =>
      text.replace(/[^\p{L}\p{N}]/gu, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
    const words = parts.map((part) => (hasUnknown([part]) ? "[^]*" : escaped(this.#joined([part]))));
    return new RegExp(`^${words.join("")}$`, "u");
  }

  /** A sum times 2^{@link SHIFT}, which is exact. */
  #sum({ constant, of }: LinearTerm): bigint {
    return of.reduce((sum, [by, name]) => sum + BigInt(by) * this.#scaled(name), BigInt(constant) << SHIFT);
  }

  /** The number that a sum is. */
  #number(term: LinearTerm): number {
    const [only, ...others] = term.of;
    if (term.constant === "0" && others.length === 0 && only?.[0] === "1") return this.#finite(only[1]);
    const sum = this.#sum(term);
    const number = Number(sum >> SHIFT);
    return BigInt(number) << SHIFT === sum ? number : missing();
  }

  #joined(parts: readonly TextPart[]): string {
    const textOf = (part: TextPart) => {
      if (typeof part === "string") return part;
      if ("text" in part) return this.#text(part.text);
      if ("json" in part) return this.#written(part.json);
      return "number" in part ? numberText(this.#number(part.number)) : missing();
    };
    return parts.map(textOf).join("");
  }

  #isTrue(atom: Atom): boolean {
    if (atom.kind === "compares") return this.#compares(atom.of, atom.text);
    if ("text" in atom) return (TEXT_TESTS[atom.kind] ?? missing())(this.#text(atom.of), atom.text);
    if (atom.kind === "texts")
      return (TEXT_TESTS[atom.relation] ?? missing())(this.#joined(atom.left), this.#joined(atom.right));
    if (atom.kind === "written") return ifThere(() => this.#written(atom.of)) !== null;
    if (atom.kind === "same") return this.#text(atom.of) === this.#text(atom.other);
    if (atom.kind === "number") {
      const sum = this.#sum(atom.term);
      return atom.is === "= 0" ? sum === 0n : atom.is === "< 0" ? sum < 0n : sum <= 0n;
    }
    if (atom.kind === "some") {
      return this.#list(atom.of).some((one) => this.#isIn(atom, one));
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
  #isIn({ of, where }: Pick<Extract<Atom, { readonly kind: "some" }>, "of" | "where">, element: unknown): boolean {
    this.#elements.set(anyElement(of), element);
    return where.some((one) => one.every(({ atom, is }) => this.#isTrue(atom) === is));
  }

  #text(name: string): string {
    const value = this.#value(name);
    return typeof value === "string" ? value : missing();
  }

  #finite(name: string): number {
    const value = this.#value(name);
    return Number.isFinite(value) ? (value as number) : missing();
  }

  #scaled(name: string): bigint {
    let [value, shift] = [this.#finite(name), SHIFT];
    // Twice a double is exact, and one that is no integer is smaller than 2^53
    for (; !Number.isInteger(value); value *= 2) shift -= 1n;
    return BigInt(value) << shift;
  }

  /** An array or object of a map as a text; missing if that is an error. */
  #written(name: string): string {
    return writtenText(this.#value(name));
  }

  /** Whether a text as a number compares with a constant, as in `< 20`. */
  #compares(name: string, comparison: string): boolean {
    const [operator = "", to] = comparison.split(" ");
    const value = this.#value(name);
    const text = typeof value === "string" ? value : this.#written(name);
    return (COMPARED[operator] ?? missing())(Number(text), Number(to));
  }

  /** What a loop adds up for the elements of a list, one after the other. */
  #added({ list, initial, cases }: Extract<Place, { readonly initial: number }>): number {
    let value = initial;
    for (const element of this.#list(list)) {
      const its = cases.find(({ where }) => this.#isIn({ of: list, where: [where] }, element));
      for (const term of its?.terms ?? []) value += this.#number(term);
    }
    return value;
  }

  #list(name: string): readonly unknown[] {
    const list = this.#value(name);
    return Array.isArray(list) ? list : missing();
  }

  #value(name: string): unknown {
    if (name === this.path.declarations.argument) return this.subject;
    if (name === "current") return this.current;
    if (this.#elements.has(name)) return this.#elements.get(name);
    const place = this.path.symbols.places.get(name) ?? missing();
    if (place === "answer") return this.#answer(name);
    if ("map" in place) return this.#entry(place.map, this.#joined(place.parts));
    if ("step" in place) return ofStep(this.#text(place.of), place.step);
    if ("measure" in place) return ofMeasure(this.#text(place.of), place.measure);
    if ("operator" in place) {
      const [one, other] = place.operands.map((its) => (typeof its === "number" ? its : this.#number(its)));
      return ofOperands(place.operator, one!, other!);
    }
    if ("first" in place)
      return this.#list(place.list).find((one) => this.#isIn({ of: place.list, where: place.first }, one)) ?? missing();
    if ("initial" in place) return this.#added(place);
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
  if (origin.kind === "hash") return `hash(${origin.algorithm},${origin.data})`;
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
