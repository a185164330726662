/**
 * A working directory as an operator keeps one: a configuration, keyrings with a fresh authority each, the shipped
 * policies and the example objects. Decisions are the real engine's, on real objects with real signatures.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { LoadedFacts, ProgramSubject } from "../../src/bpf/model/facts.js";
import { statementOf } from "../../src/bpf/statement.js";
import { readConfig } from "../../src/config/config.js";
import { Engine } from "../../src/engine/decision/engine.js";
import { FileSignatures } from "../../src/engine/files/file-signatures.js";
import type { StatementStore } from "../../src/engine/statements/statement-store.js";
import type { HookName } from "../../src/hooks/catalogue.js";
import type { Decision } from "../../src/hooks/decision.js";
import type { BlobSubject } from "../../src/hooks/subject.js";
import type { Current } from "../../src/policy/model/current.js";
import { Authority, type Issued } from "../../src/trust/issuing/authority.js";
import { signKernel, signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { SignatureStore, signatureName, statementName } from "../../src/trust/store.js";
import { subjectsOf } from "./file-subjects.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface SiteOptions {
  /** Policies that ship, or paths among `files`; or attachments as the configuration has them. */
  readonly attachments: readonly (string | object)[];
  /** Names of keyrings; each is given an authority of its own. */
  readonly keyrings?: readonly string[];
  /** Map name to its contents. */
  readonly maps?: Readonly<Record<string, object>>;
  /** Path to text. */
  readonly files?: Readonly<Record<string, string>>;
  /** More of the configuration. */
  readonly config?: object;
}

/** Who asks, and with which signature. */
export interface Asking {
  readonly current?: Partial<Current>;
  /** Labels of the container that asks; null for labels that nobody could read. */
  readonly labels?: Readonly<Record<string, string>> | null;
  /**
   * Who signed the program's statement, or the blob: a keyring's name, or `stranger` for a signer whom nobody trusts.
   * For a program also `forged`: the first keyring's signature is over the statement of another object.
   */
  readonly signedBy?: string;
  /** Who signed the instructions alone. */
  readonly insnsSignedBy?: string;
  /** The same for the signature that the kernel takes, over the instructions as given to bpf(2). */
  readonly kernelSignedBy?: string;
  /** The configuration's keyring that the load names for the kernel. */
  readonly kernelKeyring?: string;
  /** What is signed in place of the blob or the instructions that are asked about. */
  readonly signedInstead?: Uint8Array;
}

export class Site {
  private constructor(
    readonly folder: string,
    readonly engine: Engine,
    private readonly signers: ReadonlyMap<string, Issued>,
  ) {}

  static async open({ attachments, keyrings = [], maps = {}, files = {}, config = {} }: SiteOptions): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), "countersign-"));
    symlinkSync(join(root, "policies"), join(folder, "policies"));
    const signers = new Map<string, Issued>();
    for (const name of [...keyrings, "stranger"]) {
      const authority = Authority.create({ subject: `${name} authority`, key: "p-256" });
      const signer = authority.issue({ subject: `${name} signer`, key: "p-256" });
      signers.set(name, signer);
      // a signature as the kernel takes it carries no certificate: the keyring must have the signer's own
      writeFileSync(join(folder, `${name}.pem`), authority.pem.certificate + signer.pem.certificate);
    }
    for (const [name, contents] of Object.entries(maps))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(contents));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    mkdirSync(join(folder, "signatures"));
    if (keyrings.length > 0) signExamples(join(folder, "signatures"), signers);
    const file = join(folder, "countersign.yaml");
    const attached = (policy: string) => ({ policy: policy.includes("/") ? policy : `policies/${policy}` });
    writeFileSync(
      file,
      stringify({
        version: 1,
        signatures: ["signatures"],
        keyrings: Object.fromEntries(keyrings.map((name) => [name, { trust: [`${name}.pem`] }])),
        maps: Object.fromEntries(Object.keys(maps).map((name) => [name, { file: `${name}.json` }])),
        attachments: attachments.map((one) => (typeof one === "string" ? attached(one) : one)),
        ...config,
      }),
    );
    return new Site(folder, await Engine.open(readConfig(file)), signers);
  }

  /**
   * Asks whether a program of an example may be loaded: `drop-telnet` for the first of its object, `xdp-steer/count`.
   */
  load(name: string, asking: Asking = {}): Decision {
    const found = program(name, this.copyOf(asking.signedBy), this.engine.statements);
    return this.decide(
      "bpf_prog_load",
      {
        ...found,
        signature: this.signature(found.insns, asking.insnsSignedBy, asking, signPkcs7),
        kernel_signature: this.signature(found.raw_insns, asking.kernelSignedBy, asking, signKernel),
        kernel_keyring: asking.kernelKeyring ?? null,
      },
      asking,
    );
  }

  /**
   * Asks whether a program that the kernel loaded may be handed out, with what the kernel reports; null where it is not
   * loaded.
   */
  handOut(name: string, reported: Partial<LoadedFacts> | null, asking: Asking = {}): Decision {
    const loaded = reported === null ? null : { ...LOADED, ...reported };
    return this.decide("bpf_prog", { ...program(name), loaded }, asking);
  }

  /** Asks whether a blob may be used. */
  verify(data: Uint8Array, asking: Asking = {}): Decision {
    const signature = this.signature(data, asking.signedBy, asking, signPkcs7);
    const signatures = new FileSignatures(this.engine.signatures, signature);
    const [subject] = subjectsOf("blob", data, "blob_verify", signatures) as BlobSubject[];
    return this.decide("blob_verify", subject as BlobSubject, asking);
  }

  close(): void {
    this.engine.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private decide(hook: HookName, subject: ProgramSubject | BlobSubject, { current, labels }: Asking): Decision {
    const container = labels === undefined ? null : { id: "c1", name: "web", labels, annotations: {} };
    return this.engine.decide({ hook, subject, current: { ...ROOT, container, ...current } } as Parameters<
      Engine["decide"]
    >[0]);
  }

  private copyOf(signer: string | undefined): number {
    if (signer === undefined) return 0;
    const copy = 1 + (signer === FORGED ? this.signers.size : [...this.signers.keys()].indexOf(signer));
    if (copy === 0) throw new Error(`there is no signer ${signer}`);
    return copy;
  }

  private signature(
    data: Uint8Array,
    signer: string | undefined,
    { signedInstead }: Asking,
    sign: typeof signKernel,
  ): Uint8Array | null {
    if (signer === undefined) return null;
    return sign(signedInstead ?? data, this.signers.get(signer) as Issued);
  }
}

const FORGED = "forged";

/**
 * Signs statements of all examples. Each signer has a copy of each object of its own, by the number of bytes after its
 * end, so that a program says who signed it.
 */
function signExamples(folder: string, signers: ReadonlyMap<string, Issued>): void {
  let other: Uint8Array = Buffer.from("countersign statement 0\n");
  for (const name of EXAMPLES)
    for (const [index, signer] of [...signers.values(), null].entries()) {
      const { bytes, statement } = statementOf(copyOf(name, index + 1));
      writeFileSync(join(folder, statementName(statement.sha256)), bytes);
      const signed = signer === null ? other : bytes;
      const by = signer ?? ([...signers.values()][0] as Issued);
      writeFileSync(join(folder, signatureName(statement.sha256)), signPkcs7(signed, by));
      other = bytes;
    }
}

/** Without the object with maps as libbpf no longer takes them. */
const EXAMPLES = readdirSync(join(root, "examples")).filter((name) => /^(?!legacy).*\.o$/.test(name));

function copyOf(name: string, copy: number): Uint8Array {
  return Buffer.concat([readFileSync(join(root, "examples", name)), Buffer.alloc(copy)]);
}

/** A program of an example object, or of a signer's copy of it, as `check` makes its subject. */
export function program(name: string, copy = 0, statements?: StatementStore): ProgramSubject {
  const [object, wanted] = name.split("/");
  const path = join(root, "examples", `${object}.o`);
  const signatures = copy === 0 ? undefined : new FileSignatures(SignatureStore.open([]), null, statements);
  const subjects = subjectsOf(path, copyOf(`${object}.o`, copy), "bpf_prog_load", signatures) as ProgramSubject[];
  const found = subjects.find((one) => wanted === undefined || one.name === wanted);
  if (found === undefined) throw new Error(`there is no program ${name} among the examples`);
  return found;
}

const LOADED: LoadedFacts = { tag: "0".repeat(16), verified_insns: 1, xlated_size: 8, jited_size: 8, map_ids: [] };

const ROOT: Current = {
  pid: 4242,
  tid: 4242,
  uid: 0,
  euid: 0,
  gid: 0,
  comm: "tc",
  exe: "/usr/sbin/tc",
  cgroup: null,
  capabilities: ["CAP_BPF", "CAP_NET_ADMIN"],
  namespaces: {},
  container: null,
};
