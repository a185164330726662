import { spawnSync } from "node:child_process";
import type { KeyObject } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CountersignError } from "../../error.js";
import { hash } from "../../trust/base/digest.js";
import type { RemoteKey } from "../../trust/issuing/private-key.js";

/** A key that a command of the user signs with, such as the client of a key management service. */
export class CommandKey implements RemoteKey {
  constructor(
    readonly publicKey: KeyObject,
    readonly command: string,
  ) {}

  /**
   * Runs the command in a shell. It reads the bytes to sign from standard input and writes the signature to standard
   * output. Throws SIGNING_FAILED.
   */
  sign(digest: string | null, bytes: Uint8Array, saltLength: number | null): Buffer {
    const input = openUnnamed(bytes);
    const { status, signal, stdout, stderr, error } = spawnSync("/bin/sh", ["-c", this.command], {
      stdio: [input, "pipe", "pipe"],
      env: {
        ...process.env,
        COUNTERSIGN_DIGEST: digest ?? "",
        COUNTERSIGN_DIGEST_HEX: digest === null ? "" : hash(digest, bytes),
        COUNTERSIGN_SALT: saltLength === null ? "" : String(saltLength),
      },
      timeout: PATIENCE,
    });
    closeSync(input);
    if (error === undefined && status === 0) return stdout;
    const words = stderr?.toString("utf8").trim().split("\n", 1)[0] ?? "";
    const ended = error !== undefined ? error.message : (signal ?? `exit code ${status}`);
    throw new CountersignError("SIGNING_FAILED", `the command did not sign: ${`${ended} ${words}`.trim()}`, {
      place: this.command,
      remedy: "try the command by itself: it reads what to sign from standard input and writes the bare signature",
      cause: error,
    });
  }
}

/**
 * Returns an fd of an unlinked file with these bytes. Node's own pipe to a child process is a socket, which commands
 * such as pkcs11-tool cannot open as /dev/stdin.
 */
function openUnnamed(bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "countersign-sign-"));
  try {
    writeFileSync(join(folder, "bytes"), bytes, { mode: 0o600 });
    return openSync(join(folder, "bytes"), "r");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Thrown with the input of an external signer: a digest, or the whole bytes if the algorithm takes them whole. */
export class Unsigned extends Error {
  constructor(
    readonly digest: string | null,
    readonly bytes: Buffer,
  ) {
    super("to be signed elsewhere");
  }
}

/**
 * A key that is not available. Signing with it stops where the signature would be made, by throwing {@link Unsigned}.
 */
export class AbsentKey implements RemoteKey {
  constructor(readonly publicKey: KeyObject) {}

  sign(digest: string | null, bytes: Uint8Array): never {
    throw new Unsigned(digest, digest === null ? Buffer.from(bytes) : Buffer.from(hash(digest, bytes), "hex"));
  }
}

/** A bare signature that an external signer has made. */
export class AttachedKey implements RemoteKey {
  constructor(
    readonly publicKey: KeyObject,
    readonly signature: Buffer,
  ) {}

  sign(): Buffer {
    return this.signature;
  }
}

/** Timeout of the command in milliseconds. A person may have to approve the signature. */
const PATIENCE = 300_000;
