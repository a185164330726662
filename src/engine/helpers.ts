import { verdictName } from "../errno.js";
import { CountersignError } from "../error.js";
import type { MapView } from "../policy/map-view.js";
import { didYouMean } from "../policy/nearest.js";
import type { HostFunctions } from "../sandbox/host.js";
import { hash } from "../trust/digest.js";
import type { Keyring } from "../trust/keyring.js";
import { SIGNATURE_TYPES, type SignatureType } from "../trust/verification.js";

/** The hook's time, shared by all attachments of an engine: milliseconds since the epoch. */
export interface Moment {
  time: number;
  /** Keyrings that the present decision asked, and the generation of each. */
  readonly keyrings: Map<string, number>;
}

/**
 * What one attachment's policy may ask the engine for. A name that nothing is configured for is an error in the policy: it
 * throws, and the policy refuses by its fault, rather than taking a misspelt keyring for a missing signature.
 */
export class Helpers implements HostFunctions {
  /** What signatures came to in the present question: the helper's answer as the guest tells it, and why. */
  private readonly found = new Map<string, string>();

  constructor(
    private readonly keyrings: ReadonlyMap<string, Keyring>,
    private readonly maps: MapView,
    private readonly moment: Moment,
  ) {}

  /** Forgets what the question before came to. */
  begin(): void {
    if (this.found.size > 0) this.found.clear();
  }

  /** Answers as the guest tells them, with the reason behind those of signatures. */
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
