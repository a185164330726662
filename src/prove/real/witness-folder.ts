import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { factsOfObject } from "../../bpf/object.js";
import { statementOf } from "../../bpf/statement.js";
import type { Config } from "../../config/config.js";
import { Document } from "../../config/document.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { readText } from "../../input.js";
import type { Current } from "../../policy/model/current.js";
import { hash } from "../../trust/base/digest.js";
import { statementName } from "../../trust/store.js";
import type { MapContents } from "./folder-input.js";
import type { SignedItem } from "./signed-item.js";
import { TestSigner, type WantedSigner } from "./test-signer.js";
import type { Signatures } from "./wanted-signatures.js";
import type { WitnessFile } from "./witness-file.js";

/** What a folder with a witness has. */
export interface WitnessContents {
  readonly file: WitnessFile;
  readonly isObject: boolean;
  readonly current: Current;
  readonly signatures: Signatures;
  readonly signers: ReadonlyMap<SignedItem, WantedSigner>;
}

/** The name of the folder with signatures, and that of the file with the task that asks. */
const SIGNATURES = "signatures";
const CURRENT = "current.json";

/** A folder in which a witness is written: a file, signatures by new keys, keyrings, maps, and configurations. */
export class WitnessFolder {
  readonly #signers = new Map<SignedItem, TestSigner>();
  /** The names of files and folders that were written in it. */
  readonly #written = new Set<string>();

  constructor(
    readonly path: string,
    private readonly contents: WitnessContents,
  ) {}

  get file(): string {
    return join(this.path, this.contents.file.name);
  }

  get current(): string {
    return join(this.path, CURRENT);
  }

  /** The command that decides about the file by a configuration, for a shell. */
  command(config: string, hook: HookName): string {
    const [current, file] = [this.current, this.file].map(shellWord);
    return `countersign check --config ${shellWord(config)} --as ${current} --hook ${hook} ${file}`;
  }

  /** Writes everything but maps and configurations. Throws FILE_UNREADABLE. */
  write(): void {
    const { file, isObject, current, signatures, signers } = this.contents;
    this.#put(file.name, file.bytes);
    this.#put(CURRENT, json(current));
    mkdirSync(join(this.path, SIGNATURES), { recursive: true });
    this.#written.add(SIGNATURES);
    for (const [item, { kind }] of signatures) {
      if (kind === "none") continue;
      const signer = new TestSigner(item, kind, signers.get(item) ?? { subject: null, issuer: null });
      this.#signers.set(item, signer);
      this.#put(keyFile(item, "authority.pem"), signer.authority.pem.certificate);
      this.#put(keyFile(item, "signer.pem"), signer.issued.pem.certificate);
      this.#put(keyFile(item, "signer.key"), signer.issued.pem.key, 0o600);
      if (item === "file") this.#put(`${file.name}.p7s`, signer.sign(file.bytes));
      else if (isObject) this.#sign(item, signer, file.bytes);
    }
  }

  #sign(item: SignedItem, signer: TestSigner, object: Uint8Array): void {
    if (item === "statement") {
      const { bytes, statement } = statementOf(object);
      this.#put(join(SIGNATURES, statementName(statement.sha256)), bytes);
      this.#put(join(SIGNATURES, `${statement.sha256}.p7s`), signer.sign(bytes));
      return;
    }
    for (const { insns } of factsOfObject(object).programs)
      this.#put(join(SIGNATURES, `${hash("sha256", insns)}.p7s`), signer.sign(insns));
  }

  /**
   * Writes a configuration as `name`: that of `config`, with the keyrings, maps and signatures of the folder. Policies
   * stay where they are. Returns the path. Throws FILE_UNREADABLE, and as reading the configuration throws.
   */
  configure(name: string, config: Config): string {
    const document = new Document(config.file, readText(config.file, MAX_CONFIG), "CONFIG_INVALID");
    const { log: _log, shadow: _shadow, seal: _seal, ...kept } = document.value as ConfigText;
    const policies = (kept.attachments ?? []).map((one) => ({ ...one, policy: this.#pathTo(config, one.policy) }));
    const maps = config.maps.map((map) => {
      const given = kept.maps?.[map.name] ?? {};
      return [map.name, { ...given, file: mapFile(map.name) }] as const;
    });
    const text = {
      ...kept,
      ...(config.keyrings.length === 0 ? {} : { keyrings: this.#keyrings(config) }),
      ...(maps.length === 0 ? {} : { maps: Object.fromEntries(maps) }),
      attachments: policies,
      signatures: [SIGNATURES],
    };
    this.#put(name, json(text));
    return join(this.path, name);
  }

  /** Writes the maps that a configuration names. Throws FILE_UNREADABLE. */
  writeMaps({ maps }: Config, contents: MapContents): void {
    for (const { name } of maps) this.#put(mapFile(name), json(contents[name] ?? {}));
  }

  /** Throws FILE_UNREADABLE. */
  writeReadme(text: string): void {
    this.#put("README.md", text);
  }

  /** Keyrings that trust the signers as their items say. Each also trusts an authority that signs nothing here. */
  #keyrings(config: Config): Readonly<Record<string, object>> {
    const unused = new TestSigner("file", "none", { subject: null, issuer: "CN=unused authority" });
    this.#put(keyFile("unused", "authority.pem"), unused.authority.pem.certificate);
    const keyrings = config.keyrings.map(({ name }) => {
      const trust = [keyFile("unused", "authority.pem")];
      const certificates: string[] = [];
      for (const [item, state] of this.contents.signatures) {
        const its = "keyrings" in state ? (state.keyrings.get(name) ?? "ignores") : "ignores";
        if (its !== "ignores") trust.push(keyFile(item, "authority.pem"));
        if (its === "revokes") certificates.push(keyFile(item, "signer.pem"));
      }
      return [name, { trust, ...(certificates.length === 0 ? {} : { revoked: { certificates } }) }] as const;
    });
    return Object.fromEntries(keyrings);
  }

  #pathTo(config: Config, policy: string): string {
    const path = relative(resolve(this.path), resolve(dirname(config.file), policy));
    return path.startsWith(".") ? path : `./${path}`;
  }

  /** Removes what was written. The folder, which was empty before, is left. */
  empty(): void {
    for (const name of this.#written) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  #put(name: string, content: string | Uint8Array, mode = 0o666): void {
    const path = join(this.path, name);
    this.#written.add(name.split("/", 1)[0]!);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { mode });
    } catch (cause) {
      throw new CountersignError("FILE_UNREADABLE", `cannot be written: ${(cause as NodeJS.ErrnoException).code}`, {
        place: path,
        remedy: "check the folder and its permissions",
        cause,
      });
    }
  }
}

/**
 * Throws USAGE for a file, and for a folder with files in it, so that nothing is overwritten and no old signature
 * counts. Throws FILE_UNREADABLE. The empty path is the working directory.
 */
export function refuseUsedFolder(path: string): void {
  const remedy = "name a new folder with --out";
  let what: string | null;
  try {
    what = useOf(resolve(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CountersignError("FILE_UNREADABLE", `cannot be used: ${code}`, { place: path, remedy, cause });
  }
  if (what !== null) throw new CountersignError("USAGE", what, { place: path || "--out", remedy });
}

/** Why no new folder can be made there; null if it can. */
function useOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isDirectory()) return "is not a folder";
  return readdirSync(path).length === 0 ? null : "is not empty";
}

const MAX_CONFIG = 2 ** 20;

/** What of the text of a configuration is changed. */
interface ConfigText extends Readonly<Record<string, unknown>> {
  readonly attachments?: readonly (Readonly<Record<string, unknown>> & { readonly policy: string })[];
  readonly maps?: Readonly<Record<string, object>>;
}

function shellWord(text: string): string {
  return /^[\w./+:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const mapFile = (name: string) => `maps/${name}.json`;
const keyFile = (of: string, name: string) => `keys/${of}-${name}`;
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
