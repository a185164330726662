import type { HelperCall } from "../../policy/model/helper-call.js";

/** The most bytes of one answer's calls of `read` that are recorded. */
const MAX_READ = 256;

const NO_CALLS: readonly HelperCall[] = Object.freeze([]);

/** Records the helper calls of one answer at a time, for a log that has all inputs of a decision. */
export class CallRecorder {
  #calls: HelperCall[] = [];
  #bytesLeft = MAX_READ;
  /** Whether the policy has read the annotations of the container. */
  readsAnnotations = false;

  /** The calls of the present answer. They are not changed by a later {@link begin}. */
  get calls(): readonly HelperCall[] {
    return this.#calls.length === 0 ? NO_CALLS : this.#calls;
  }

  begin(): void {
    if (this.#calls.length > 0) this.#calls = [];
    this.#bytesLeft = MAX_READ;
    this.readsAnnotations = false;
  }

  add(call: HelperCall): void {
    this.#calls.push(call);
  }

  /** Records a read of bytes, without its result if the policy has read more than 256 bytes. */
  addRead(data: Uint8Array, offset: number, length: number): void {
    const fits = length <= this.#bytesLeft;
    const bytes = fits ? data.slice(offset, offset + length) : null;
    this.#bytesLeft = fits ? this.#bytesLeft - length : 0;
    this.#calls.push({ call: "read", data, offset, length, bytes });
  }
}
