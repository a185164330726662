import { existsSync } from "node:fs";
import type { AttachmentConfig } from "../../config/attachments.js";
import { labelKeysOf, readCases } from "../../config/cases.js";
import type { Config } from "../../config/config.js";
import { testFile } from "../../config/test-file.js";
import { nearest } from "../../nearest.js";
import { Selector } from "../../policy/scope/selector.js";
import type { Warning } from "../../warning.js";

/**
 * Warns of label keys in scopes that are probably misspelt. A key is known if another scope, a test, a map or a policy
 * mentions it. An unknown key gets a warning if a known key is similar to it, or if the tests beside the attachment's
 * policy have labels but never this one. Users choose their own keys, so there is no warning otherwise. `texts` are
 * those of policies and maps.
 */
export function labelWarnings({ attachments }: Pick<Config, "attachments">, texts: Iterable<string>): Warning[] {
  const scoped = attachments.flatMap((attachment) => {
    const { labels } = attachment.scope;
    return labels === undefined ? [] : [{ attachment, keys: new Set(Selector.parse(labels).keys) }];
  });
  if (scoped.length === 0) return [];
  const uses = new Map<string, number>();
  for (const { keys } of scoped) for (const key of keys) uses.set(key, (uses.get(key) ?? 0) + 1);
  const once = [...uses].filter(([, count]) => count === 1).map(([key]) => key);
  if (once.length === 0) return [];
  const written = [...texts];
  const mentioned = new Set(once.filter((key) => written.some((text) => mentions(text, key))));
  const suspects = once.filter((key) => !mentioned.has(key));
  if (suspects.length === 0) return [];

  const tests = new Map(attachments.map(({ policy }) => [policy, labelsOfTests(policy)]));
  const tested = new Set([...tests.values()].flatMap((keys) => [...keys]));
  const unknown = new Set(suspects.filter((key) => !tested.has(key)));
  const known = [...uses.keys(), ...tested, ...written.flatMap(labelsRead)].filter((key) => !unknown.has(key));
  return scoped.flatMap(({ attachment, keys }) =>
    [...keys].flatMap((key) => {
      if (!unknown.has(key)) return [];
      const meant = nearest(key, [...known, ...[...unknown].filter((other) => other !== key && other.length > SHORT)]);
      return meant !== null || tests.get(attachment.policy)!.size > 0 ? [warningOf(attachment, key, meant)] : [];
    }),
  );
}

/** Short keys such as `app` and `api` are often similar without being misspelt. */
const SHORT = 3;

function warningOf({ name, place }: AttachmentConfig, key: string, meant: string | null): Warning {
  const suggestion = meant === null ? "" : ` (did you mean \`${meant}\`?)`;
  return {
    code: "SCOPE_UNKNOWN_LABEL",
    message:
      `the scope of \`${name}\` has the label \`${key}\`, which no other scope, test, map or policy ` +
      `has${suggestion}`,
    place,
    remedy: "correct the label, or add a test case with this label",
  };
}

/** Whether a text contains a key as a whole word. */
function mentions(text: string, key: string): boolean {
  for (let at = text.indexOf(key); at !== -1; at = text.indexOf(key, at + 1))
    if (!WORD.test(text[at - 1] ?? " ") && !WORD.test(text[at + key.length] ?? " ")) return true;
  return false;
}

const WORD = /[-\w/]/;

/** Labels that a policy reads: `labels.tier`, `labels?.["tier"]`. */
function labelsRead(text: string): string[] {
  const reads = text.matchAll(/\blabels\s*(?:\?\.|\.)?\s*(?:\[\s*["']([^"'\n]+)["']|(?<=\.\s*)(\w+))/g);
  return Array.from(reads, ([, quoted, name]) => quoted ?? name!);
}

/**
 * The label keys in the tests beside a policy. Tests that cannot be read are ignored here; `countersign test` reports
 * them.
 */
export function labelsOfTests(policy: string): ReadonlySet<string> {
  const cases = testFile(policy);
  try {
    return existsSync(cases) ? labelKeysOf(readCases(cases)) : new Set();
  } catch {
    return new Set();
  }
}
