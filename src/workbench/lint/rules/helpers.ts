import type { AnyNode, CallExpression } from "acorn";
import { didYouMean } from "../../../nearest.js";
import { droppedValues } from "../../../policy/checks/dropped.js";
import { SIGNATURE_TYPES } from "../../../policy/model/signature-types.gen.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Complaint, Rule } from "../model/rule.js";
import type { ValueKind } from "../model/values.js";

const HASHES = ["sha256", "sha384", "sha512"];

/** What a helper takes: `text` is a string, `number` a number, `object` what only the engine makes. */
type Parameter = "text" | "number" | "object" | "objectOrNull" | "any" | readonly string[];
interface Signature {
  readonly least: number;
  readonly parameters: readonly Parameter[];
}
const KEYRING: Signature = { least: 2, parameters: ["object", "text"] };
const SIGNATURES: Readonly<Record<string, Signature>> = {
  verify_signature: { least: 4, parameters: ["object", "objectOrNull", "text", SIGNATURE_TYPES] },
  verify_program: KEYRING,
  statement_of: KEYRING,
  hash: { least: 2, parameters: [HASHES, "object"] },
  map_lookup: { least: 2, parameters: ["text", "text"] },
  map_update: { least: 3, parameters: ["text", "text", "any"] },
  map_delete: { least: 2, parameters: ["text", "text"] },
  deny: { least: 1, parameters: ["text"] },
  note: { least: 1, parameters: ["text"] },
  read: { least: 3, parameters: ["object", "number", "number"] },
};

const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  text: ["string"],
  number: ["number", "zero", "positive", "verdict", "magnitude"],
  object: ["object"],
  objectOrNull: ["object", "null"],
};
const WORDS: Readonly<Record<string, string>> = {
  text: "text",
  number: "a number",
  object: "a fact of the subject",
  objectOrNull: "a fact of the subject or null",
};

export const HELPER_ARGUMENTS: Rule = {
  code: "LINT_HELPER_ARGUMENTS",
  severity: "error",
  summary: 'a helper with a missing argument, or one that it never takes: `verify_program(prog)`, `hash("md5", …)`',
  consequence: "The call is a fault, and the operation is denied; `deny` and `note` record a text that says nothing.",
  *check(file) {
    for (const { node, helper } of file.helperCalls) {
      const signature = Object.hasOwn(SIGNATURES, helper) ? SIGNATURES[helper]! : null;
      if (signature === null || node.arguments.some(({ type }) => type === "SpreadElement")) continue;
      const wrong = missing(node, helper, signature) ?? mistaken(file, node, helper, signature);
      if (wrong !== null) yield wrong;
    }
  },
};

function missing(node: CallExpression, helper: string, { least }: Signature): Complaint | null {
  const given = node.arguments.length;
  if (given >= least) return null;
  const takes = `takes ${least} argument${least === 1 ? "" : "s"}`;
  return {
    node,
    message: `\`${helper}\` ${takes}, and has ${given}`,
    remedy: "give it what types/countersign.d.ts says",
  };
}

function mistaken(file: PolicyFile, node: CallExpression, helper: string, signature: Signature): Complaint | null {
  for (const [index, parameter] of signature.parameters.entries()) {
    const given = node.arguments[index]!;
    if (typeof parameter !== "string") {
      if (given.type !== "Literal" || parameter.includes(String(given.value))) continue;
      const meant = didYouMean(String(given.value), parameter);
      const message = `${file.quote(given)} is not what \`${helper}\` takes here${meant}`;
      return { node: given, message, remedy: `write one of ${parameter.join(", ")}` };
    }
    if (parameter === "any") continue;
    const kinds: readonly ValueKind[] = [...file.values.of(given)];
    const accepted = ACCEPTED[parameter]!;
    if (kinds.length === 0 || kinds.some((kind) => kind === "unknown" || accepted.includes(kind))) continue;
    const message = `${file.quote(given)} is not ${WORDS[parameter]}, which \`${helper}\` takes here`;
    return { node: given, message, remedy: "give it what types/countersign.d.ts says" };
  }
  return null;
}

export const DENY_ERRNO: Rule = {
  code: "LINT_DENY_ERRNO",
  severity: "error",
  summary: 'an errno of `deny` that is not a positive number: `deny("unsigned", -EPERM)`',
  consequence: "`deny` throws, so the policy has a fault: the operation is denied without this errno and reason.",
  fixes: true,
  *check(file) {
    for (const { node, helper } of file.helperCalls) {
      const errno = node.arguments[1];
      const [reason] = node.arguments;
      if (helper !== "deny" || errno === undefined || reason === undefined || reason.type === "SpreadElement") continue;
      // LINT_HELPER_ARGUMENTS reports a reason that is none, such as in the wrong order.
      if (![...file.values.of(reason)].some((kind) => kind === "string" || kind === "unknown")) continue;
      const kinds = [...file.values.of(errno)];
      // 0 and an unknown number can be an errno in some cases.
      const isWrong = (kind: string) => !/^(?:unknown|positive|magnitude|number|undefined)$/.test(kind);
      if (kinds.length === 0 || !kinds.every(isWrong)) continue;
      const message = `\`deny\` takes a positive errno, and ${file.quote(errno)} is not one: that is a fault`;
      const isNegated =
        errno.type === "UnaryExpression" && errno.operator === "-" && file.values.isOnly(errno, "negative");
      const isVerdict = file.values.isOnly(errno, "verdict", "negative");
      const remedy = isNegated
        ? "remove the `-`"
        : isVerdict
          ? `write \`-${file.text(errno)}\``
          : "give an errno such as EPERM";
      const fix = isNegated ? [{ start: errno.start, end: errno.argument.start, text: "" }] : undefined;
      yield { node: errno, message, remedy, ...(fix === undefined ? {} : { fix }) };
    }
  },
};

/** Helpers that only have a result, with what is lost if it is dropped. */
const RESULT_ONLY: ReadonlySet<string> = new Set(
  "verify_signature verify_program statement_of signer_of hash map_lookup read".split(" "),
);

export const UNUSED_RESULT: Rule = {
  code: "LINT_UNUSED_RESULT",
  severity: "error",
  summary: 'a helper whose result nothing uses: `verify_program(prog, "platform");`',
  consequence: "A verification whose result is dropped denies nothing.",
  *check(file) {
    for (const node of droppedValues(file.unit.source, file.unit.variables).expressions) {
      const call: AnyNode = node.type === "ChainExpression" ? node.expression : node;
      const helper = file.helperOf(call);
      if (helper === null || !RESULT_ONLY.has(helper)) continue;
      const denies = helper.startsWith("verify") ? ": a failed verification denies nothing" : "";
      yield {
        node,
        message: `the result of \`${helper}\` is not used${denies}`,
        remedy: "use the result, or remove the call",
      };
    }
  },
};
