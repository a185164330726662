import { dirname, posix, relative, resolve, sep } from "node:path";
import type { AttachmentConfig } from "../../config/attachments.js";
import type { Config, MapConfig } from "../../config/config.js";
import { checkMapFile, MAX_MAP, readMapFile } from "../../config/mapfile.js";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES } from "../../hooks/catalogue.js";
import { didYouMean } from "../../nearest.js";
import { type LinkedPolicy, linkPolicy } from "../../policy/linker/linker.js";
import type { ConfiguredName } from "../../policy/linker/names.js";
import { PolicyMap } from "../../policy/maps/map.js";
import { MapSchema } from "../../policy/maps/map-schema.js";
import type { Files } from "../../policy/units/units.js";
import type { Warning } from "../../warning.js";
import type { FileCache } from "./file-cache.js";
import type { LinkCache } from "./link-cache.js";
import { mapWriters, type NamingAttachment } from "./map-writers.js";
import { MAX_POLICY, refuseLeaving } from "./policy-path.js";
import { VOCABULARY } from "./vocabulary.js";

/** Milliseconds: a policy that takes longer to link is not cached. */
const LONG = 1000;

/** A policy's own file, and how that and those that it imports are read. */
export interface PolicyFiles {
  readonly file: string;
  readonly files: Files;
}

/**
 * Reads the policies and maps that a configuration names. Every error says which part of the configuration names the
 * file.
 */
export class Loader {
  private readonly folder: string;
  private readonly linked = new Map<string, LinkedPolicy>();
  /** The keyrings and maps that policies can name. */
  private readonly known: KnownNames;

  constructor(
    private readonly config: Config,
    private readonly files: FileCache,
    private readonly cache: LinkCache | null = null,
    private readonly marksPoints = false,
  ) {
    this.folder = dirname(resolve(config.file));
    this.known = knownNames(config);
  }

  /** Warnings about the linked policies, once for each policy. */
  get warnings(): Warning[] {
    return [...this.linked.values()].flatMap(({ warnings }) => warnings);
  }

  /** The maps, with the attachments that may write to each. Throws MAP_INVALID, FILE_UNREADABLE, CONFIG_INVALID. */
  maps(attachments: readonly NamingAttachment[]): Map<string, PolicyMap> {
    const { maps } = this.config;
    const schemas = new Map(
      maps.map(({ name, schema }) => [name, schema === undefined ? null : new MapSchema(schema)]),
    );
    const entries = new Map(
      maps.map((map) => [map.name, blaming(map, () => this.entries(map, schemas.get(map.name) ?? null))]),
    );
    return new Map(
      maps.map((map) => {
        const { name, writable } = map;
        const writers = mapWriters(map, attachments);
        return [name, new PolicyMap(name, entries.get(name) ?? {}, writable, writers, schemas.get(name))];
      }),
    );
  }

  /**
   * An attachment's policy, linked only once if several attachments use it. Throws POLICY_SYNTAX, POLICY_FORBIDDEN,
   * POLICY_UNKNOWN_HOOK, POLICY_NO_HOOK, POLICY_UNKNOWN_NAME, CONFIG_INVALID, FILE_UNREADABLE.
   */
  policy(attachment: AttachmentConfig): LinkedPolicy {
    return blaming(attachment, () => {
      let policy = this.linked.get(attachment.policy);
      if (policy === undefined) {
        policy = this.link(attachment.policy);
        this.checkNames(policy);
        this.linked.set(attachment.policy, policy);
      }
      checkHooks(attachment, policy);
      return policy;
    });
  }

  /**
   * The files of a policy, which messages and reasons name by their paths relative to the configuration, with slashes.
   * Reading throws FILE_UNREADABLE, FILE_TOO_LARGE and POLICY_FORBIDDEN.
   */
  source(path: string): PolicyFiles {
    const file = relative(this.folder, path).split(sep).join("/");
    const read = (name: string) => {
      const its = resolve(this.folder, name);
      return this.files.text(its, MAX_POLICY, () => {
        if (name !== file) refuseLeaving(dirname(path), its, name);
      });
    };
    return { file, files: { read, root: posix.dirname(file) } };
  }

  private link(path: string): LinkedPolicy {
    const { file, files } = this.source(path);
    const texts = new Map<string, string>();
    const read = (name: string) => {
      const text = files.read(name);
      texts.set(name, text);
      return text;
    };
    const marksFor = this.marksPoints ? ("coverage" as const) : undefined;
    const options = { ...files, read, hookNames: HOOK_NAMES, vocabulary: VOCABULARY, marksFor };
    const link = () => linkPolicy(file, options);
    const known = this.cache?.find(file, read, link) ?? null;
    if (known !== null) return known;
    texts.clear();
    const start = performance.now();
    const policy = link();
    // Finding the place of a fault links a cached policy again, during a decision, so this must be fast
    if (performance.now() - start < LONG) this.cache?.add(file, texts, policy);
    return policy;
  }

  private entries({ file }: MapConfig, schema: MapSchema | null): Readonly<Record<string, unknown>> {
    if (file === null) return {};
    const text = this.files.text(file, MAX_MAP);
    const entries = readMapFile(file, text);
    if (schema !== null) checkMapFile(schema, file, text, entries);
    return entries;
  }

  private checkNames(policy: LinkedPolicy): void {
    const [unknown] = unknownNames(policy.names, this.known);
    if (unknown !== undefined) throw unknown;
  }
}

/** The keyrings and maps of a configuration. */
export type KnownNames = Readonly<Record<ConfiguredName["kind"], ReadonlySet<string>>>;

export function knownNames({ keyrings, maps }: Pick<Config, "keyrings" | "maps">): KnownNames {
  return { keyring: new Set(keyrings.map(({ name }) => name)), map: new Set(maps.map(({ name }) => name)) };
}

/** An error POLICY_UNKNOWN_NAME for each name that is not configured. */
export function unknownNames(names: readonly ConfiguredName[], known: KnownNames): CountersignError[] {
  return names.flatMap(({ kind, name, place }) => {
    if (known[kind].has(name)) return [];
    const message = `names the ${kind} \`${name}\`, which is not configured${didYouMean(name, known[kind])}`;
    const remedy = `add it under \`${kind}s\`, or correct the policy`;
    return [new CountersignError("POLICY_UNKNOWN_NAME", message, { place, remedy })];
  });
}

function checkHooks({ hooks, name }: AttachmentConfig, policy: LinkedPolicy): void {
  const missing = hooks?.find((hook) => !policy.hooks.includes(hook));
  if (missing === undefined) return;
  throw new CountersignError(
    "CONFIG_INVALID",
    `\`${name}\` is attached to ${missing}, which its policy does not export`,
    {
      place: policy.file,
      remedy: `attach it to ${policy.hooks.join(", ")}, or export ${missing}`,
    },
  );
}

function blaming<T>({ place }: { place: string }, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw error instanceof CountersignError ? error.within(place) : error;
  }
}
