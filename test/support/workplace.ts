import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { factsOfObject } from "../../src/bpf/object.js";
import { statementOf } from "../../src/bpf/statement.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { signatureName, statementName } from "../../src/trust/store.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A file of this repository, such as `examples/peek-tc.o`. */
export const own = (path: string): string => join(root, path);

/** A directory with a CA, policies and a configuration, as a person would keep one. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-"));
  readonly ca = Authority.create({ subject: "CA" });
  readonly signer = this.ca.issue({ subject: "Signer" });

  constructor(attachments: string, more = "") {
    this.write("certs/ca.pem", this.ca.pem.certificate);
    mkdirSync(this.at("signatures"));
    this.write(
      "countersign.yaml",
      `version: 1\nkeyrings: { platform: { trust: [certs/ca.pem] }, network: { trust: [certs/ca.pem] } }\n` +
        `signatures: [signatures]\n${more}\nattachments:\n${attachments}`,
    );
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  get config(): string {
    return this.at("countersign.yaml");
  }

  /** Gives back its path. */
  write(name: string, contents: string | Uint8Array): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    return path;
  }

  /** Copies a policy that ships. */
  policy(name: string): string {
    mkdirSync(this.at("policies"), { recursive: true });
    copyFileSync(own(`policies/${name}`), this.at(`policies/${name}`));
    return this.at(`policies/${name}`);
  }

  /** Signs an object's programs into the store, as `sign --programs` does. */
  signPrograms(object: Uint8Array): void {
    this.signInstructions(object);
    const { bytes, statement } = statementOf(object);
    this.write(`signatures/${statementName(statement.sha256)}`, bytes);
    this.write(`signatures/${signatureName(statement.sha256)}`, signPkcs7(bytes, this.signer));
  }

  /** Signs the instructions of an object's programs, and no statement. */
  signInstructions(object: Uint8Array): void {
    for (const { digest, insns } of factsOfObject(object).programs)
      this.write(`signatures/${signatureName(digest)}`, signPkcs7(insns, this.signer));
  }
}
