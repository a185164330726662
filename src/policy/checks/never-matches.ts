import type { AnyNode, CallExpression, Literal } from "acorn";
import { nearest } from "../../nearest.js";
import type { Warning } from "../../warning.js";
import { meant, NAME_KINDS, type NameKind, type Vocabulary } from "../model/vocabulary.js";
import { placeIn } from "../syntax/source.js";
import type { Unit } from "../units/units.js";
import { keyOf } from "../units/variables.js";
import { NameFlow } from "./name-flow.js";

/**
 * Warns of strings that a policy compares with a fact and that the fact can never equal: in `prog.type === "kprobes"`,
 * in a `case`, in a list, set or object that is searched for the fact, in `prog.helpers.includes("probe_read_kernel")`,
 * and as the name of an effect.
 */
export function neverMatches(units: readonly Unit[], hooks: readonly string[], vocabulary: Vocabulary): Warning[] {
  return units.flatMap((unit, index) => {
    const search = new Search(unit, new NameFlow(units, index, hooks), vocabulary);
    for (const node of unit.source.nodes) search.visit(node);
    return search.warnings;
  });
}

/** The comparison of a fact with a string: whether a known name can satisfy it. */
type Test = (name: string, text: string) => boolean;
const EQUALS: Test = (name, text) => name === text;
/** String methods that look for a part of the string. */
const PARTS: Readonly<Record<string, Test>> = {
  startsWith: (name, text) => name.startsWith(text),
  endsWith: (name, text) => name.endsWith(text),
  includes: (name, text) => name.includes(text),
  indexOf: (name, text) => name.includes(text),
};
const MEMBERSHIP: ReadonlySet<string> = new Set(["includes", "indexOf", "lastIndexOf", "has"]);
const EQUALITY: ReadonlySet<string> = new Set(["==", "===", "!=", "!=="]);

class Search {
  readonly warnings: Warning[] = [];
  readonly #warned = new Set<Literal>();
  /** Lists that have been checked, with the kinds of names that they were checked for. */
  readonly #checked = new Map<readonly Literal[], Set<NameKind>>();
  /** Names that the file tests for; they can be those of a newer version. */
  readonly #askedFor = new Set<unknown>();

  constructor(
    private readonly unit: Unit,
    private readonly flow: NameFlow,
    private readonly vocabulary: Vocabulary,
  ) {
    for (const node of unit.source.nodes)
      if (node.type === "BinaryExpression" && node.operator === "in" && node.left.type === "Literal")
        this.#askedFor.add(node.left.value);
  }

  visit(node: AnyNode): void {
    switch (node.type) {
      case "BinaryExpression":
        if (EQUALITY.has(node.operator)) {
          this.#compare(node.left, node.right);
          this.#compare(node.right, node.left);
        } else if (node.operator === "in") this.#askFor(node.right, node.left);
        break;
      case "SwitchStatement":
        for (const { test } of node.cases) if (test) this.#compare(node.discriminant, test);
        break;
      case "MemberExpression":
        if (node.computed && this.flow.kindOf(node.object) === "Effects") this.#read(node.property);
        break;
      case "CallExpression":
        this.#call(node);
        break;
    }
  }

  #compare(fact: AnyNode, other: AnyNode): void {
    const kind = this.#nameKind(fact);
    if (kind !== null) this.#check(kind, this.flow.literalsOf(other), EQUALS);
  }

  /** A tested name may be one of a newer version; it is a probable mistake only if it is similar to a known name. */
  #askFor(object: AnyNode, key: AnyNode): void {
    if (this.flow.kindOf(object) !== "Effects") return;
    const close = ({ value }: Literal) => nearest(String(value), this.vocabulary.EffectName) !== null;
    this.#check("EffectName", this.flow.literalsOf(key).filter(close), EQUALS);
  }

  #read(effect: AnyNode): void {
    const literals = this.flow.literalsOf(effect);
    this.#check(
      "EffectName",
      this.#askedFor.size === 0 ? literals : literals.filter(({ value }) => !this.#askedFor.has(value)),
      EQUALS,
    );
  }

  #call({ callee, arguments: given }: CallExpression): void {
    const [first, second] = given;
    if (callee.type !== "MemberExpression" || first === undefined) return;
    const method = keyOf(callee.property, callee.computed) ?? "";
    if (method === "hasOwn" && second !== undefined) this.#askFor(first, second);
    if (method === "hasOwnProperty") this.#askFor(callee.object, first);
    const kind = this.flow.kindOf(callee.object);
    if (isNameKind(kind)) {
      if (Object.hasOwn(PARTS, method)) this.#check(kind, this.flow.literalsOf(first), PARTS[method]!);
      return;
    }
    if (!MEMBERSHIP.has(method)) return;
    const element = kind?.endsWith("[]") ? kind.slice(0, -2) : null;
    if (isNameKind(element)) this.#check(element, this.flow.literalsOf(first), EQUALS);
    const sought = this.#nameKind(first);
    if (sought !== null) this.#check(sought, this.flow.elementsOf(callee.object), EQUALS);
  }

  #nameKind(node: AnyNode): NameKind | null {
    const kind = this.flow.kindOf(node);
    return isNameKind(kind) ? kind : null;
  }

  #check(kind: NameKind, literals: readonly Literal[], test: Test): void {
    if (literals.length === 0) return;
    if (test === EQUALS) {
      const kinds = this.#checked.get(literals) ?? new Set();
      if (kinds.has(kind)) return;
      this.#checked.set(literals, kinds.add(kind));
    }
    const names = this.vocabulary[kind];
    for (const literal of literals) {
      const text = String(literal.value);
      if (this.#warned.has(literal) || text === "" || names.some((name) => test(name, text))) continue;
      // A helper that is newer than the tables is named by its number, such as `helper#300`.
      if (kind === "HelperName" && /^helper#/.test(text)) continue;
      this.#warned.add(literal);
      this.warnings.push({
        code: "POLICY_NEVER_MATCHES",
        message:
          `no ${NAME_KINDS[kind]} is called \`${clip(text)}\`, so this comparison never ` +
          `matches${meant(kind, text, this.vocabulary)}`,
        place: placeIn(this.unit.source, literal),
        remedy: "correct the name",
      });
    }
  }
}

function isNameKind(kind: string | null): kind is NameKind {
  return kind !== null && Object.hasOwn(NAME_KINDS, kind);
}

function clip(text: string): string {
  return text.length > 64 ? `${text.slice(0, 63)}…` : text;
}
