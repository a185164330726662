/**
 * Counts work instead of time. V8 counts how often each block of code runs (functions, arms of branches, bodies of
 * loops); the sum over this project's own code is the same on every machine, however busy it is. Work inside of natives
 * (regular expressions, OpenSSL, Buffer) is not counted.
 *
 * Counting begins when this module is loaded, and holds for code that is compiled later: import it for its effect,
 * before anything else.
 */
import { type Profiler, Session } from "node:inspector";

const session = new Session();
session.connect();
post("Profiler.enable");
post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/** Modules of this project; or the one that a fuzzer's target and all that it tries are bundled into. */
const OWN = /^(?!.*\/node_modules\/).*\/(?:src|dist)\/|\/node_modules\/\.fuzz-[^/]*\//;

/** The result of `work`, and how many blocks of the project's code it ran. */
export function worked<T>(work: () => T): { readonly result: T; readonly blocks: number } {
  take(); // counts begin anew with each look
  const result = work();
  return { result, blocks: take() };
}

/** The same for work that is waited for. */
export async function workedAsync<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly blocks: number }> {
  take();
  const result = await work();
  return { result, blocks: take() };
}

function take(): number {
  const { result } = post("Profiler.takePreciseCoverage") as Profiler.TakePreciseCoverageReturnType;
  let blocks = 0;
  for (const { url, functions } of result) {
    if (!OWN.test(url)) continue;
    for (const { ranges } of functions) for (const { count } of ranges) blocks += count;
  }
  return blocks;
}

/** A session in its own thread answers before `post` returns. */
function post(method: string, params?: object): unknown {
  let answer: unknown;
  session.post(method, params, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer;
}

/**
 * How many times more work each unit of a large input costs than each of a small one; `blocksOf` is the work for an
 * input of a size. About 1 where the work is in proportion to the size; the ratio of the sizes where it grows with the
 * square.
 */
export function growth(blocksOf: (size: number) => number, small: number, large: number): number {
  blocksOf(small); // what is done only once, such as filling tables
  // V8 loses counts of a function that it compiles again, so a run may show too little. When it does so depends on the
  // time that its own threads get: runs on both sides of the large one see what the large one has seen.
  const before = Math.max(blocksOf(small), blocksOf(small));
  const most = blocksOf(large);
  const least = Math.max(before, blocksOf(small), blocksOf(small));
  return most / large / (least / small);
}
