import { vi } from "vitest";

let passed = 0;

/**
 * Has tests decide what time it is: fakes these functions of time by vitest, and performance.now(), by which limits are
 * measured (src/monotonic.ts). `vi.useRealTimers` and `vi.restoreAllMocks` end that.
 */
export function fakeTime(
  ...toFake: readonly ("setTimeout" | "clearTimeout" | "setInterval" | "clearInterval")[]
): void {
  const started = Math.ceil(performance.now());
  vi.useFakeTimers({ toFake: ["Date", "performance", ...toFake], now: 1_000_000 });
  const now = performance.now.bind(performance);
  passed = started; // times of threads that have real ones are comparable
  vi.spyOn(performance, "now").mockImplementation(() => now() + passed);
}

/** Time passes in which no timer runs. The clock of the system is set back by as much: no limit depends on it. */
export function passTime(milliseconds: number): void {
  passed += milliseconds;
  vi.setSystemTime(Date.now() - milliseconds);
}
