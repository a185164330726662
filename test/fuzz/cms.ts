/** A damaged signature is never good, and its verdict is one of those that there are. */
import { verdictName } from "../../src/errno.js";
import { openKeyring } from "../../src/trust/keyring.js";
import { damaged } from "../support/damage.js";
import { material } from "./material.js";
import type { FuzzTarget } from "./target.js";

const { root, at, data, messages } = material();
const keyring = openKeyring("fuzz", {
  trust: [{ path: "root", bytes: root.der }],
  revoked: { crls: [], certificates: [], digests: [] },
  usage: ["codeSigning"],
  validity: "now",
});

export const target: FuzzTarget = {
  rounds: 200_000,
  round: (next) => check(damaged(messages[next(messages.length)] as Buffer, next)),
};

function check(input: Buffer): string {
  const verdict = verdictName(keyring.verify(data, input, "PKCS7", at).verdict);
  if (verdict === "0" && !messages.some((message) => message.equals(input)))
    throw new Error("a damaged signature is taken");
  return verdict;
}
