/**
 * Signatures of ssh-keygen and minisign, damaged inside of their armor: never good but for what nobody signed in them.
 */
import { verdictName } from "../../src/errno.js";
import { damaged } from "../support/damage.js";
import { HELLO, MINISIGN_KEY, MINISIGN_SIGNATURE, SSH_LINE, SSH_SIGNATURE } from "../support/foreign-vectors.js";
import { armored } from "../support/ssh.js";
import { trusting } from "../support/trust.js";
import type { FuzzTarget } from "./target.js";

const keyring = trusting([SSH_LINE, MINISIGN_KEY]);
const blob = Buffer.from(SSH_SIGNATURE.toString("latin1").replace(/-----[^\n]+-----|\s/g, ""), "base64");
const AT = Date.UTC(2030, 0, 1);

export const target: FuzzTarget = {
  rounds: 100_000,
  round: (next) => {
    if (next(2) === 0) {
      const input = damaged(blob, next);
      const verdict = keyring.verify(HELLO, armored(input), "SSHSIG", AT).verdict;
      if (verdict === 0 && !input.equals(blob)) throw new Error("a damaged signature is taken");
      return verdictName(verdict);
    }
    const input = damaged(MINISIGN_SIGNATURE, next);
    const verdict = keyring.verify(HELLO, input, "MINISIGN", AT).verdict;
    if (verdict === 0 && signed(input) !== signed(MINISIGN_SIGNATURE)) throw new Error("a damaged signature is taken");
    return verdictName(verdict);
  },
};

/** A signature of minisign without its untrusted comment and the ends of its lines. */
function signed(text: Buffer): string {
  return text
    .toString("latin1")
    .replace(/^untrusted comment:[^\r\n]*/, "")
    .replace(/\r/g, "")
    .trimEnd();
}
