import { dirname } from "node:path";
import type { AttachmentConfig } from "../../config/attachments.js";
import type { Config } from "../../config/config.js";
import { readConfig } from "../../config/config.js";
import { MAX_MAP, readMapFile } from "../../config/mapfile.js";
import { Engine } from "../../engine/decision/engine.js";
import { knownNames, unknownNames } from "../../engine/load/loader.js";
import { labelsOfTests } from "../../engine/warnings/label-warnings.js";
import { CountersignError } from "../../error.js";
import { readText } from "../../input.js";
import { literalMapKeys } from "../../policy/linker/map-keys.js";
import { mapDeclarations } from "../../policy/maps/map-declarations.js";
import { Selector } from "../../policy/scope/selector.js";
import type { Unit } from "../../policy/units/units.js";
import type { Finding } from "./model/finding.js";
import { type LintedPolicy, lintPolicy } from "./policy.js";
import { ofError, ofErrors, ofWarning, placeOf, shownPath } from "./reported.js";
import {
  type ConfigComplaint,
  digestKeys,
  missingKeys,
  neverInScope,
  repeated,
  unusedNames,
} from "./rules/configuration.js";
import { schemaComplaints } from "./rules/map-schemas.js";
import { lintTest } from "./tests.js";

export interface LintedConfig {
  readonly findings: readonly Finding[];
  /** The files of its policies that could be parsed, in groups by policy. */
  readonly policies: readonly (readonly Unit[])[];
  /** What the schemas of maps say of their values, as TypeScript; empty if no map has a schema. */
  readonly declarations: string;
  /** The path of the configuration that decides beside it; null for none. */
  readonly shadow: string | null;
}

/**
 * Checks a configuration alone: none of the files that it names is read. Throws FILE_UNREADABLE and FILE_TOO_LARGE for
 * the configuration.
 */
export function checkConfig(file: string): { readonly config: Config | null; readonly findings: readonly Finding[] } {
  let config: Config;
  try {
    config = readConfig(file, "check");
  } catch (error) {
    const findings = ofErrors(error);
    if (findings.some(({ code }) => code === "FILE_UNREADABLE" || code === "FILE_TOO_LARGE")) throw error;
    return { config: null, findings };
  }
  return { config, findings: [...neverInScope(config), ...repeated(config)].map(ofComplaint) };
}

/**
 * Checks a configuration with its policies, maps, keyrings and statements, and everything that an engine checks at
 * start. Writes no log. `forScan` is that of `Surroundings`. Throws as {@link checkConfig}.
 */
export async function lintConfig(file: string, forScan: boolean): Promise<LintedConfig> {
  const { config, findings } = checkConfig(file);
  if (config === null) return { findings, policies: [], declarations: "", shadow: null };
  const all: Finding[] = [...findings];
  const known = knownNames(config);
  const labels = labelsOf(config);
  const linted = new Map<string, LintedPolicy>();
  for (const { policy, place } of config.attachments) {
    if (linted.has(policy)) continue;
    try {
      const result = lintPolicy(shownPath(policy), { labels, guaranteed: guaranteedFor(policy, config), forScan });
      linted.set(policy, result);
      all.push(...result.findings, ...lintTest(shownPath(policy)).findings);
      all.push(...unknownNames(result.linked?.names ?? [], known).map((error) => ofError(error)));
    } catch (error) {
      all.push(ofError(error instanceof CountersignError ? error.within(place) : error));
    }
  }
  all.push(...(await findingsAtStart(config)));
  const isComplete = config.attachments.every(({ policy }) => (linted.get(policy)?.linked ?? null) !== null);
  if (isComplete) all.push(...Array.from(namesFindings(config, [...linted.values()]), ofComplaint));
  const shadow = config.shadow === null ? null : shownPath(config.shadow.file);
  const declarations = config.maps.some(({ schema }) => schema !== undefined) ? mapDeclarations(config.maps) : "";
  return { findings: all, policies: [...linted.values()].map(({ units }) => units), declarations, shadow };
}

/** What an engine rejects or warns about at start. */
async function findingsAtStart(config: Config): Promise<readonly Finding[]> {
  const folder = dirname(config.file);
  try {
    const engine = await Engine.open({ ...config, log: null });
    const findings = engine.warnings.map((warning) => ofWarning(warning, folder));
    engine.close();
    return findings;
  } catch (error) {
    return ofErrors(error, folder);
  }
}

function* namesFindings(config: Config, policies: readonly LintedPolicy[]): Iterable<ConfigComplaint> {
  const names = policies.flatMap(({ linked }) => linked!.names);
  yield* unusedNames(config, { names, open: new Set(policies.flatMap(({ open }) => [...open])) });
  const readOnly = config.maps.flatMap(({ name, file, writable }) => {
    const text = file === null || writable !== null ? null : mapText(file);
    return text === null ? [] : [[name, keysOf(file!, text)] as const];
  });
  const units = policies.flatMap((one) => one.units);
  yield* missingKeys(
    units.flatMap((unit) => literalMapKeys(unit)),
    new Map(readOnly),
  );
  const schemas = new Map(config.maps.flatMap(({ name, schema }) => (schema === undefined ? [] : [[name, schema]])));
  for (const unit of new Set(units)) yield* schemaComplaints(unit, schemas);
  const isDigestMap = new Map<string, boolean>();
  for (const { linked, digestMaps } of policies)
    for (const { kind, name } of linked!.names)
      if (kind === "map") isDigestMap.set(name, digestMaps.has(name) && isDigestMap.get(name) !== false);
  for (const { name, file } of config.maps) {
    const text = file === null || isDigestMap.get(name) !== true ? null : mapText(file);
    if (file === null || text === null) continue;
    yield* digestKeys(shownPath(file), text, keysOf(file, text));
  }
}

/** The text of a map's file; null if it cannot be read. */
function mapText(file: string): string | null {
  return unlessReported(() => readText(file, MAX_MAP));
}

/** The keys of a map's file; none if it is invalid. */
function keysOf(file: string, text: string): readonly string[] {
  return Object.keys(unlessReported(() => readMapFile(file, text)) ?? {});
}

/** What `read` returns; null if it throws an error that is a finding, which the engine reports at its start. */
function unlessReported<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    ofError(error); // throws what is no finding
    return null;
  }
}

function labelsOf({ attachments }: Config): ReadonlySet<string> {
  const scoped = attachments.flatMap(({ scope }) =>
    scope.labels === undefined ? [] : Selector.parse(scope.labels).keys,
  );
  return new Set([...scoped, ...attachments.flatMap(({ policy }) => [...labelsOfTests(policy)])]);
}

/** Facts that can be null, but not for a task in the scope of any attachment of a policy. */
function guaranteedFor(policy: string, { attachments }: Config): ReadonlySet<string> {
  const own = attachments.filter((attachment) => attachment.policy === policy);
  return new Set(own.every(isForContainers) ? ["Current.container"] : []);
}

function isForContainers({ scope }: AttachmentConfig): boolean {
  return scope.labels !== undefined || (scope.container !== undefined && scope.container !== false);
}

function ofComplaint({ rule: { code, severity }, place, message, remedy }: ConfigComplaint): Finding {
  return { code, severity, message, ...placeOf(place, "."), remedy, fix: null };
}
