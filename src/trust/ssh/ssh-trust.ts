import { STATEMENT_NAMESPACE } from "../../statement-line.js";
import { quoted, type Refusal, refuse } from "../base/refusal.js";
import type { Window } from "../base/window.js";
import type { KeyringRules } from "../model/keyring-rules.js";
import type { SshSigner } from "./allowed-signers.js";

/** The keys and rules for SSH signatures, as `ssh-keygen -Y sign` makes them (OpenSSH's PROTOCOL.sshsig). */
export class SshTrust {
  readonly #signers = new Map<string, SshSigner[]>();
  readonly #namespaces: ReadonlySet<string>;
  readonly #validity: KeyringRules["validity"];

  constructor(signers: readonly SshSigner[], { ssh, validity }: Pick<KeyringRules, "ssh" | "validity">) {
    for (const signer of signers) this.#signers.set(signer.blob, [...(this.#signers.get(signer.blob) ?? []), signer]);
    this.#namespaces = new Set(ssh?.namespaces ?? DEFAULT_NAMESPACES);
    this.#validity = validity;
  }

  get size(): number {
    return this.#signers.size;
  }

  /**
   * The signer with key `blob`, if it may sign for `namespace` at the window's time; otherwise the refusal. Statements
   * have a namespace of their own, which the keyring's list of namespaces does not concern.
   */
  find(blob: string, namespace: string, window: Window, isStatement = false): SshSigner | Refusal {
    const lines = this.#signers.get(blob);
    if (lines === undefined) return refuse("ENOKEY", RULE, "the signature's SSH key is not in the keyring");
    if ((namespace === STATEMENT_NAMESPACE) !== isStatement)
      return refuse(
        "EKEYREJECTED",
        "SSHSIG namespace",
        `a signature for ${quoted(namespace)} over ${isStatement ? "a program statement" : "other bytes"}`,
      );
    if (!isStatement && !this.#namespaces.has(namespace))
      return refuse(
        "EKEYREJECTED",
        "SSHSIG namespace",
        `a signature for ${quoted(namespace)}, which the keyring does not accept`,
      );
    let refusal: Refusal | null = null;
    for (const line of lines) {
      refusal = this.#limits(line, namespace, window);
      if (refusal === null) return line;
    }
    return refusal as Refusal;
  }

  #limits({ name, namespaces, validAfter, validBefore }: SshSigner, namespace: string, window: Window): Refusal | null {
    if (namespaces !== null && !namespaces.some((pattern) => matches(pattern, namespace)))
      return refuse("EKEYREJECTED", "SSHSIG namespace", `\`${name}\` may not sign for ${quoted(namespace)}`);
    if (this.#validity === "ignore") return null;
    if (window.reached(validBefore)) return refuse("EKEYEXPIRED", "valid-before", `the key of \`${name}\` has expired`);
    if (window.reached(validAfter)) return null;
    return refuse("EKEYREJECTED", "valid-after", `the key of \`${name}\` is not valid yet`);
  }
}

/** The namespace that ssh-keygen(1) suggests for files. */
const DEFAULT_NAMESPACES: readonly string[] = ["file"];

/** The source of the rules for an SSH signature. */
export const RULE = "PROTOCOL.sshsig";

/** Matches OpenSSH's patterns, of which namespaces need `*` and `?`. Backtracks to the last `*` only. */
function matches(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  let position = 0;
  while (position < name.length) {
    if (pattern[at] === "*") [star, mark, at] = [at, position, at + 1];
    else if (pattern[at] === "?" || pattern[at] === name[position]) [at, position] = [at + 1, position + 1];
    else if (star >= 0) [at, mark, position] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
