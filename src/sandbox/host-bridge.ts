import { textOf } from "./encoded-subject.js";
import type { HostFunctions } from "./host.js";
import * as slot from "./slots.js";
import type { GuestShape } from "./start.js";

/** Handles the guest's calls of the host: fields of `current`, parts of bytes, and the engine's functions. */
export class HostBridge {
  readonly #shape: GuestShape;
  /** Paths of the fields of `current`, and those of its fields that are objects. */
  readonly #fields: readonly (readonly string[])[];
  readonly #inner: readonly string[];
  #functions: HostFunctions | null = null;
  #current: Readonly<Record<string, unknown>> = {};

  constructor(shape: GuestShape) {
    this.#shape = shape;
    this.#fields = shape.currentOthers.map((path) => path.split("."));
    this.#inner = [...new Set(this.#fields.filter((path) => path.length > 1).map(([first]) => first!))];
  }

  /** Starts a decision: writes the number fields of `current` to the box. */
  begin(
    current: Readonly<Record<string, unknown>>,
    functions: HostFunctions,
    box: Int32Array,
    doubles: Float64Array,
  ): void {
    this.#current = current;
    this.#functions = functions;
    const { currentNumbers } = this.#shape;
    for (let index = 0; index < currentNumbers.length; index++)
      doubles[slot.CURRENT + index] = current[currentNumbers[index]!] as number;
    box[slot.PRESENT] = this.#present();
  }

  /**
   * Returns the result of a call: a number is written to the box, text is passed to the guest, undefined means no
   * result.
   */
  answer(box: Int32Array, text: string, bytesOf: (number: number) => Uint8Array): number | string | undefined {
    const functions = this.#functions!;
    const bytes = (at: number) => bytesOf(box[at]!);
    const call = box[slot.CALL];
    switch (call) {
      case slot.FIELD:
        return this.#field(this.#fields[box[slot.FIRST]!]!);
      case slot.READ: {
        const from = box[slot.SECOND]!;
        return JSON.stringify([...bytes(slot.FIRST).subarray(from, from + box[slot.THIRD]!)]);
      }
      case slot.VERIFY_SIGNATURE: {
        const [keyring, type] = JSON.parse(text) as [string, string];
        const signature = box[slot.SECOND]! < 0 ? null : bytes(slot.SECOND);
        return functions.verify_signature(bytes(slot.FIRST), signature, keyring, type);
      }
      case slot.HASH:
        return JSON.stringify(functions.hash((JSON.parse(text) as [string])[0], bytes(slot.FIRST))).slice(1, -1);
      case slot.MAP_LOOKUP: {
        const [map, key] = JSON.parse(text) as [string, string];
        const found = functions.map_lookup(map, key);
        return found === undefined ? undefined : textOf(found);
      }
      case slot.MAP_UPDATE: {
        const [map, key, held] = JSON.parse(text) as [string, string, unknown];
        return functions.map_update(map, key, held);
      }
      case slot.MAP_DELETE: {
        const [map, key] = JSON.parse(text) as [string, string];
        return functions.map_delete(map, key);
      }
      default:
        throw new TypeError(`the guest made the unknown call ${call}`);
    }
  }

  /** JSON of a field of `current`. The engine builds `current` from plain values; undefined becomes null. */
  #field([first, second]: readonly string[]): string {
    const value = this.#current[first!];
    return JSON.stringify((second === undefined ? value : (value as Record<string, unknown>)[second]) ?? null);
  }

  #present(): number {
    let bits = 0;
    for (let index = 0; index < this.#inner.length; index++)
      if ((this.#current[this.#inner[index]!] ?? null) !== null) bits |= 1 << index;
    return bits;
  }
}
