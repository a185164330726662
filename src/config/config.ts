import { dirname, resolve } from "node:path";
import { CountersignError } from "../error.js";
import { HOOK_NAMES, HOOKS, type HookDefault, type HookName } from "../hooks/catalogue.js";
import type { Origin } from "../hooks/decision.js";
import { readText } from "../input.js";
import { didYouMean } from "../nearest.js";
import type { PathPlaces } from "../path-places.js";
import type { MapSchemaRules } from "../policy/maps/map-schema.js";
import type { MapLimits } from "../policy/maps/map-size.js";
import type { Mode } from "../policy/model/mode.js";
import { type AttachmentConfig, AttachmentReader } from "./attachments.js";
import { Document, type Path } from "./document.js";
import { validated } from "./issue.js";
import { type KeyringConfig, keyringConfig, SEALED_IF_UNSET } from "./keyring.js";
import { Problems } from "./problems.js";
import { type ConfigInput, SCHEMA } from "./schema.js";
import { type SealConfig, sealConfig } from "./seal-rules.js";
import { type ShadowFile, shadowOf } from "./shadow.js";
import { bytes, milliseconds } from "./units.js";

/**
 * A configuration that has been read and checked, except for the contents of the files that it names. It is plain data,
 * so that it can be sent to another thread. Paths are absolute. Each part holds its place in the file, for errors that
 * are found later.
 */
export interface Config {
  readonly file: string;
  /** The part of Countersign that decides by this configuration; it is in each record of the decision log. */
  readonly origin: Origin;
  /** `audit` is a dry run, which denies nothing. */
  readonly mode: Mode;
  readonly default: Readonly<Record<HookName, HookDefault>>;
  readonly keyrings: readonly KeyringConfig[];
  readonly maps: readonly MapConfig[];
  readonly attachments: readonly AttachmentConfig[];
  readonly signatures: readonly string[];
  readonly pathPlaces: PathPlaces;
  readonly log: LogConfig | null;
  /** The file of {@link shadow}; null for none. */
  readonly shadowFile: ShadowFile | null;
  /** Decides beside this configuration, without effect. Null for none, and as long as only this file is parsed. */
  readonly shadow: Config | null;
  readonly sandbox: SandboxConfig;
  readonly gate: GateConfig;
  readonly seal: SealConfig;
}

export interface MapConfig {
  readonly name: string;
  readonly place: string;
  readonly file: string | null;
  readonly writable: MapLimits | null;
  /** Names of attachments and domains that may write. Null means the one domain whose policies name the map. */
  readonly writers: readonly string[] | null;
  /** What its entries must be; anything if absent. */
  readonly schema?: MapSchemaRules;
  /** `stop`: an agent does not start if kept entries break {@link schema}. They are given up if absent. */
  readonly onInvalid?: "reset" | "stop";
}

export interface LogConfig {
  readonly file: string;
  /** In bytes. */
  readonly rotate: number;
  readonly keep: number;
  /** `inputs`: the log has everything that decisions are made from. `decision` if absent. */
  readonly level?: "decision" | "inputs";
  /** `continue`: enforced decisions that cannot be logged are not denied. `deny` if absent. */
  readonly onError?: "deny" | "continue";
  /** JSON pointers to fields of the subject and the caller that are left out; none if absent. */
  readonly mask?: readonly string[];
  /** A folder for instructions of programs, and its maximum size in bytes on disk; none if absent. */
  readonly programs?: { readonly folder: string; readonly size: number };
  /** An fd to write to instead of the file (`run --log-fd`). `file` is then only the name in messages. */
  readonly fd?: number;
  /** A second path of the same file, which each decision thread of `run` opens instead of `file`. */
  readonly first?: string;
}

export interface SandboxConfig {
  /** Maximum memory in bytes for the runtimes of all policies together. */
  readonly memory: number;
}

export interface GateConfig {
  readonly existing: "deny" | "allow";
  readonly rewritten: "deny" | "ask";
  readonly loaderRuns: "deny" | "ask";
  /** Names of keyrings by the ids that loads give (`keyring_id` of bpf_attr, an s32). */
  readonly keyrings: Readonly<Record<string, string>>;
  /** Maximum in bytes for the maps of one container or command. */
  readonly mapMemory: number;
  /** Maximum number of loaded programs that the kernel releases in a second without that loads wait. */
  readonly programReleases: number;
  /** Hooks that may have attachments although the gate does not enforce them. */
  readonly notEnforced: readonly HookName[];
  /** In milliseconds. */
  readonly stall: number;
  /** Whether the guard gets a ticket before each load. Not in the file: the agent of a sealed machine sets it. */
  readonly tickets: boolean;
}

/** Maximum size of a configuration file in bytes. */
const MAX_CONFIG = 2 ** 20;

/**
 * Reads a configuration. Throws FILE_UNREADABLE, FILE_TOO_LARGE and CONFIG_INVALID; the place is `file:line:column`.
 * `parse` may return a cached result for the same text. `sealUnset` applies to keyrings that do not say whether they
 * are sealed; null leaves that open.
 */
export function readConfig(
  file: string,
  origin: Origin = "library",
  parse: (file: string, text: string) => Config = parseConfig,
  sealUnset: boolean | null = SEALED_IF_UNSET[origin],
): Config {
  const read = (path: string): Config => {
    const config = parse(path, readText(path, MAX_CONFIG));
    const keyrings = config.keyrings.map((keyring) => ({ ...keyring, sealed: keyring.sealed ?? sealUnset }));
    return { ...config, origin, keyrings };
  };
  try {
    const config = read(file);
    return config.shadowFile === null ? config : { ...config, shadow: shadowOf(config, config.shadowFile, read) };
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== "FILE_UNREADABLE" || error.place !== file) throw error;
    const remedy = "name a configuration on the command line, or make one with `countersign init`";
    throw new CountersignError(error.code, error.message, { place: file, remedy, cause: error.cause });
  }
}

export function parseConfig(file: string, text: string): Config {
  const document = new Document(file, text, "CONFIG_INVALID", "correct it there (docs/configuration.md has every key)");
  const input = validated(document, SCHEMA);
  refuseProto(document);
  return new Reader(document, input).config();
}

/** Rejects the key `__proto__` anywhere in the document: zod's records drop it without an error. */
function refuseProto(document: Document): void {
  const path = pathToProto(document.value);
  if (path !== null) throw document.error(path, "`__proto__` is not a name", "use another one", "key");
}

function pathToProto(value: unknown): Path | null {
  if (typeof value !== "object" || value === null) return null;
  for (const [key, held] of Object.entries(value)) {
    if (key === "__proto__") return [key];
    const within = pathToProto(held);
    if (within !== null) return [key, ...within];
  }
  return null;
}

/** Converts the validated input to a Config: resolves paths, units and names. */
class Reader {
  private readonly folder: string;
  private readonly pathPlaces: Record<string, string> = {};
  private readonly problems = new Problems();
  private readonly attachments: AttachmentReader;

  constructor(
    private readonly document: Document,
    private readonly input: ConfigInput,
  ) {
    this.folder = dirname(resolve(document.file));
    this.attachments = new AttachmentReader(document, input.attachments, this.problems, (path) => this.path(path));
  }

  /** Throws one error with all problems. */
  config(): Config {
    const config = this.read();
    this.problems.throwAny();
    return config;
  }

  /** What `make` returns. If it fails, the result is not used, because {@link config} throws. */
  private attempt<Result>(make: () => Result): Result {
    return this.problems.attempt(make) as Result;
  }

  private report(path: Path, message: string, remedy: string): void {
    this.problems.add(this.document.error(path, message, remedy));
  }

  private read(): Config {
    const { mode, log, gate } = this.input;
    const defaults = HOOK_NAMES.map((hook) => [hook, this.input.default[hook] ?? "allow"]);
    return {
      file: this.document.file,
      origin: "library",
      mode,
      default: Object.fromEntries(defaults) as Config["default"],
      keyrings: Object.entries(this.input.keyrings).map(([name, rules]) =>
        keyringConfig(name, this.document.place(["keyrings", name], "key"), rules, (path) => this.path(path)),
      ),
      maps: Object.entries(this.input.maps).map(([name, { file, writable, writers, values, keys, on_invalid }]) => ({
        name,
        place: this.document.place(["maps", name], "key"),
        file: file === undefined ? null : this.path(file),
        writable: writable === undefined ? null : { entries: writable.entries, bytes: bytes(writable.bytes) },
        writers: writers === undefined ? null : this.attempt(() => this.writers(writers, ["maps", name, "writers"])),
        ...(values === undefined && keys === undefined ? {} : { schema: { values, keys } }),
        ...(on_invalid === undefined ? {} : { onInvalid: on_invalid }),
      })),
      attachments: this.attachments.read(),
      signatures: this.input.signatures.map((path, index) => this.placedPath(path, ["signatures", index])),
      pathPlaces: this.pathPlaces,
      log: log === undefined ? null : this.log(log),
      shadowFile: this.shadowFile(),
      shadow: null,
      sandbox: { memory: bytes(this.input.sandbox.memory) },
      gate: {
        existing: gate.existing,
        rewritten: gate.rewritten,
        loaderRuns: gate.loader_runs,
        keyrings: this.kernelKeyrings(gate.keyrings),
        mapMemory: bytes(gate.map_memory),
        programReleases: gate.program_releases,
        notEnforced: this.notEnforced(gate.not_enforced),
        stall: milliseconds(gate.stall),
        tickets: false,
      },
      seal: sealConfig(this.input.seal, (path) => this.document.place(path)),
    };
  }

  private log({ file, rotate, keep, level, on_error, mask, ...rest }: NonNullable<ConfigInput["log"]>): LogConfig {
    const its = {
      file: this.placedPath(file, ["log", "file"]),
      rotate: bytes(rotate),
      keep,
      level,
      onError: on_error,
      mask,
    };
    if (rest.programs === undefined) return its;
    const folder = this.placedPath(rest.programs, ["log", "programs"]);
    return { ...its, programs: { folder, size: bytes(rest.programs_size) } };
  }

  private notEnforced(hooks: readonly HookName[]): readonly HookName[] {
    for (const [index, hook] of hooks.entries())
      if (HOOKS[hook].served.gate)
        this.report(
          ["gate", "not_enforced", index],
          `\`${hook}\` is enforced by the gate, so it cannot be listed as not enforced`,
          "remove it from the list",
        );
    return [...new Set(hooks)];
  }

  /** Rejects a writer that is neither an attachment nor a domain, and a name that could mean either. */
  private writers(writers: readonly string[], path: Path): readonly string[] {
    const attachments = this.attachments.names();
    const known = new Set(attachments.flatMap(({ name, domain }) => [name, domain]));
    const check = (writer: string, index: number) => {
      const at = [...path, index];
      if (writers.indexOf(writer) !== index)
        throw this.document.error(at, `\`${writer}\` is listed twice`, "remove one of them");
      if (!known.has(writer))
        throw this.document.error(
          at,
          `\`${writer}\` is neither an attachment nor a domain${didYouMean(writer, known)}`,
          "name an attachment, or the domain of one",
        );
      const one = attachments.filter(({ name }) => name === writer);
      const all = attachments.filter(({ domain }) => domain === writer);
      if (one.length > 0 && all.some((attachment) => !one.includes(attachment)))
        throw this.document.error(
          at,
          `\`${writer}\` is the name of an attachment and also the domain of other attachments`,
          "rename the attachment or the domain",
        );
    };
    writers.forEach((writer, index) => {
      this.attempt(() => check(writer, index));
    });
    return writers;
  }

  private kernelKeyrings(input: ConfigInput["gate"]["keyrings"]): GateConfig["keyrings"] {
    const names = Object.keys(this.input.keyrings);
    for (const [id, name] of Object.entries(input))
      if (!names.includes(name))
        this.report(
          ["gate", "keyrings", id],
          `names the keyring \`${name}\`, which is not configured${didYouMean(name, names)}`,
          "add it under `keyrings`, or correct its name",
        );
      else if (Number(id) !== (Number(id) | 0))
        this.report(["gate", "keyrings", id], `\`${id}\` is not a 32-bit number`, "write the id as keyctl(2) has it");
    return input;
  }

  private shadowFile(): ShadowFile | null {
    const { shadow } = this.input;
    return shadow === undefined ? null : { file: this.path(shadow), place: this.document.place(["shadow"]) };
  }

  /** The absolute path, whose first place is kept for errors that are found when it is used. */
  private placedPath(path: string, at: Path): string {
    const absolute = this.path(path);
    this.pathPlaces[absolute] ??= this.document.place(at);
    return absolute;
  }

  private path(path: string): string {
    return resolve(this.folder, path);
  }
}
