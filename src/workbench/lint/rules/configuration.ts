import { isDeepStrictEqual } from "node:util";
import type { AttachmentConfig } from "../../../config/attachments.js";
import type { Config } from "../../../config/config.js";
import { didYouMean } from "../../../nearest.js";
import type { LiteralMapKey } from "../../../policy/linker/map-keys.js";
import type { ConfiguredName } from "../../../policy/linker/names.js";
import { Glob } from "../../../policy/scope/glob.js";
import { Selector } from "../../../policy/scope/selector.js";
import { MOST_COMM } from "../../../policy/scope/task-condition.js";
import type { RuleText } from "../model/rule.js";

/** A mistake in a configuration; `place` is `file:line:column`, or only a file. */
export interface ConfigComplaint {
  readonly rule: RuleText;
  readonly place: string;
  readonly message: string;
  readonly remedy: string;
}

export const SCOPE_NEVER_MATCHES: RuleText = {
  code: "LINT_SCOPE_NEVER_MATCHES",
  severity: "error",
  summary: 'an attachment that no task can be in scope of: `labels: "tier=edge, tier=prod"`, a `comm` of 20 characters',
  consequence: "The policy is never asked, except about tasks whose labels or executable are unknown.",
};

/** Attachments that no task is in scope of, as far as what scopes test is known. */
export function* neverInScope({ attachments }: Pick<Config, "attachments">): Iterable<ConfigComplaint> {
  for (const { name, place, scope } of attachments) {
    const reasons = [...reasonsOf(scope)];
    for (const [why, remedy] of reasons)
      yield { rule: SCOPE_NEVER_MATCHES, place, message: `no task is in the scope of \`${name}\`: ${why}`, remedy };
  }
}

function* reasonsOf({
  labels,
  container,
  exe,
  comm,
}: AttachmentConfig["scope"]): Iterable<[why: string, remedy: string]> {
  if (labels !== undefined) {
    const key = Selector.parse(labels).contradiction;
    if (key !== null)
      yield [`\`labels\` contradicts itself about \`${key}\``, "list the values of a label as `key in (a, b)`"];
    if (container === false)
      yield ["only containers have labels, and `container` is false", "remove one of them, or attach the policy twice"];
  }
  if (exe?.every((pattern) => !/^(?:\/|\*\*)/.test(pattern)))
    yield [
      "`exe` is compared with a whole path, which begins with `/`",
      "write the whole path, or `**/` before the name",
    ];
  if (comm?.every((pattern) => new Glob(pattern).least > MOST_COMM))
    yield [
      `the kernel cuts \`comm\` to ${MOST_COMM} characters`,
      `shorten it to ${MOST_COMM} characters, or end it with \`*\``,
    ];
}

export const DUPLICATE_ATTACHMENT: RuleText = {
  code: "LINT_DUPLICATE_ATTACHMENT",
  severity: "warning",
  summary: "an attachment that repeats another: the same policy, hooks, mode and scope",
  consequence: "Each decision takes longer, and nothing else changes.",
};

export function* repeated({ attachments }: Pick<Config, "attachments">): Iterable<ConfigComplaint> {
  const firsts = new Map<string, AttachmentConfig[]>();
  for (const attachment of attachments) {
    const { policy, name, place } = attachment;
    const others = firsts.get(policy) ?? [];
    const same = others.find((other) => isDeepStrictEqual(effectOf(other), effectOf(attachment)));
    if (same === undefined) firsts.set(policy, [...others, attachment]);
    else {
      const message = `\`${name}\` attaches the same policy to the same hooks and scope as \`${same.name}\``;
      yield {
        rule: DUPLICATE_ATTACHMENT,
        place,
        message,
        remedy: "remove one of them, or give it the scope that is meant",
      };
    }
  }
}

function effectOf({ hooks, mode, scope, domain, onFault, delegate, freeze }: AttachmentConfig): unknown {
  return { hooks, mode, scope, domain, onFault, delegate, freeze };
}

/** What the policies of a configuration name. */
export interface NamedByPolicies {
  readonly names: readonly ConfiguredName[];
  /** Kinds of names that a policy computes or takes from elsewhere, so that it can use any of them. */
  readonly open: ReadonlySet<ConfiguredName["kind"]>;
}

export const UNUSED_NAME: RuleText = {
  code: "LINT_UNUSED_NAME",
  severity: "warning",
  summary: "a keyring or map that no policy names",
  consequence: "A reader takes it for one that decides.",
};

export function* unusedNames(config: Config, { names, open }: NamedByPolicies): Iterable<ConfigComplaint> {
  const used = (kind: string) => new Set(names.filter((one) => one.kind === kind).map(({ name }) => name));
  const keyrings = new Set([...used("keyring"), ...Object.values(config.gate.keyrings)]);
  const maps = used("map");
  const all = [
    ...(open.has("keyring") ? [] : config.keyrings.filter(({ name }) => !keyrings.has(name))).map(
      (one) => ["keyring", one] as const,
    ),
    ...(open.has("map") ? [] : config.maps.filter(({ name }) => !maps.has(name))).map((one) => ["map", one] as const),
  ];
  for (const [kind, { name, place }] of all)
    yield {
      rule: UNUSED_NAME,
      place,
      message: `no policy names the ${kind} \`${name}\``,
      remedy: "remove it, or correct the name in the policy that should use it",
    };
}

export const MAP_KEY_MISSING: RuleText = {
  code: "LINT_MAP_KEY_MISSING",
  severity: "warning",
  summary:
    'a key that the map\'s file does not have: `map_lookup("limits", "max")`, and no policy may write to the map',
  consequence: "The look-up never finds anything, so the rule that depends on it never applies.",
};

/** Keys that are looked up in a map with entries, of which it has none. `entries` has the keys of maps by name. */
export function* missingKeys(
  keys: readonly LiteralMapKey[],
  entries: ReadonlyMap<string, readonly string[]>,
): Iterable<ConfigComplaint> {
  for (const { map, key, place } of keys) {
    const its = entries.get(map) ?? [];
    // An empty map may be filled in later
    if (its.length === 0 || its.includes(key)) continue;
    const message = `the map \`${map}\` has no entry \`${key}\`${didYouMean(key, its)}`;
    yield { rule: MAP_KEY_MISSING, place, message, remedy: "correct the key, or add an entry to the map's file" };
  }
}

export const MAP_DIGEST_KEY: RuleText = {
  code: "LINT_MAP_DIGEST_KEY",
  severity: "error",
  summary: "a map that policies look digests up in, with a key that is no digest",
  consequence: "The key is never looked up, so its entry has no effect.",
};

const DIGEST = /^[0-9a-f]{64}$/;

/** Keys of a map's file that no digest equals. `text` is that of the file. */
export function* digestKeys(file: string, text: string, keys: readonly string[]): Iterable<ConfigComplaint> {
  for (const key of keys) {
    if (DIGEST.test(key)) continue;
    const before = text.slice(0, Math.max(0, text.indexOf(key))).split("\n");
    const place = `${file}:${before.length}:${before.at(-1)!.length + 1}`;
    const isUpper = DIGEST.test(key.toLowerCase());
    const shown = key.length > 20 ? `${key.slice(0, 19)}…` : key;
    const message = `\`${shown}\` is looked up as a digest, and is not 64 lower-case hex digits: it is never found`;
    yield {
      rule: MAP_DIGEST_KEY,
      place,
      message,
      remedy: isUpper ? "write it in lower case" : "copy the digest from `countersign inspect`",
    };
  }
}
