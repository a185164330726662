/** Thrown by a host function that does not know what it was asked. The policy faults, even if it catches the error. */
export class UnknownInput extends Error {}

/** The functions behind the virtual module, which the engine provides. The sandbox does not know what they do. */
export interface HostFunctions {
  /**
   * Returns 0 or a negative errno. `signature` is null if the data may carry its own, or if the guest does not know a
   * name.
   */
  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number;
  /** Returns a JSON value, or null where verify_signature would not return 0. */
  signer_of(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): unknown;
  /** Returns 0 or a negative errno for the program that is the decision's subject. */
  verify_program(subject: object, keyring: string): number;
  /** Returns an index in the subject's `statements`, or -1 where verify_program would not return 0. */
  statement_of(subject: object, keyring: string): number;
  /** Returns a JSON value, or null where verify_program would not return 0. */
  signer_of_program(subject: object, keyring: string): unknown;
  /** Returns lower-case hex. */
  hash(algorithm: string, data: Uint8Array): string;
  /** Returns a JSON value, or undefined if the map has no such key. */
  map_lookup(map: string, key: string): unknown;
  /** Returns 0 or a negative errno. */
  map_update(map: string, key: string, value: unknown): number;
  map_delete(map: string, key: string): number;
  /** Returns a part of bytes; if absent, the part of `data` itself. */
  read?(data: Uint8Array, offset: number, length: number): Uint8Array;
  /** The policy reads a field of `current` that is no number, such as `container.labels`. */
  fieldRead?(path: string): void;
  /**
   * The policy reads a fact: `subject` or `current`, and the names that lead to it, such as
   * `subject.effects.read_only`. Called only if the guest records reads.
   */
  factRead?(path: string): void;
  /** The policy reached a point for the first time in this decision. Called only if it was linked with points. */
  pointReached?(point: number): void;
}
