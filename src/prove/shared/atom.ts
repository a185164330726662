/**
 * What the explorer in the sandbox and its host say to each other. A symbol is named by the fact that it stands for,
 * such as `prog.effects.read_only` or `verify_program(platform)`.
 */

/** A linear term over numbers: `constant` and coefficients are decimal integers. */
export interface LinearTerm {
  readonly constant: string;
  readonly of: readonly (readonly [coefficient: string, symbol: string])[];
}

/** The types of a JSON value; `true` and `false` are types of their own. */
export const JSON_TYPES = ["null", "true", "false", "number", "string", "array", "object"] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** A condition on symbols that is true or false for each input. */
export type Atom =
  | { readonly kind: "flag"; readonly of: string }
  | { readonly kind: "null"; readonly of: string }
  /** A key of labels, of a map or of a JSON object exists. */
  | { readonly kind: "exists"; readonly of: string }
  | { readonly kind: "equals"; readonly of: string; readonly text: string }
  | { readonly kind: "same"; readonly of: string; readonly other: string }
  | { readonly kind: "starts" | "ends" | "includes"; readonly of: string; readonly text: string }
  /** A text matches a pattern of a scope (policy/scope/glob.ts). */
  | { readonly kind: "matches"; readonly of: string; readonly text: string }
  /** A list of texts contains a text. */
  | { readonly kind: "contains"; readonly of: string; readonly text: string }
  /** A term is equal to 0, below 0, or at most 0. */
  | { readonly kind: "number"; readonly term: LinearTerm; readonly is: "= 0" | "< 0" | "<= 0" }
  | { readonly kind: "type"; readonly of: string; readonly among: readonly JsonType[] };

/** A text of parts: constants, and symbols by name; numbers are written as JavaScript does. */
export type TextPart = string | { readonly text: string } | { readonly number: LinearTerm };

/** How a path ends. */
export type PathEnd =
  | {
      readonly kind: "verdict";
      /** 0 or a negative errno, or a term that is one. */
      readonly verdict: number | LinearTerm;
      readonly reason: readonly TextPart[] | null;
      readonly place: number;
    }
  | { readonly kind: "fault"; readonly code: string; readonly what: string; readonly place: number }
  /** The enforced verdict of all attachments. `by` is the attachment that denies; null for none and for the default. */
  | {
      readonly kind: "decision";
      readonly verdict: number | LinearTerm;
      readonly reason: readonly TextPart[] | null;
      readonly by: string | null;
      readonly fault: { readonly code: string; readonly what: string } | null;
      readonly place: number;
    }
  | { readonly kind: "not decided"; readonly why: string; readonly place: number };

/** What a symbol can be, for the host. */
export type SymbolDomain =
  /** An amount is any finite number from 0 on; a number of JSON is any finite number. */
  | { readonly kind: "flag" | "json" | "null" | "exists" | "list" | "amount" }
  | { readonly kind: "text"; readonly names: string | null; readonly hex: number | null }
  /** Integers; `most` and `least` are decimal. */
  | { readonly kind: "integer"; readonly least: string; readonly most: string };

/** How the value of a symbol is found. */
export type Origin =
  | { readonly kind: "fact" }
  | { readonly kind: "lookup"; readonly map: string; readonly key: readonly TextPart[] }
  | { readonly kind: "verify_program" | "statement_of" | "signer_of_program"; readonly keyring: string }
  | {
      readonly kind: "verify_signature" | "signer_of";
      readonly keyring: string;
      readonly type: string;
      readonly data: string;
      readonly signature: string | null;
    }
  | { readonly kind: "hash"; readonly algorithm: string; readonly data: string };

export type Request =
  | { readonly ask: "begin" }
  | { readonly ask: "symbol"; readonly name: string; readonly domain: SymbolDomain }
  | { readonly ask: "origin"; readonly name: string; readonly origin: Origin }
  | { readonly ask: "test"; readonly atom: Atom; readonly place: number }
  | { readonly ask: "end"; readonly end: PathEnd };
