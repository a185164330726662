import { readLogs } from "../../log/read-log.js";
import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import { counter } from "../output/progress.js";
import { damagedRecord } from "./damaged-record.js";
import type { LogProblems } from "./log-problems.js";

/** Every record of some logs, in their order, with progress on a terminal. Damaged lines are added to `problems`. */
export async function* eachRecord(
  paths: readonly string[],
  reader: RecordReader,
  problems: LogProblems,
): AsyncGenerator<ReadLine> {
  const bar = await counter("decisions");
  for await (const entries of readLogs(paths, problems.add))
    for (const { file, line, record } of entries) {
      const read = reader.take(record);
      const problem = damagedRecord(read.damage, `${file}:${line}`);
      if (problem !== null) problems.add(problem);
      yield read;
      if (record.type === "decision") bar.step("");
    }
  bar.stop();
}
