import { ERRNO } from "../errno.js";
import { didYouMean } from "../nearest.js";
import type { Document, Path } from "./document.js";
import { quoted } from "./quoted.js";

/** A signer as policies see it. */
export interface GivenSigner {
  readonly subject: string | null;
  readonly key_id: string;
  readonly serial: string | null;
  readonly issuer: string | null;
}

/** The answer that a test gives in place of a helper. */
export interface HelperAnswer {
  /** As the test spells it: the helper, then the first arguments that the answer is for. */
  readonly call: string;
  readonly helper: AnsweredHelper;
  readonly args: readonly string[];
  /** A verdict; for `statement_of` an index of the program's statements, or -1; for `signer_of` a signer or null. */
  readonly answer: number | GivenSigner | null;
}

/** The helpers that a test can answer, with their arguments that can be named and the kind of their answer. */
const HELPERS = {
  verify_program: { args: ["keyring"], answer: verdict },
  verify_signature: { args: ["keyring", "type"], answer: verdict },
  statement_of: { args: ["keyring"], answer: statement },
  signer_of: { args: ["keyring", "type"], answer: signer },
  map_update: { args: ["map", "key"], answer: verdict },
  map_delete: { args: ["map", "key"], answer: verdict },
} as const;

export type AnsweredHelper = keyof typeof HELPERS;

/** Reads the key `helpers` of a case, whose subject has `statements`. Throws CONFIG_INVALID with the place. */
export function helperAnswers(
  document: Document,
  path: Path,
  given: Readonly<Record<string, unknown>>,
  statements: number,
): readonly HelperAnswer[] {
  return Object.entries(given).map(([call, value]) => {
    const at = [...path, call];
    const [helper, ...args] = call.split(" ");
    if (!isAnswered(helper!))
      throw document.error(
        at,
        `${quoted(call)} begins with no helper that a test can answer${didYouMean(helper!, Object.keys(HELPERS))}`,
        `begin with one of ${Object.keys(HELPERS).join(", ")}; \`maps\` answers \`map_lookup\``,
        "key",
      );
    const { args: known, answer } = HELPERS[helper];
    if (args.length > known.length || args.includes(""))
      throw document.error(
        at,
        `${quoted(call)} does not name arguments of ${quoted(helper)}`,
        `write ${quoted([helper, ...known.map((name) => name.toUpperCase())].join(" "))}, or leave out the last ones`,
        "key",
      );
    const read = answer(value);
    if (typeof read === "string") throw document.error(at, `the answer of ${quoted(call)} ${read}`);
    if (helper === "statement_of" && (read as number) >= statements)
      throw document.error(at, `there is no index ${read} of \`statements\``, "describe it in the case's `program`");
    return { call, helper, args, answer: read };
  });
}

function isAnswered(name: string): name is AnsweredHelper {
  return Object.hasOwn(HELPERS, name);
}

/** Each returns the answer, or text that says what is wrong with the value. */
function verdict(value: unknown): number | string {
  if (value === 0) return 0;
  const errno = ERRNO[String(value).slice(1) as keyof typeof ERRNO];
  return String(value).startsWith("-") && errno !== undefined ? -errno : "is neither 0 nor an errno such as `-ENOKEY`";
}

function statement(value: unknown): number | string {
  if (value === null) return -1;
  return Number.isInteger(value) && (value as number) >= 0
    ? (value as number)
    : "is neither null nor an index of the program's `statements`";
}

function signer(value: unknown): GivenSigner | null | string {
  if (value === null) return null;
  const wrong = "is neither null nor a mapping with `subject`, `key_id`, `serial` or `issuer`";
  if (typeof value !== "object" || Array.isArray(value)) return wrong;
  const fields = { subject: null, key_id: "", serial: null, issuer: null, ...value };
  if (Object.keys(fields).length > 4) return wrong;
  const isText = Object.entries(fields).every(
    ([name, field]) => typeof field === "string" || (field === null && name !== "key_id"),
  );
  return isText ? fields : wrong;
}
