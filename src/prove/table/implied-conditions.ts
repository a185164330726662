import { type Atom, JSON_TYPES, type JsonType, nullOrAbsentName } from "../shared/atom.js";
import type { Condition } from "../solver/condition.js";
import { namesIn } from "../solver/element-conditions.js";
import type { KnownValues } from "./known-values.js";

/**
 * Whether the first condition says what the second one does, and more: that a value is there, is not null or has a
 * type, which is so if something holds for it or for a part of it; or that a text is not another constant.
 */
export function implies(one: Condition, { atom, is }: Condition, values: KnownValues): boolean {
  const empty = withoutParts(one);
  if (!is && empty !== null && needsValues(atom) && namesIn(atom).some((name) => isPart(name, empty))) return true;
  const about = (whole: string) => thereIn(one).some((its) => isAbout(its, whole, values));
  switch (atom.kind) {
    case "equals":
      return !is && one.is && one.atom.kind === "equals" && one.atom.of === atom.of && one.atom.text !== atom.text;
    case "null":
      return !is && thereIn(one).some((its) => isNotNull(its, atom.of.slice(0, -1), values));
    case "exists":
      return is && about(atom.of.slice(0, -1));
    case "type": {
      const type = typeIn(one, atom.of);
      return type !== null && atom.among.includes(type) === is;
    }
    case "written":
      return is && isOfPlainType(one, atom.of);
    default:
      return false;
  }
}

/** Whether a value is absent, or of a type that can be written as text, if a condition holds. */
function isOfPlainType(one: Condition, name: string): boolean {
  if (one.atom.kind === "exists") return !one.is && one.atom.of === `${name}!`;
  if (one.atom.kind !== "type" || one.atom.of !== name) return false;
  return one.is === !(one.atom.among.includes("object") || one.atom.among.includes("array"));
}

/** A value that is there if a condition holds. */
interface There {
  readonly name: string;
  readonly canBeNull: boolean;
}

function thereIn({ atom, is }: Condition): readonly There[] {
  switch (atom.kind) {
    case "null":
      return is ? [{ name: atom.of.slice(0, -1), canBeNull: true }] : [];
    case "exists":
      return is ? [{ name: atom.of.slice(0, -1), canBeNull: true }] : [];
    case "any":
      return [];
    case "written":
      return is ? [] : [{ name: atom.of, canBeNull: false }];
    case "some":
      return is ? [{ name: atom.of, canBeNull: false }] : [];
    default:
      return is ? namesIn(atom).map((name) => ({ name, canBeNull: CAN_BE_NULL.has(atom.kind) })) : [];
  }
}

/** Conditions that can hold for null. */
const CAN_BE_NULL: ReadonlySet<Atom["kind"]> = new Set(["type", "texts"]);

/** Whether a value is this one, a part of it, or looked up with it as a key. */
function isAbout(its: There, whole: string, values: KnownValues): boolean {
  return its.name === whole || isNotNull(its, whole, values);
}

function isNotNull({ name, canBeNull }: There, whole: string, values: KnownValues): boolean {
  if (name === whole) return !canBeNull;
  return (
    isPart(name, whole) || values.keysOf(name).some((key) => isAbout({ name: key, canBeNull: false }, whole, values))
  );
}

/** A text has a length. */
const PARTED: ReadonlySet<JsonType> = new Set(["object", "array", "string"]);

/** The name of a value that has no parts if a condition holds, because it is missing, null or a number. */
function withoutParts({ atom, is }: Condition): string | null {
  if (atom.kind === "null") return is ? atom.of.slice(0, -1) : null;
  if (atom.kind === "exists") return is ? null : atom.of.slice(0, -1);
  if (atom.kind === "any") return is ? nullOrAbsentName(atom) : null;
  if (atom.kind !== "type") return null;
  const types = JSON_TYPES.filter((type) => atom.among.includes(type) === is);
  return types.some((type) => PARTED.has(type)) ? null : atom.of;
}

/** Whether an atom is false if a value that it names is missing. */
function needsValues(atom: Atom): boolean {
  return atom.kind !== "any" && atom.kind !== "written";
}

function isPart(name: string, whole: string): boolean {
  return name.startsWith(`${whole}.`) || name.startsWith(`${whole}[`);
}

/** A property that no array has. */
const PROPERTY = /^\["(?!length")[A-Za-z_]/;

const TYPES: Readonly<Partial<Record<Atom["kind"], JsonType>>> = {
  number: "number",
  integer: "number",
  equals: "string",
  starts: "string",
  ends: "string",
  matches: "string",
  regex: "string",
  before: "string",
  same: "string",
};

/** The type that a value has if a condition holds; null if it can have several. */
function typeIn(one: Condition, name: string): JsonType | null {
  const { atom, is } = one;
  if (atom.kind === "type" && atom.of === name) return is && atom.among.length === 1 ? atom.among[0]! : null;
  if (thereIn(one).some((its) => its.name.startsWith(name) && PROPERTY.test(its.name.slice(name.length))))
    return "object";
  return is && namesIn(atom).includes(name) ? (TYPES[atom.kind] ?? null) : null;
}
