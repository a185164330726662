import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Keys that the kernel can verify with: OpenSSL's names for them. */
export const KERNEL_KEYS = { rsa: ["rsa:2048"], ecdsa: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] } as const;

/** A key with a certificate that signs as OpenSSL does for the kernel. */
export class ProgramSigner {
  private constructor(
    /** The certificate, in DER. */
    readonly certificate: Uint8Array,
    readonly pem: string,
    readonly key: string,
  ) {}

  static make(kind: keyof typeof KERNEL_KEYS = "rsa"): ProgramSigner {
    return inFolder((folder) => {
      const [key, pem] = [join(folder, "key"), join(folder, "pem")];
      const names = ["-nodes", "-keyout", key, "-out", pem, "-subj", "/CN=Signer of programs", "-days", "36500"];
      execFileSync("openssl", ["req", "-x509", "-newkey", ...KERNEL_KEYS[kind], ...names], { stdio: "ignore" });
      const certificate = execFileSync("openssl", ["x509", "-in", pem, "-outform", "DER"]);
      return new ProgramSigner(certificate, readFileSync(pem, "utf8"), readFileSync(key, "utf8"));
    });
  }

  static of({ certificate, key }: { readonly certificate: string; readonly key: string }): ProgramSigner {
    return new ProgramSigner(new X509Certificate(certificate).raw, certificate, key);
  }

  /** A detached CMS signature without attributes and certificates. */
  sign(data: Uint8Array, digest: "sha256" | "sha224" | "sm3" | "sha1" = "sha256"): Uint8Array {
    return inFolder((folder) => {
      const files = { key: this.key, pem: this.pem, data };
      for (const [name, contents] of Object.entries(files)) writeFileSync(join(folder, name), contents);
      const words = ["-sign", "-binary", "-nocerts", "-noattr", "-keyid", "-md", digest, "-outform", "DER"];
      const from = ["-signer", join(folder, "pem"), "-inkey", join(folder, "key"), "-in", join(folder, "data")];
      return execFileSync("openssl", ["cms", ...words, ...from]);
    });
  }
}

function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "program-signer-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
