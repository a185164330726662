import { dirname, posix, resolve } from "node:path";
import type { AnyNode } from "acorn";
import { MAX_POLICY, refuseLeaving } from "../../engine/load/policy-path.js";
import { VOCABULARY } from "../../engine/load/vocabulary.js";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import { readText } from "../../input.js";
import { type LinkedPolicy, linkUnits } from "../../policy/linker/linker.js";
import { SUBJECTS } from "../../policy/model/facts.gen.js";
import { configuredArgument } from "../../policy/model/guest.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { hookParameters } from "../../policy/units/fact-flow.js";
import { readUnits, type Unit } from "../../policy/units/units.js";
import type { Finding } from "./model/finding.js";
import { PolicyFile } from "./model/policy-file.js";
import { ofError, ofWarning } from "./reported.js";
import { POLICY_RULES } from "./rules.js";

/** What is known about a policy from outside its files. */
export interface Surroundings {
  /** Facts that can be null, and are not for any attachment of the policy: `Current.container`. */
  readonly guaranteed: ReadonlySet<string>;
  /** Keys of labels in scopes and tests. */
  readonly labels: ReadonlySet<string>;
  /** Whether a scan shall be able to tell what the policy decides. */
  readonly forScan: boolean;
}

export interface LintedPolicy {
  readonly findings: readonly Finding[];
  /** Null if it cannot be linked. */
  readonly linked: LinkedPolicy | null;
  /** The files of the policy that could be read and parsed. */
  readonly units: readonly Unit[];
  /** Kinds of names that the policy does not give as literals. */
  readonly open: ReadonlySet<"keyring" | "map">;
  /** Maps that the policy looks digests of its subject up in. */
  readonly digestMaps: ReadonlySet<string>;
}

const NOTHING: Omit<LintedPolicy, "findings"> = {
  linked: null,
  units: [],
  open: new Set(["keyring", "map"] as const),
  digestMaps: new Set(),
};

/**
 * Checks one policy with the files that it imports. `path` is relative to the working directory, with slashes; findings
 * name files in the same way. Throws FILE_UNREADABLE and FILE_TOO_LARGE for the policy's own file.
 */
export function lintPolicy(path: string, surroundings: Surroundings): LintedPolicy {
  const texts = new Map([[path, readText(path, MAX_POLICY)]]);
  const read = (name: string): string => {
    if (name !== path) refuseLeaving(dirname(resolve(path)), resolve(name), name);
    const text = texts.get(name) ?? readText(name, MAX_POLICY);
    texts.set(name, text);
    return text;
  };
  const time = new LinkTime(path);
  let units: readonly Unit[];
  try {
    units = readUnits(path, { read, root: posix.dirname(path) }, time);
  } catch (error) {
    return { ...NOTHING, findings: [ofError(error)] };
  }
  const findings: Finding[] = [];
  const linked = attempt(findings, () =>
    linkUnits(path, units, { hookNames: HOOK_NAMES, vocabulary: VOCABULARY }, time),
  );
  findings.push(...(linked?.warnings ?? []).map((warning) => ofWarning(warning)));
  const hooks = [...units.at(-1)!.exports.keys()].filter((name) => Object.hasOwn(SUBJECTS, name));
  const parameters = hookParameters(units, hooks, SUBJECTS);
  const { guaranteed, labels, forScan } = surroundings;
  const names = hooksByFunction(units, hooks as readonly HookName[]);
  const files = units.map(
    (unit) => new PolicyFile(unit, parameters.get(unit) ?? new Map(), guaranteed, labels, names, forScan),
  );
  for (const file of files) attempt(findings, () => time.linear(() => findings.push(...complaintsOf(file))));
  return { findings, linked, units, open: openNames(files), digestMaps: digestMapsOf(files) };
}

/** The hooks of each function: one function can have several names. */
function hooksByFunction(
  units: readonly Unit[],
  hooks: readonly HookName[],
): ReadonlyMap<AnyNode, readonly HookName[]> {
  const found = new Map<AnyNode, readonly HookName[]>();
  for (const hook of hooks)
    for (const parameters of hookParameters(units, [hook], SUBJECTS).values())
      for (const node of parameters.keys()) found.set(node, [...(found.get(node) ?? []), hook]);
  return found;
}

/** The result, or null and a finding if it is rejected. */
function attempt<T>(findings: Finding[], act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    findings.push(ofError(error));
    return null;
  }
}

function complaintsOf(file: PolicyFile): Finding[] {
  const { source } = file.unit;
  return POLICY_RULES.flatMap((rule) => {
    const { code, severity } = rule;
    try {
      return Array.from(rule.check(file), ({ node, message, remedy, fix }): Finding => {
        const place = source.lines.positionAt(node.start);
        return { code, severity, message, file: source.file, ...place, remedy, fix: fix ?? null };
      });
    } catch (error) {
      // An expression that is nested too deeply for the stack: a rule does not report what it cannot read.
      if (error instanceof RangeError && !(error instanceof CountersignError)) return [];
      throw error;
    }
  });
}

function openNames(files: readonly PolicyFile[]): ReadonlySet<"keyring" | "map"> {
  const open = new Set<"keyring" | "map">();
  for (const file of files) {
    const called = new Set(file.helperCalls.map(({ node }) => node.callee));
    for (const { node, helper } of file.helperCalls) {
      const wanted = configuredArgument(helper);
      if (wanted === null) continue;
      const given = node.arguments[node.arguments.length === 2 ? (wanted.ofTwo ?? wanted.argument) : wanted.argument];
      if (given?.type !== "Literal") open.add(wanted.kind);
    }
    // A helper that is passed on as a value can get any name.
    for (const node of file.nodes("Identifier")) {
      const variable = file.unit.variables.meant(node);
      const isTopLevel = variable !== undefined && file.unit.variables.topLevel(node.name) === variable;
      const helper = isTopLevel ? file.unit.bindings.guest.get(node.name) : undefined;
      if (helper === undefined || called.has(node)) continue;
      const wanted = helper === "*" ? null : configuredArgument(helper);
      if (helper === "*") for (const kind of ["keyring", "map"] as const) open.add(kind);
      if (wanted !== null) open.add(wanted.kind);
    }
  }
  return open;
}

function digestMapsOf(files: readonly PolicyFile[]): ReadonlySet<string> {
  const maps = new Map<string, boolean>();
  for (const file of files)
    for (const { node, helper } of file.helperCalls) {
      const [map, key] = node.arguments;
      if (!helper.startsWith("map_") || map?.type !== "Literal" || key === undefined) continue;
      const isDigest =
        key.type === "MemberExpression" &&
        key.property.type === "Identifier" &&
        key.property.name === "digest" &&
        file.flow.kindOf(key.object) !== null;
      maps.set(String(map.value), isDigest && maps.get(String(map.value)) !== false);
    }
  return new Set([...maps].filter(([, isDigest]) => isDigest).map(([name]) => name));
}
