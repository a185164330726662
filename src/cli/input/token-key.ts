import { spawnSync } from "node:child_process";
import { createPublicKey, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CountersignError } from "../../error.js";
import type { RemoteKey } from "../../trust/issuing/private-key.js";
import type { Certificate } from "../../trust/x509/certificate.js";

/** The library of a token, and its PIN. */
export interface TokenOptions {
  /** The PKCS#11 library of the token, such as libsofthsm2.so. */
  readonly module: string;
  readonly pin: string | null;
}

/**
 * A key in a PKCS#11 token, named by its URI (RFC 7512). It signs through the `openssl` command and its PKCS#11
 * provider (https://github.com/latchset/pkcs11-provider), because every PKCS#11 package for node runs scripts when it
 * is installed. The public key is that of the certificate; each signature of the token is verified with it before use.
 */
export class TokenKey implements RemoteKey {
  readonly publicKey: KeyObject;
  readonly #uri: string;
  readonly #options: TokenOptions;

  constructor(uri: string, certificate: Certificate, options: TokenOptions) {
    this.publicKey = createPublicKey({ key: certificate.publicKey.spki.whole, format: "der", type: "spki" });
    this.#uri = uri;
    this.#options = options;
  }

  /** Throws SIGNING_FAILED. */
  sign(digest: string | null, bytes: Uint8Array, saltLength: number | null): Buffer {
    const folder = mkdtempSync(join(tmpdir(), "countersign-token-"));
    const file = (name: string): string => join(folder, name);
    try {
      const { pin } = this.#options;
      if (pin !== null) writeFileSync(file("pin"), pin, { mode: 0o600 });
      writeFileSync(file("openssl.cnf"), this.#configuration(pin === null ? null : file("pin")), { mode: 0o600 });
      writeFileSync(file("data"), bytes, { mode: 0o600 });
      const hashed = digest === null ? [] : ["-digest", digest];
      const padded =
        saltLength === null ? [] : ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", `rsa_pss_saltlen:${saltLength}`];
      const { status, stderr, error } = spawnSync(
        "openssl",
        [
          "pkeyutl",
          "-sign",
          "-inkey",
          this.#uri,
          "-rawin",
          ...hashed,
          ...padded,
          "-in",
          file("data"),
          "-out",
          file("out"),
        ],
        {
          env: { ...process.env, OPENSSL_CONF: file("openssl.cnf") },
          stdio: ["ignore", "ignore", "pipe"],
          encoding: "utf8",
          timeout: PATIENCE,
        },
      );
      if (status === 0) return readFileSync(file("out"));
      throw failed(this.#uri, error?.message ?? firstLine(stderr), error);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Writes the provider's configuration. The quirk `no-deinit` prevents a deadlock at exit that some modules cause. */
  #configuration(pinFile: string | null): string {
    const { module } = this.#options;
    const paths = pinFile === null ? [module] : [module, pinFile];
    const unfit = paths.find((path) => /[\r\n#$\\'"]/.test(resolve(path)));
    if (unfit !== undefined)
      throw new CountersignError(
        "SIGNING_FAILED",
        `the token was not asked: openssl's configuration cannot have the path \`${resolve(unfit)}\``,
        {
          place: this.#uri,
          remedy: "give --pkcs11-module, and TMPDIR, a path without quotes, line breaks, `#`, `$` and `\\`",
        },
      );
    return [
      "openssl_conf = init",
      "[init]\nproviders = providers",
      "[providers]\ndefault = built_in\npkcs11 = token",
      "[built_in]\nactivate = 1",
      `[token]\nactivate = 1\npkcs11-module-path = ${resolve(module)}`,
      "pkcs11-module-quirks = no-deinit no-operation-state",
      ...(pinFile === null ? [] : [`pkcs11-module-token-pin = file:${resolve(pinFile)}`]),
      "",
    ].join("\n");
  }
}

/** Timeout in milliseconds. A token with a button waits until it is pressed. */
const PATIENCE = 60_000;

function firstLine(text: string): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? "openssl gave no reason";
}

function failed(uri: string, message: string, cause?: unknown): CountersignError {
  return new CountersignError("SIGNING_FAILED", `the token did not sign: ${message}`, {
    place: uri,
    remedy: "check the module, the PIN and the URI with `p11tool --list-all`, and that openssl has its pkcs11 provider",
    cause,
  });
}
