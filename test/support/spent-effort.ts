/** Shows what verifications cost. */
import { type Effort, MAX_EFFORT } from "../../src/trust/base/effort.js";
import { KeyringVersion } from "../../src/trust/keyring/keyring-version.js";

/** The result of `work`, which verifies, and how many units that took. `left`: how many each message may take. */
export function spending<T>(work: () => T, left: number = MAX_EFFORT): { readonly result: T; readonly units: number } {
  const made: Effort[] = [];
  const { effort } = KeyringVersion.prototype;
  KeyringVersion.prototype.effort = function (this: KeyringVersion) {
    const fresh = effort.call(this);
    fresh.take(MAX_EFFORT - left);
    made.push(fresh);
    return fresh;
  };
  try {
    const result = work();
    return { result, units: made.reduce((sum, { units }) => sum + units - (MAX_EFFORT - left), 0) };
  } finally {
    KeyringVersion.prototype.effort = effort;
  }
}
