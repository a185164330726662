/** CLOCK_MONOTONIC at the time origin of this thread, in whole milliseconds. */
const ORIGIN = Math.round(Number(process.hrtime.bigint()) / 1e6 - performance.now());

/**
 * Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)), the same in all threads but for 1 ms. Limits are measured by it:
 * a task with CAP_SYS_TIME can set the clock of Date.now() back again and again, so that no time would seem to pass.
 */
export function monotonic(): number {
  return ORIGIN + performance.now();
}
