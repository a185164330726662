/** The functions behind the virtual module, which the engine provides. The sandbox does not know what they do. */
export interface HostFunctions {
  /**
   * Returns 0 or a negative errno. `signature` is null if the data may carry its own, or if the guest does not know a
   * name.
   */
  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number;
  /** Returns lower-case hex. */
  hash(algorithm: string, data: Uint8Array): string;
  /** Returns a JSON value, or undefined if the map has no such key. */
  map_lookup(map: string, key: string): unknown;
  /** Returns 0 or a negative errno. */
  map_update(map: string, key: string, value: unknown): number;
  map_delete(map: string, key: string): number;
}
