import { vi } from "vitest";

/**
 * `node:crypto` with a `hash` whose calls are counted, for `vi.mock`. With `spy: true` for the whole module, vitest
 * also replaces the `write` method that `process.stdout` inherits: files that run later in this process print nothing.
 */
export function withCountedHash(crypto: typeof import("node:crypto")): typeof import("node:crypto") {
  return { ...crypto, hash: vi.fn(crypto.hash) as unknown as typeof crypto.hash };
}
