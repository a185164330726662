import { hash } from "node:crypto";
import type { Config } from "../../config/config.js";
import { readMapSchema } from "../../config/map-schema.js";
import { decidedBy } from "../../engine/decision/decided-by.js";
import { FileCache } from "../../engine/load/file-cache.js";
import { Keyrings } from "../../engine/load/keyrings.js";
import { Loader } from "../../engine/load/loader.js";
import { CountersignError } from "../../error.js";
import type { DecidedBy, PolicyOfRecord } from "../../log/input-records.js";
import { AttachmentIndex } from "../../policy/attachment-index.js";
import { Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { PolicyMap } from "../../policy/maps/map.js";
import { MapSchema } from "../../policy/maps/map-schema.js";
import { OwnKeyrings } from "./own-keyrings.js";
import { withinBounds } from "./recorded-limits.js";
import { ReplayedAttachment } from "./replayed-attachment.js";
import type { Tracer } from "./tracer.js";

/** A configuration that recorded decisions are made by again. */
export class ReplayedConfiguration {
  readonly attachments: readonly ReplayedAttachment[];
  readonly index: AttachmentIndex;
  readonly domains = new Map<string, Domain>();
  /** The keyrings by which the present decision was recorded, with the SHA-256 of each. */
  recordedKeyrings: DecidedBy["keyrings"] = {};

  #watching: ReplayedConfiguration | null = null;

  private constructor(
    readonly decidedBy: DecidedBy,
    private readonly policies: ReadonlyMap<string, LinkedPolicy>,
    /** The maps of files; null for a recorded configuration, of whose maps only look-ups are known. */
    private readonly maps: ReadonlyMap<string, PolicyMap> | null,
    private readonly own: OwnKeyrings | null = null,
    tracer: Tracer | null = null,
    recordsReads = tracer !== null,
  ) {
    const { keyrings, attachments } = decidedBy;
    const known = {
      own,
      keyrings: new Set(Object.keys(keyrings)),
      maps: new Set(Object.keys(decidedBy.maps)),
      schemas: schemasOf(decidedBy),
      mapValue: (map: string, key: string) => {
        const its = decidedBy.maps[map]?.writable === null ? maps?.get(map) : undefined;
        return its?.get(key);
      },
      isRecordedKeyring: (name: string) => keyrings[name]?.sha256 === this.recordedKeyrings[name]?.sha256,
    };
    this.attachments = attachments.map((attachment) => {
      const options = { keyrings: known.keyrings, recordsReads, asksHost: tracer !== null };
      const domain = this.domains.get(attachment.domain) ?? new Domain(options);
      this.domains.set(attachment.domain, domain);
      return new ReplayedAttachment(attachment, policies.get(attachment.policy)!, domain, known, tracer);
    });
    this.index = new AttachmentIndex(this.attachments);
  }

  /**
   * The configuration of a log. Throws LOG_DAMAGED if a policy is not there, or is not the text of its digest, if a
   * limit is not a finite number, or if the schema of a map is none.
   */
  static recorded(content: DecidedBy, tracer: Tracer | null = null): ReplayedConfiguration {
    const policies = Object.entries(content.policies).map(([digest, policy]) => {
      const its = linked(digest, policy);
      return [digest, tracer?.traced(its, policy) ?? its] as const;
    });
    const known = new Map(policies);
    const incomplete = content.attachments.find(({ policy }) => !known.has(policy));
    if (incomplete !== undefined) throw damaged(`has no text of the policy of \`${incomplete.name}\``);
    const attachments = content.attachments.map(withinBounds);
    return new ReplayedConfiguration({ ...content, attachments }, known, null, null, tracer);
  }

  /** A configuration with its files. Throws as opening an engine does. */
  static fromFiles(config: Config): ReplayedConfiguration {
    const files = new FileCache(null);
    const loader = new Loader(config, files);
    const policies = config.attachments.map((attachment) => loader.policy(attachment));
    const naming = config.attachments.map(({ name, domain }, number) => {
      return { name, domain, names: policies[number]!.names };
    });
    const maps = loader.maps(naming);
    const keyrings = new Keyrings(config.keyrings);
    const content = decidedBy(config, policies, keyrings.digests(), files.texts);
    const own = new OwnKeyrings(keyrings, config);
    const byDigest = new Map(policies.map((policy) => [policy.digest, policy]));
    return new ReplayedConfiguration(content, byDigest, maps, own);
  }

  /**
   * The same configuration, whose policies are told apart by what they read: they are slower, and take more steps.
   */
  get watching(): ReplayedConfiguration {
    this.#watching ??= new ReplayedConfiguration(this.decidedBy, this.policies, this.maps, this.own, null, true);
    this.#watching.recordedKeyrings = this.recordedKeyrings;
    return this.#watching;
  }

  close(): void {
    this.#watching?.close();
    for (const domain of this.domains.values()) domain.close();
  }
}

/** A policy of a log has no places: a replay does not compare them, and linking its files takes long. */
function linked(digest: string, { file, source, hooks, blind }: PolicyOfRecord): LinkedPolicy {
  if (source === null) throw damaged(`the text of policy \`${file}\`, which was too long for the log`);
  if (hash("sha256", source) !== digest) throw damaged(`has another text of policy \`${file}\` than its digest says`);
  return { file, source, digest, hooks, blind, names: [], warnings: [], points: [], files: [], locate: () => file };
}

function schemasOf({ maps }: DecidedBy): ReadonlyMap<string, MapSchema> {
  const schemas = new Map<string, MapSchema>();
  for (const [name, { schema }] of Object.entries(maps)) {
    if (schema === undefined) continue;
    const rules = readMapSchema(schema);
    if (rules === null) throw damaged(`has a schema of map \`${name}\` that is none`);
    schemas.set(name, new MapSchema(rules));
  }
  return schemas;
}

function damaged(what: string): CountersignError {
  return new CountersignError("LOG_DAMAGED", what, { remedy: "name a log that was not changed" });
}
