/**
 * A working directory as an operator keeps one: a configuration, keyrings with a fresh authority each, the shipped
 * policies and the example objects. Decisions are the real engine's, on real objects with real signatures.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { readConfig } from "../../src/config/config.js";
import { Engine } from "../../src/engine/engine.js";
import { subjectsOf } from "../../src/engine/offline.js";
import type { HookName } from "../../src/hooks/catalogue.js";
import type { Decision } from "../../src/hooks/decision.js";
import type { BlobSubject, LoadedFacts, ProgramSubject } from "../../src/hooks/subject.js";
import type { Current } from "../../src/policy/current.js";
import { Authority, type Issued } from "../../src/trust/making/authority.js";
import { signKernel, signPkcs7 } from "../../src/trust/making/sign.js";
import { SignatureStore } from "../../src/trust/store.js";

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
  /** A keyring's name, or `stranger` for a signer whom nobody trusts. */
  readonly signedBy?: string;
  /** The same for the signature that the kernel takes, over the instructions as given to bpf(2). */
  readonly kernelSignedBy?: string;
  /** The configuration's keyring that the load names for the kernel. */
  readonly kernelKeyring?: string;
  /** What is signed in place of what is asked about. */
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
    const file = join(folder, "countersign.yaml");
    const attached = (policy: string) => ({ policy: policy.includes("/") ? policy : `policies/${policy}` });
    writeFileSync(
      file,
      stringify({
        version: 1,
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
    const found = program(name);
    return this.decide(
      "bpf_prog_load",
      {
        ...found,
        signature: this.signature(found.insns, asking.signedBy, asking, signPkcs7),
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
    const file = { path: "blob", bytes: data };
    const [subject] = subjectsOf(file, "blob_verify", {
      given: signature,
      store: this.engine.signatures,
    }) as BlobSubject[];
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

/** A program of an example object, as `check` makes its subject. */
export function program(name: string): ProgramSubject {
  const [object, wanted] = name.split("/");
  const path = join(root, "examples", `${object}.o`);
  const unsigned = { given: null, store: SignatureStore.open([]) };
  const subjects = subjectsOf({ path, bytes: readFileSync(path) }, "bpf_prog_load", unsigned) as ProgramSubject[];
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
