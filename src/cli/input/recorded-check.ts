import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decideFile, type FileRequest } from "../../engine/file-decisions.js";
import { CountersignError } from "../../error.js";
import { type ReadLine, RecordReader } from "../../log/record-reader.js";
import type { ChosenKernel } from "./chosen-kernel.js";
import { openEngine } from "./open-engine.js";

/** A decision about a file as a log with all inputs has it. */
export interface RecordedCheck {
  readonly file: string;
  readonly line: ReadLine;
  readonly reader: RecordReader;
}

/**
 * Decides about files as `check` does, and records the decisions with all inputs in a log of their own, which is
 * removed. With `kernel`, facts about programs are those on it. `onError` gets the error of each file that cannot be
 * decided about. Throws as opening an engine does.
 */
export async function recordedCheck(
  files: readonly string[],
  config: string,
  request: FileRequest,
  kernel: ChosenKernel | null,
  onError: (file: string, error: CountersignError) => void,
): Promise<readonly RecordedCheck[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-explain-"));
  try {
    const file = join(folder, "decisions.jsonl");
    const log = { file, rotate: Number.MAX_SAFE_INTEGER, keep: 1, level: "inputs" } as const;
    const engine = await openEngine(config, "check", null, request.time, () => log);
    const decided: { readonly file: string; readonly id: string }[] = [];
    try {
      for (const one of files)
        try {
          const decide = () => decideFile(engine, one, { ...request, wholeLoad: true, relocate: kernel?.relocator() });
          const decisions = await (kernel === null ? decide() : kernel.target.use(decide));
          decided.push(...decisions.map(({ decision }) => ({ file: one, id: decision.id })));
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          onError(one, error);
        }
    } finally {
      engine.close();
    }
    return decided.length === 0 ? [] : read(file, decided);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(log: string, decided: readonly { readonly file: string; readonly id: string }[]): RecordedCheck[] {
  const reader = new RecordReader();
  const lines = new Map<string, ReadLine>();
  for (const text of readFileSync(log, "utf8").trimEnd().split("\n")) {
    const line = reader.read(text);
    if (line.record?.type === "decision" && line.record.id !== undefined) lines.set(line.record.id, line);
  }
  return decided.flatMap(({ file, id }) => {
    const line = lines.get(id);
    return line === undefined ? [] : [{ file, line, reader }];
  });
}
