import { createHash } from "node:crypto";
import type { Config } from "../config/config.js";
import type { TimedEngine } from "../engine/timed-engine.js";
import { readInput } from "../input.js";

/**
 * SHA-256, in lower-case hex, of everything that a configuration decides by: its file, its policies with what they
 * import, the files of its maps and keyrings, and its statements. Files count with their contents, not their paths, in
 * the order of the configuration. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
 */
export function configurationDigest(config: Config, engine: Pick<TimedEngine, "policies" | "statements">): string {
  const files = [
    ...config.maps.flatMap(({ file }) => (file === null ? [] : [file])),
    ...config.keyrings.flatMap(({ trust, revoked, timestamps, sigstore }) => [
      ...[...trust, ...revoked.crls, ...revoked.certificates, ...revoked.serials.map(({ issuer }) => issuer)],
      ...[...(timestamps?.trust ?? []), ...(sigstore === null ? [] : [sigstore.root])],
    ]),
  ];
  const parts = [
    sha256(readInput(config.file)),
    ...engine.policies().map((policy) => policy.sha256),
    ...files.map((file) => sha256(readInput(file))),
    ...engine.statements.all.map((statement) => statement.sha256),
  ];
  return sha256(Buffer.from(parts.join("\n")));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
