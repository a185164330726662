/**
 * The verdict on a signature that is made to cost much: reached with a bounded amount of work and of calls to OpenSSL.
 * A test imports support/work.js for its effect before anything else, or work is not counted.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { expect } from "vitest";
import { verdictName } from "../../src/errno.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import type { Keyring } from "../../src/trust/keyring.js";
import { trusting } from "./trust.js";
import { worked } from "./work.js";

export const data = Buffer.from("instructions of a program");
export const root = Authority.create({ subject: "Root" });
export const signer = root.issue({ subject: "Signer" });
export const rsa = root.issue({ subject: "RSA signer", key: "rsa-2048" });
export const keyring = trusting([root.pem.certificate]);

const MOST_BLOCKS = 2_000_000;
const MOST_CALLS = 200;

/** Public keys and verifications that OpenSSL was asked for: work that is not counted in blocks. */
let calls = 0;
for (const name of ["verify", "createPublicKey"] as const) {
  const call = crypto[name] as (...given: unknown[]) => unknown;
  const counted = (...given: unknown[]) => {
    calls += 1;
    return call(...given);
  };
  Object.assign(crypto, { [name]: counted });
}
syncBuiltinESMExports();

/** The verdict of a keyring that has never seen this signature. Fails if it takes too much work. */
export function verdictOn(
  signature: Uint8Array,
  by: Keyring = keyring,
  over: Uint8Array = data,
): { errno: string; rule: string | null } {
  calls = 0;
  const { result, blocks } = worked(() => by.verify(over, signature, "PKCS7", Date.now()));
  expect(blocks).toBeLessThan(MOST_BLOCKS);
  expect(calls).toBeLessThan(MOST_CALLS);
  return { errno: verdictName(result.verdict), rule: result.rule };
}
