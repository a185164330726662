/** A keyring of two files that are only good together, in as many generations as a test wants. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config/config.js";
import { Authority, type Issued } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";

export const DATA = Buffer.from("instructions");

/** What both signers of a generation must have signed; a mixture of two is good for a mixture alone. */
export class Rotation {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-rotation-"));
  readonly #pairs: readonly (readonly [Issued, Issued])[];

  constructor(generations: number, keyring: object = {}) {
    const root = Authority.create({ subject: "Root" });
    this.#pairs = Array.from({ length: generations }, (_, index) => [
      root.issue({ subject: `Left ${index}` }),
      root.issue({ subject: `Right ${index}` }),
    ]);
    writeFileSync(
      join(this.folder, "countersign.yaml"),
      JSON.stringify({
        version: 1,
        keyrings: { k: { trust: ["current/left.pem", "current/right.pem"], signers: 2, ...keyring } },
        attachments: [{ policy: "blob.js", limits: { timeout: "10s" } }],
        log: { file: "decisions.jsonl" },
      }),
    );
    writeFileSync(
      join(this.folder, "blob.js"),
      `import { verify_signature, PKCS7 } from "countersign";
       export const blob_verify = (blob) => verify_signature(blob.data, blob.signature, "k", PKCS7);`,
    );
    this.swap(0);
  }

  get config() {
    return readConfig(join(this.folder, "countersign.yaml"));
  }

  /** By the left signer of one generation and the right signer of another, or of the same. */
  signature(left: number, right = left): Buffer {
    return signPkcs7(DATA, [this.#pairs[left]?.[0] as Issued, this.#pairs[right]?.[1] as Issued]);
  }

  /** Puts a generation in place at once, through a symbolic link, as Kubernetes does. */
  swap(generation: number): void {
    const folder = join(this.folder, `generation-${generation}`);
    mkdirSync(folder, { recursive: true });
    this.write(generation, `generation-${generation}`);
    const link = join(this.folder, "next");
    rmSync(link, { force: true });
    symlinkSync(`generation-${generation}`, link);
    renameSync(link, join(this.folder, "current"));
  }

  /** Another process that puts each generation in place in turn, so many milliseconds apart. */
  swapElsewhere(generations: number, pause: number): ChildProcess {
    for (let generation = 1; generation < generations; generation++) {
      mkdirSync(join(this.folder, `generation-${generation}`), { recursive: true });
      this.write(generation, `generation-${generation}`);
    }
    const script = `const { renameSync, symlinkSync } = require("node:fs");
      let generation = 0;
      const timer = setInterval(() => {
        if (++generation === ${generations}) return clearInterval(timer);
        symlinkSync("generation-" + generation, "next");
        renameSync("next", "current");
      }, ${pause});`;
    return spawn(process.execPath, ["-e", script], { cwd: this.folder, stdio: "inherit" });
  }

  /** Writes over the files that are there, one after the other. */
  write(generation: number, folder = "current"): void {
    for (const [side, name] of ["left.pem", "right.pem"].entries())
      writeFileSync(join(this.folder, folder, name), this.#pairs[generation]?.[side]?.pem.certificate as string);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
