/** What the engine lends to a policy: the functions behind the virtual module. The sandbox knows nothing of what they do. */
export interface HostFunctions {
  /** 0 or a negative errno. `signature` is null if the data may carry its own, or a name is not known. */
  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number;
  /** Lower-case hex. */
  hash(algorithm: string, data: Uint8Array): string;
  /** A JSON value, or undefined where the map has no such key. */
  map_lookup(map: string, key: string): unknown;
  /** 0 or a negative errno. */
  map_update(map: string, key: string, value: unknown): number;
  map_delete(map: string, key: string): number;
}
