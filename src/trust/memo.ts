import { asBuffer } from "./der.js";
import type { SignatureType, Verification } from "./verification.js";
import type { Window } from "./window.js";

/** Most bytes that remembered data and signatures take together. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Data that is larger than this is verified each time. */
const MAX_DATA = 1024 * 1024;
const MAX_ENTRIES = 65_536;

/**
 * What came of verifications, by all that they came from: the bytes, the signature and its type, in the window of time in which nothing
 * about the result changes. One memo belongs to one generation of one keyring. Entries are found by a few bytes and then compared
 * whole, so that a lookup costs two comparisons of memory and no hash.
 */
export class VerificationMemo {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  find(data: Uint8Array, signature: Uint8Array, type: SignatureType, at: number): Verification | null {
    const entry = this.#entries.get(keyOf(data, signature));
    if (entry === undefined || entry.type !== type || at < entry.from || at >= entry.until) return null;
    return same(entry.signature, signature) && same(entry.data, data) ? entry.verification : null;
  }

  /** Copies both, so that a caller may use its memory again. */
  keep(data: Uint8Array, signature: Uint8Array, type: SignatureType, window: Window, verification: Verification): void {
    const size = data.length + signature.length;
    if (size > MAX_DATA) return;
    const key = keyOf(data, signature);
    this.#drop(key);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + size <= MAX_BYTES && this.#entries.size < MAX_ENTRIES) break;
      this.#drop(oldest);
    }
    const { from, until } = window;
    this.#entries.set(key, {
      data: Buffer.from(data),
      signature: Buffer.from(signature),
      type,
      from,
      until,
      verification,
    });
    this.#bytes += size;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.data.length + entry.signature.length;
  }
}

interface Entry {
  readonly data: Buffer;
  readonly signature: Buffer;
  readonly type: SignatureType;
  readonly from: number;
  readonly until: number;
  readonly verification: Verification;
}

/** The signature's last bytes, which are as good as random in an honest one, and the data's length. */
function keyOf(data: Uint8Array, signature: Uint8Array): string {
  return `${asBuffer(signature).toString("latin1", Math.max(0, signature.length - 24))}${data.length}`;
}

function same(a: Buffer, b: Uint8Array): boolean {
  return a.length === b.length && a.equals(b);
}
