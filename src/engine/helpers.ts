import { verdictName } from "../errno.js";
import { CountersignError } from "../error.js";
import type { MapView } from "../policy/map-view.js";
import { didYouMean } from "../policy/nearest.js";
import type { HostFunctions } from "../sandbox/host.js";
import { hash } from "../trust/digest.js";
import type { Keyring } from "../trust/keyring.js";
import { SIGNATURE_TYPES, type SignatureType } from "../trust/verification.js";

/** The time of the current hook, shared by all attachments of an engine. */
export interface Moment {
  time: number;
  /** Keyrings that the present decision asked, and the generation of each. */
  readonly keyrings: Map<string, number>;
}

/**
 * The helpers that one attachment's policy can call. A keyring, map or signature type that does not exist throws, so
 * that the policy faults: a misspelt keyring must not look like a missing signature.
 */
export class Helpers implements HostFunctions {
  /**
   * Results of signature checks in the current call of the policy: the answer as the guest records it, and the reason.
   */
  private readonly found = new Map<string, string>();

  constructor(
    private readonly keyrings: ReadonlyMap<string, Keyring>,
    private readonly maps: MapView,
    private readonly moment: Moment,
  ) {}

  /** Clears the results of the call before. */
  begin(): void {
    if (this.found.size > 0) this.found.clear();
  }

  /** Adds reasons to the guest's answers about signatures. */
  explained(answers: readonly string[]): readonly string[] {
    return answers.map((answer) => {
      const because =
        this.found.get(answer) ??
        (answer.startsWith("verify_signature ") && answer.endsWith(": -ENODATA") ? "there is no signature" : null);
      return because === null ? answer : `${answer} (${because})`;
    });
  }

  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number {
    const its = this.keyrings.get(keyring);
    if (its === undefined) throw unknown("keyring", keyring, this.keyrings.keys());
    if (!(SIGNATURE_TYPES as readonly string[]).includes(type)) throw unknown("signature type", type, SIGNATURE_TYPES);
    const { verdict, reason } = its.verify(data, signature, type as SignatureType, this.moment.time);
    this.moment.keyrings.set(keyring, its.generation);
    this.found.set(`verify_signature ${keyring} ${type}: ${verdictName(verdict)}`, reason);
    return verdict;
  }

  hash(algorithm: string, data: Uint8Array): string {
    return hash(algorithm, data);
  }

  map_lookup(map: string, key: string): unknown {
    const text = this.its(map).lookup(map, key);
    return text === null ? undefined : JSON.parse(text);
  }

  map_update(map: string, key: string, value: unknown): number {
    return this.its(map).update(map, key, JSON.stringify(value) ?? "");
  }

  map_delete(map: string, key: string): number {
    return this.its(map).delete(map, key);
  }

  private its(map: string): MapView {
    if (!this.maps.has(map)) throw unknown("map", map, this.maps.names());
    return this.maps;
  }
}

function unknown(kind: string, name: string, known: Iterable<string>): CountersignError {
  return new CountersignError("POLICY_UNKNOWN_NAME", `no ${kind} \`${name}\`${didYouMean(name, known)}`, {
    remedy: `give the configuration a ${kind} of this name, or correct the policy`,
  });
}
