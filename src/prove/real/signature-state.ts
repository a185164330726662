import { ERRNO } from "../../errno.js";
import type { SignedItem } from "./signed-item.js";

/** What a keyring knows of the authority that certified the signer of an item. */
export type Trust = "trusts" | "revokes" | "ignores";

/** How an item is signed; `keyrings` has what each keyring knows of its signer. */
export type SignatureState =
  | { readonly kind: "none" }
  | { readonly kind: "malformed" }
  /** Whether a keyring knows the signer does not matter: the digest is compared first. */
  | { readonly kind: "of other data" }
  | { readonly kind: "good" | "expired"; readonly keyrings: ReadonlyMap<string, Trust> };

/** What a verification by a keyring then gives: 0 or a negative errno. */
export function verdictIn(state: SignatureState, keyring: string): number {
  if (state.kind === "none") return -ERRNO.ENODATA;
  if (state.kind === "malformed") return -ERRNO.EBADMSG;
  if (state.kind === "of other data") return -ERRNO.EKEYREJECTED;
  const trust = state.keyrings.get(keyring) ?? "ignores";
  if (trust === "ignores") return -ERRNO.ENOKEY;
  if (trust === "revokes") return -ERRNO.EKEYREVOKED;
  return state.kind === "expired" ? -ERRNO.EKEYEXPIRED : 0;
}

const TRUSTS: Readonly<Record<"good" | "expired", readonly Trust[]>> = {
  good: ["trusts", "ignores", "revokes"],
  expired: ["trusts", "ignores"],
};

/**
 * All states of an item about which these keyrings are asked. Only the signature of a statement can be malformed:
 * `check` rejects other files that are no signatures.
 */
export function signatureStates(item: SignedItem, keyrings: readonly string[]): readonly SignatureState[] {
  const states: SignatureState[] = [{ kind: "none" }];
  for (const kind of ["good", "expired"] as const)
    for (const trusts of combinations(keyrings, TRUSTS[kind])) states.push({ kind, keyrings: trusts });
  states.push({ kind: "of other data" });
  return item === "statement" ? [...states, { kind: "malformed" }] : states;
}

function combinations(keyrings: readonly string[], trusts: readonly Trust[]): readonly ReadonlyMap<string, Trust>[] {
  const [first, ...others] = keyrings;
  if (first === undefined) return [new Map()];
  return combinations(others, trusts).flatMap((rest) => trusts.map((trust) => new Map([[first, trust], ...rest])));
}
