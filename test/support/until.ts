import { vi } from "vitest";

/**
 * Milliseconds. Only what never happens takes as long, however busy the machine is; less than a test's own time limit,
 * so that the check says what did not happen.
 */
const PATIENCE = 100_000;

/** Waits until a check passes. If it does not, the test fails as the check does. `interval` is in milliseconds. */
export function until<Value>(check: () => Value | Promise<Value>, interval = 20): Promise<Value> {
  return vi.waitFor(check, { timeout: PATIENCE, interval });
}
