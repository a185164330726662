import type { Dependency } from "../../policy/model/outcome.js";

const ASKED: readonly string[] = ["subject insns", "subject signature", "signature type PKCS7"];

/**
 * The keyring by whose signature over the instructions policies allowed a program, if they asked for nothing else; null
 * if they did. They then allow every program with such a signature, whatever else it is: policies are deterministic,
 * and every look into bytes is a dependency, their length included, so that two programs differ for them only in the
 * result of the verification.
 * `dependencies` are those of all enforcing attachments, at both hooks of programs.
 */
export function onlySignatureBy(dependencies: readonly Dependency[]): string | null {
  const keyrings = new Set(dependencies.filter(({ on }) => on === "keyring").map(({ name }) => name));
  const others = new Set(dependencies.filter(({ on }) => on !== "keyring").map(({ on, name }) => `${on} ${name}`));
  const [keyring] = keyrings;
  if (keyring === undefined || keyrings.size > 1) return null;
  return others.size === ASKED.length && ASKED.every((each) => others.has(each)) ? keyring : null;
}
