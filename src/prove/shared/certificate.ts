import type { HookDefault, HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import type { ScopeRules } from "../../policy/scope/scope.js";
import type { Atom, LinearTerm, TextPart } from "./atom.js";
import type { KnownMaps } from "./known-maps.js";

/**
 * A certificate: decision tables in a form that is checked without the explorer that found them. It is JSON. All that
 * it says is computed again or verified; it gives the order in which, and the parts that are hard to find.
 */
export interface TableCertificate {
  readonly certificate: "countersign prove";
  readonly version: 3;
  readonly digests: Digests;
  /** What is known of maps. A map that is not here has any JSON value under any key, or none. */
  readonly maps: KnownMaps;
  readonly tables: readonly CertifiedTable[];
}

/** SHA-256 in lower-case hex. */
export interface Digests {
  /** The configuration's file. */
  readonly configuration: string;
  /** What is declared about the inputs of decisions: domains of facts, constraints between them. */
  readonly declarations: string;
  /** Of Countersign's version and the engine's WASM. */
  readonly engine: string;
}

export type CertifiedTable = Stated & { readonly tree: Tree };

/** What a table is about, without its tree. */
export type Stated = StatedAttachment | StatedDecision | StatedProperty;

/** All answers of an attachment at one hook, to callers in its scope. */
export interface StatedAttachment {
  readonly attachment: string;
  readonly hook: HookName;
  /** SHA-256 of the policy as it was linked. */
  readonly policy: string;
}

/** All decisions of a configuration at one hook, which its attachments make together. */
export interface StatedDecision extends Composition {
  readonly hook: HookName;
}

/** A property for all decisions of a configuration at one hook. */
export interface StatedProperty extends StatedDecision {
  readonly property: string;
  /** SHA-256 of its text with the files that it imports, as it was linked. */
  readonly text: string;
  /** Whether it holds at all ends. */
  readonly answer: "proved" | "refuted";
}

/** How the attachments of a hook are asked, in the words of the configuration. */
export interface Composition {
  readonly mode: Mode;
  readonly default: HookDefault;
  /** In their order. */
  readonly attachments: readonly {
    readonly name: string;
    readonly policy: string;
    readonly mode: Mode;
    readonly on_fault: "deny" | "allow";
    readonly scope: ScopeRules;
  }[];
}

/** A condition with what follows if it is true or false, or a way's end. */
export type Tree = Branch | Leaf;

export interface Branch {
  readonly if: Atom;
  readonly yes: Tree | Refuted;
  readonly no: Tree | Refuted;
}

export interface Leaf {
  readonly end: End;
  /** `file:line`; empty for a property, and for a decision that is not an attachment's denial. */
  readonly line: string;
  readonly witness: Witness;
}

/**
 * How a path ends: with a verdict and the reason of its denial, or with a fault. The verdict of a policy that fails is
 * null; that of a decision is the enforced one. `by` is the attachment that denies; it is null if the default denies or
 * nothing does. A property holds or does not.
 */
export type End =
  | {
      readonly verdict: number | LinearTerm | null;
      readonly reason: readonly TextPart[] | null;
      readonly fault: string | null;
      readonly by?: string | null;
    }
  | { readonly holds: boolean };

/** An input that goes this way, in JSON: bytes are base64. */
export interface Witness {
  readonly subject: unknown;
  readonly current: unknown;
  /** What helpers answer, by call; for `statement_of` the index in the subject's statements. */
  readonly answers: Readonly<Record<string, unknown>>;
  /** Values by map and key. */
  readonly maps: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A side of a branch that no input takes, with the proof of that. */
export interface Refuted {
  readonly refuted: Refutation;
}

/** Why conditions cannot all hold. Those of the path are numbered from 0; the one that is refuted is the last. */
export type Refutation =
  /** Two conditions contradict each other: a text is one constant, and it or a part of it is not as the other says. */
  | { readonly clash: readonly [equals: number, other: number] }
  /** The first element of a list in some cases is in none of them. */
  | { readonly element: number }
  /** A list has no element in some cases, and the first one in others is in one of these. */
  | { readonly none: readonly [none: number, first: number] }
  /** A text is equal to a constant that is not in the domain of the symbol. */
  | { readonly domain: number }
  /** Multiples of conditions and bounds, whose sum is a positive constant that would be at most 0. */
  | { readonly farkas: readonly FarkasRow[] }
  /** The number of condition `split`, which is not 0, is neither below nor above 0; one more condition in each case. */
  | { readonly split: number; readonly below: Refutation; readonly above: Refutation }
  /** No value that this symbol can have satisfies the conditions on it. */
  | { readonly values: string }
  /** The map has an entry under this text, which by the conditions on it is none of the map's keys. */
  | { readonly key: string }
  /** Constraints between facts, by number: each fixes one more fact, and the last one cannot hold. */
  | { readonly set: readonly number[] };

/** `times` is a decimal integer from 1 on, for an equation any but 0. */
export type FarkasRow =
  | { readonly times: string; readonly condition: number }
  | { readonly times: string; readonly symbol: string; readonly least: string }
  | { readonly times: string; readonly symbol: string; readonly most: string };
