import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** What one row leaves behind, the next one would pay for. */
const collect = runInNewContext("gc");

/** Nanoseconds that one batch should take: long against the clock's own cost, short against what disturbs a machine. */
const BATCH = 2e6;
const now = () => Number(process.hrtime.bigint());

/**
 * Measures rows by turns. p50 is the median over batches of the mean of a batch, in microseconds; p99 is that of calls
 * timed one by one, the clock's own cost (some 0.1 µs) included.
 */
export async function measure(rows, quick) {
  const rounds = quick ? 15 : 60;
  const measured = rows.map((row) => ({ ...row, batches: [], calls: [] }));
  const live = measured.filter(({ run }) => run !== undefined);
  for (const row of live) row.size = await warm(row.run);
  for (let round = 0; round < rounds; round++) {
    for (const row of live) {
      collect({ type: "minor" });
      // and what that took from this one, it has back after a batch that is not counted
      for (let i = 0; i < row.size; i++) row.run();
      const start = now();
      for (let i = 0; i < row.size; i++) row.run();
      row.batches.push((now() - start) / row.size / 1000);
      const single = Math.max(1, Math.min(row.size, 100));
      for (let i = 0; i < single; i++) {
        const before = now();
        row.run();
        row.calls.push((now() - before) / 1000);
      }
    }
  }
  for (const row of live) {
    row.p50 = quantile(row.batches, 0.5);
    row.p99 = quantile(row.calls, 0.99);
  }
  return measured;
}

/** How many calls make a batch, once the row is warm. */
async function warm(run) {
  const until = now() + 300e6;
  let calls = 0;
  let last = now();
  let took = 0;
  while (now() < until || calls < 10) {
    const result = run();
    if (result instanceof Promise) throw new TypeError("a row's run must be synchronous");
    calls += 1;
    if (calls % 10 === 0) {
      took = (now() - last) / 10;
      last = now();
    }
  }
  return Math.max(1, Math.round(BATCH / took));
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
