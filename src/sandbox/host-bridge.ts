import type { HostFunctions } from "./host.js";
import * as layout from "./shared/buffer-layout.js";
import type { GuestShape } from "./start.js";
import { textOf } from "./subjects/encoded-subject.js";

/** Handles the guest's calls of the host: fields of `current`, parts of bytes, and the engine's functions. */
export class HostBridge {
  readonly #shape: GuestShape;
  /** Paths of the fields of `current`, and those of its fields that are objects. */
  readonly #fields: readonly (readonly string[])[];
  readonly #inner: readonly string[];
  #functions: HostFunctions | null = null;
  #current: Readonly<Record<string, unknown>> = {};
  #subject: object | null = null;

  constructor(shape: GuestShape) {
    this.#shape = shape;
    this.#fields = shape.currentOthers.map((path) => path.split("."));
    this.#inner = [...new Set(this.#fields.filter((path) => path.length > 1).map(([first]) => first!))];
  }

  /** Starts a decision: writes the number fields of `current` to the shared buffer. */
  begin(
    subject: object | null,
    current: Readonly<Record<string, unknown>>,
    functions: HostFunctions,
    integers: Int32Array,
    doubles: Float64Array,
  ): void {
    this.#subject = subject;
    this.#current = current;
    this.#functions = functions;
    const { currentNumbers } = this.#shape;
    for (let index = 0; index < currentNumbers.length; index++)
      doubles[layout.CURRENT + index] = current[currentNumbers[index]!] as number;
    integers[layout.PRESENT] = this.#present();
  }

  /**
   * Returns the result of a call: a number is written to the shared buffer, text is passed to the guest, undefined
   * means no result.
   */
  answer(integers: Int32Array, text: string, bytesOf: (number: number) => Uint8Array): number | string | undefined {
    const functions = this.#functions!;
    const bytes = (at: number) => bytesOf(integers[at]!);
    const call = integers[layout.CALL];
    switch (call) {
      case layout.FIELD: {
        const index = integers[layout.FIRST]!;
        functions.fieldRead?.(this.#shape.currentOthers[index]!);
        return this.#field(this.#fields[index]!);
      }
      case layout.READ: {
        const [data, from, length] = [bytes(layout.FIRST), integers[layout.SECOND]!, integers[layout.THIRD]!];
        functions.factRead?.("bytes.read");
        return JSON.stringify([...(functions.read?.(data, from, length) ?? data.subarray(from, from + length))]);
      }
      case layout.VERIFY_SIGNATURE: {
        const [keyring, type] = JSON.parse(text) as [string, string];
        const signature = integers[layout.SECOND]! < 0 ? null : bytes(layout.SECOND);
        return functions.verify_signature(bytes(layout.FIRST), signature, keyring, type);
      }
      case layout.SIGNER_OF: {
        const [keyring, type] = JSON.parse(text) as [string, string];
        const signature = integers[layout.SECOND]! < 0 ? null : bytes(layout.SECOND);
        return textOf(functions.signer_of(bytes(layout.FIRST), signature, keyring, type));
      }
      case layout.VERIFY_PROGRAM:
        return functions.verify_program(this.#program(), keyringIn(text));
      case layout.STATEMENT_OF:
        return functions.statement_of(this.#program(), keyringIn(text));
      case layout.SIGNER_OF_PROGRAM:
        return textOf(functions.signer_of_program(this.#program(), keyringIn(text)));
      case layout.HASH:
        return JSON.stringify(functions.hash((JSON.parse(text) as [string])[0], bytes(layout.FIRST))).slice(1, -1);
      case layout.MAP_LOOKUP: {
        const [map, key] = JSON.parse(text) as [string, string];
        const found = functions.map_lookup(map, key);
        return found === undefined ? undefined : textOf(found);
      }
      case layout.MAP_UPDATE: {
        const [map, key, held] = JSON.parse(text) as [string, string, unknown];
        return functions.map_update(map, key, held);
      }
      case layout.MAP_DELETE: {
        const [map, key] = JSON.parse(text) as [string, string];
        return functions.map_delete(map, key);
      }
      case layout.FACT_READ:
        functions.factRead?.(text);
        return 0;
      case layout.POINT_REACHED:
        functions.pointReached?.(integers[layout.FIRST]!);
        return 0;
      default:
        throw new TypeError(`the guest made the unknown call ${call}`);
    }
  }

  #program(): object {
    if (this.#subject === null) throw new TypeError("the guest asked about a program, and has no subject");
    return this.#subject;
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

function keyringIn(text: string): string {
  return (JSON.parse(text) as [string])[0];
}
