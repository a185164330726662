import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CountersignError } from "../../../src/error.js";
import { MAX_LINE } from "../../../src/log/follow.js";
import { openLogs } from "../../../src/log/log-files.js";
import { readFiles, readLogs } from "../../../src/log/read-log.js";

const line = (id: string | number) => `${JSON.stringify({ version: 2, type: "decision", id: String(id) })}\n`;

describe("reading logs", () => {
  let folder: string;
  let path: string;
  let problems: CountersignError[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "read-log-"));
    path = join(folder, "log");
    problems = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function collect(batches: ReturnType<typeof readLogs>): Promise<string[]> {
    const found: string[] = [];
    for await (const entries of batches)
      found.push(...entries.map(({ file, line, record }) => `${file.slice(folder.length + 1)}:${line} ${record.id}`));
    return found;
  }
  const read = (...paths: string[]) => collect(readLogs(paths, (problem) => problems.push(problem)));
  const said = () => problems.map(({ code, place }) => `${code} ${place?.slice(folder.length + 1)}`);

  it("begins with the oldest rotated file, whose numbers are no text, and decompresses", async () => {
    writeFileSync(path, line("new"));
    for (const [name, content] of [
      ["log.1", line("a") + line("b")],
      ["log.2.gz", gzipSync(line("2"))],
      ["log.3", line("3")],
      ["log.3.gz", "not finished"],
      ["log.10", gzipSync(line("10"))],
      ["log.old", line("another")],
      ["log.01", line("another")],
      ["catalog.1", line("another")],
    ] as const)
      writeFileSync(join(folder, name), content);
    expect(await read(path)).toEqual([
      "log.10:1 10",
      "log.3:1 3",
      "log.2.gz:1 2",
      "log.1:1 a",
      "log.1:2 b",
      "log:1 new",
    ]);
    expect(problems).toEqual([]);
  });

  it("reads a file once, however often it is named, and one rotated file alone", async () => {
    writeFileSync(path, line("new"));
    writeFileSync(`${path}.1`, line(1));
    expect(await read(path, `${path}.1`, path)).toEqual(["log.1:1 1", "log:1 new"]);
    expect(await read(`${path}.1`)).toEqual(["log.1:1 1"]);
  });

  it("has what was there at the start, also if the log is rotated before it is read", async () => {
    writeFileSync(path, line("new"));
    writeFileSync(`${path}.1`, line(1));
    const files = openLogs([path]);
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, line("later"));
    expect((await collect(readFiles(files, () => {}))).map((entry) => entry.split(" ")[1])).toEqual(["1", "new"]);
  });

  it("reads a log that is being rotated and so missing, but not one that does not exist, nor a folder", async () => {
    writeFileSync(`${path}.1`, line(1));
    expect(await read(path)).toEqual(["log.1:1 1"]);
    await expect(async () => read(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    mkdirSync(join(folder, "folder"));
    await expect(async () => read(join(folder, "folder"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: "cannot be read: EISDIR",
    });
  });

  it("names damaged lines and reads all others", async () => {
    const whole = line(1);
    writeFileSync(path, `${whole}${whole.slice(0, 20)}\n\n\0\0\0\n${line(5)}{"version":3}\n${line(7)}`);
    appendFileSync(path, whole.slice(0, 9));
    expect(await read(path)).toEqual(["log:1 1", "log:5 5", "log:7 7"]);
    expect(said()).toEqual(["LOG_DAMAGED log:2", "LOG_DAMAGED log:4", "LOG_VERSION log:6", "LOG_DAMAGED log:8"]);
    for (const { remedy } of problems) expect(remedy).toMatch(/^(?:check|read) /);
  });

  it("reads a record that follows an incomplete one in its line, and names the line", async () => {
    const record = (id: string) => `{"level":"info","type":"decision","version":2,"time":"","id":"${id}"}`;
    writeFileSync(path, `${record("1")}\n${record("2").slice(0, 40)}${record("3")}\n${record("4")}\n`);
    expect(await read(path)).toEqual(["log:1 1", "log:2 3", "log:3 4"]);
    expect(said()).toEqual(["LOG_DAMAGED log:2"]);
  });

  it("reads every line before the place at which gzip is cut off", async () => {
    const lines = Array.from({ length: 2000 }, (_, index) => line(`${index}-${Math.sin(index)}`));
    const whole = gzipSync(lines.join(""));
    writeFileSync(path, line("new"));
    writeFileSync(`${path}.1.gz`, whole.subarray(0, whole.length - 1000));
    const found = await read(path);
    expect(found.length).toBeGreaterThan(1000);
    expect(found.at(-1)).toBe("log:1 new");
    expect(problems.at(-1)).toMatchObject({ code: "LOG_DAMAGED", message: expect.stringContaining("decompressed") });
  });

  it("has lines and characters whole, wherever the chunks end", async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => line(`${index}${"ü".repeat(500)}`));
    writeFileSync(path, lines.join(""));
    expect(readFileSync(path).length).toBeGreaterThan(2 ** 21);
    expect(await read(path)).toEqual(lines.map((_, index) => `log:${index + 1} ${index}${"ü".repeat(500)}`));
  });

  it("says once that a file without any record is no log, unless it has one line", async () => {
    writeFileSync(path, "\x7fELF\n{\n\nx");
    expect(await read(path)).toEqual([]);
    expect(said()).toEqual(["LOG_DAMAGED log"]);
    expect(problems[0]!.message).toBe("is no decision log: none of its 3 lines is a record");
    writeFileSync(path, "{");
    await read(path);
    expect(said().at(-1)).toBe("LOG_DAMAGED log:1");
  });

  it("names each line before the first record, and those of a later version", async () => {
    writeFileSync(path, `{\n{\n${line(3)}`);
    expect(await read(path)).toEqual(["log:3 3"]);
    expect(said()).toEqual(["LOG_DAMAGED log:1", "LOG_DAMAGED log:2"]);
    writeFileSync(path, '{\n{\n{"version":3}\n');
    await read(path);
    expect(said().slice(2)).toEqual(["LOG_DAMAGED log:1", "LOG_DAMAGED log:2", "LOG_VERSION log:3"]);
  });

  it("names each damaged line after the first record", async () => {
    writeFileSync(path, line(1) + "{\n".repeat(3));
    expect(await read(path)).toEqual(["log:1 1"]);
    expect(said()).toEqual([2, 3, 4].map((number) => `LOG_DAMAGED log:${number}`));
  });

  it("drops a line that is too long, and names it", async () => {
    writeFileSync(path, `${line(1)}${"x".repeat(MAX_LINE + 1)}\n${line(3)}`);
    expect(await read(path)).toEqual(["log:1 1", "log:3 3"]);
    expect(said()).toEqual(["LOG_DAMAGED log:2"]);
  });
});
