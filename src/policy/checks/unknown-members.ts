import type { AnyNode, Pattern } from "acorn";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import type { Warning } from "../../warning.js";
import { GUEST_MODULE, GUEST_NAMES } from "../model/guest.js";
import { placeIn } from "../syntax/source.js";
import { staticName, testedNames } from "../units/property-names.js";
import { type Meaning, References } from "../units/references.js";
import type { Unit } from "../units/units.js";

/**
 * Checks which members of namespaces a policy reads: of the virtual module and of its own files. Throws
 * POLICY_UNKNOWN_NAME for a member that does not exist, in member expressions and destructuring patterns with literal
 * names. A name that the file tests for anywhere (`"name" in lib`) is not an error. Returns a warning for each copy of
 * the virtual module's namespace, since reads of a copy are not checked.
 */
export function checkMembers(units: readonly Unit[]): Warning[] {
  if (!units.some(hasNamespace)) return [];
  const references = new References(units);
  return units.flatMap((_, index) => new Members(units, index, references).check());
}

type Names = Pick<ReadonlyMap<string, unknown>, "has" | "keys">;
const GUEST: Names = new Set(GUEST_NAMES);

/** Whether a file imports or exports a namespace. */
function hasNamespace({ bindings: { guest, imports, exports } }: Unit): boolean {
  return (
    [...guest.values()].includes("*") ||
    [...imports, ...exports.values()].some(({ from, name }) => from && name === "*")
  );
}

/** Reads of namespace members in one file. */
class Members {
  readonly #warnings: Warning[] = [];
  #tested: ReadonlySet<string> | undefined;

  constructor(
    readonly units: readonly Unit[],
    readonly unit: number,
    readonly references: References,
  ) {}

  check(): Warning[] {
    for (const node of this.units[this.unit]!.source.nodes) this.#note(node);
    return this.#warnings;
  }

  #note(node: AnyNode): void {
    switch (node.type) {
      case "MemberExpression":
        this.#checkName(this.#meaning(node.object), node.property, node.computed);
        break;
      case "VariableDeclarator":
        if (node.init && node.id.type === "ObjectPattern") this.#checkPattern(node.id, this.#meaning(node.init));
        break;
      case "AssignmentExpression":
        if (node.left.type === "ObjectPattern") this.#checkPattern(node.left, this.#meaning(node.right));
        break;
      case "ObjectExpression":
        for (const property of node.properties)
          if (property.type === "SpreadElement") this.#warnOfCopy(property, this.#meaning(property.argument));
        break;
    }
  }

  #meaning(node: AnyNode): Meaning | null {
    return this.references.meaning(node, this.unit);
  }

  #checkPattern(pattern: Pattern, of: Meaning | null): void {
    if (of === null) return;
    if (pattern.type === "AssignmentPattern") this.#checkPattern(pattern.left, of);
    if (pattern.type !== "ObjectPattern") return;
    for (const property of pattern.properties) {
      if (property.type === "RestElement") {
        this.#warnOfCopy(property, of);
        continue;
      }
      const name = this.#checkName(of, property.key, property.computed);
      if (name !== null) this.#checkPattern(property.value, this.references.member(of, name));
    }
  }

  /** The name of a member, or null. Throws POLICY_UNKNOWN_NAME. */
  #checkName(of: Meaning | null, key: AnyNode, computed: boolean): string | null {
    if (of === null) return null;
    const name = staticName(key, computed);
    const names = this.#namesOf(of);
    if (name === null || names === null || names.has(name)) return name;
    const { source } = this.units[this.unit]!;
    this.#tested ??= testedNames(source);
    if (this.#tested.has(name)) return null;
    const clipped = name.length > 64 ? `${name.slice(0, 63)}…` : name;
    const lacks =
      "unit" in of ? `\`${this.units[of.unit]!.source.file}\` does not export` : `\`${GUEST_MODULE}\` does not have`;
    throw new CountersignError(
      "POLICY_UNKNOWN_NAME",
      `names \`${clipped}\`, which ${lacks}${didYouMean(name, names.keys())}`,
      {
        place: placeIn(source, key),
        remedy:
          "unit" in of
            ? "export it there, or correct the name"
            : "correct the name; see types/countersign.d.ts for what the module has",
      },
    );
  }

  /** The members of a namespace; null if it is not a namespace. */
  #namesOf(of: Meaning): Names | null {
    if ("unit" in of) return this.units[of.unit]!.exports;
    return of.guest === "*" ? GUEST : null;
  }

  #warnOfCopy(node: AnyNode, of: Meaning | null): void {
    if (of === null || !("guest" in of) || of.guest !== "*") return;
    this.#warnings.push({
      code: "POLICY_COPIED_FACTS",
      message:
        `copies the names of \`${GUEST_MODULE}\` into an object of its own, where one that does not exist ` +
        "reads as undefined",
      place: placeIn(this.units[this.unit]!.source, node),
      remedy: "import the names that are used",
    });
  }
}
