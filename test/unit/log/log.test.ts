import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { CountersignError } from "../../../src/error.js";
import type { Decision } from "../../../src/hooks/decision.js";
import { DecisionLog } from "../../../src/log/log.js";
import { RotatingFile } from "../../../src/log/rotating.js";
import { mismatch } from "../../support/record-schema.js";
import { task } from "../../task.js";

const DENIAL = { verdict: -1, attachment: "tc", code: "DENIED_BY_POLICY", reason: "tc: no" } as const;
const decision = (given: Partial<Decision> = {}): Decision => ({
  id: "1",
  time: Date.UTC(2026, 0, 2),
  judged_time: Date.UTC(2026, 0, 2),
  hook: "bpf_prog_load",
  subject: { kind: "program", name: "xdp_pass", digest: "ab".repeat(32), path: "a.o" },
  current: task({ container: { id: "c0", name: "web", labels: { tier: "edge" }, annotations: { a: "b" } } }),
  operation: null,
  mode: "enforce",
  verdict: -1,
  enforced_verdict: -1,
  denied_by: DENIAL,
  audit_denials: [],
  answers: [
    {
      attachment: "tc",
      mode: "enforce",
      policy: "cd".repeat(32),
      verdict: -1,
      denial: DENIAL,
      fault: null,
      unused_reasons: ["not this one"],
      notes: [],
      helpers: ["verify_signature platform PKCS7: -ENODATA"],
      writes: [],
      steps: 7,
      duration_us: 3,
    },
  ],
  keyrings: { platform: 2 },
  duration_us: 5,
  ...given,
});

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), "countersign-log-")), "decisions.jsonl");
});
const lines = (path = file) => readFileSync(path, "utf8").split("\n").slice(0, -1);
const options = (more: object = {}) => ({ file, rotate: 2 ** 20, keep: 3, ...more });

describe("the decision log", () => {
  it("has one line a decision, there when write returns", () => {
    const log = new DecisionLog(options());
    log.write(decision());
    const [line, more] = lines();
    expect(more).toBeUndefined();
    expect(JSON.parse(line as string)).toEqual({
      level: "warn",
      type: "decision",
      version: 2,
      time: "2026-01-02T00:00:00.000Z",
      origin: "library",
      id: "1",
      hook: "bpf_prog_load",
      operation: null,
      mode: "enforce",
      verdict: -1,
      enforced_verdict: -1,
      denied_by: { verdict: -1, attachment: "tc", code: "DENIED_BY_POLICY", reason: "tc: no" },
      audit_denials: [],
      keyrings: { platform: 2 },
      duration_us: 5,
      subject: { kind: "program", name: "xdp_pass", digest: "ab".repeat(32), path: "a.o" },
      current: {
        ...{ pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "bpftool", exe: "/usr/sbin/bpftool", cgroup: null },
        container: { id: "c0", name: "web", labels: { tier: "edge" } },
      },
      answers: [
        {
          ...{ attachment: "tc", mode: "enforce", policy: "cd".repeat(32), verdict: -1, fault: null, notes: [] },
          unused_reasons: ["not this one"],
          helpers: ["verify_signature platform PKCS7: -ENODATA"],
          ...{ writes: [], steps: 7, duration_us: 3, code: "DENIED_BY_POLICY", reason: "tc: no" },
        },
      ],
    });
  });

  it("has the level error for a fault, warn for a denial, and info for an allowed operation", () => {
    const log = new DecisionLog(options());
    const fault = { code: "OUT_OF_STEPS", message: "", place: null } as const;
    log.write(decision({ denied_by: null, answers: [] }));
    log.write(decision({ denied_by: null, audit_denials: [DENIAL], answers: [] }));
    log.write(decision({ answers: decision().answers.map((answer) => ({ ...answer, fault })) }));
    expect(lines().map((line) => JSON.parse(line).level)).toEqual(["info", "warn", "error"]);
  });

  it("has what a shadow would decide otherwise, beside the decision, without masked values", () => {
    const log = new DecisionLog({ ...options(), mask: ["/current/container/labels/tier"] });
    const allowed = { verdict: 0, enforced_verdict: 0, denied_by: null };
    log.write(decision(allowed));
    const decided = { enforced_verdict: 0, denied_by: null, audit_denials: [] };
    log.shadow({ decision: decision(), shadow: "/srv/new.yaml", change: "denies", decided });
    const [first, second] = lines().map((line) => JSON.parse(line));
    expect(mismatch({ ...second, id: "01a220c3-2003-72f9-a12f-3bc8cdc67ab7" })).toBeNull();
    expect(second).toMatchObject({
      ...{ type: "shadow", level: "warn", id: first.id, shadow: "/srv/new.yaml", change: "denies", decided },
      ...{ enforced_verdict: -1, denied_by: { attachment: "tc" }, masked: ["/current/container/labels/tier"] },
    });
    expect(second.current.container.labels).toEqual({});
  });

  it("has once that loads of a container wait, without masked values", () => {
    const log = new DecisionLog({ ...options(), mask: ["/current/container/labels/tier"] });
    const labels = { tier: "edge", team: "a" };
    log.throttle({ id: "c0ffee", name: "router", labels, annotations: { secret: "x" } }, 200);
    const [record] = lines().map((line) => JSON.parse(line));
    expect(mismatch(record)).toBeNull();
    expect(record).toMatchObject({ type: "throttle", level: "warn", program_releases: 200 });
    expect(record.container).toEqual({ id: "c0ffee", name: "router", labels: { team: "a" } });
  });

  it("cannot be forged or broken by the names of tasks and policies", () => {
    const log = new DecisionLog(options());
    const hostile = 'a\n{"verdict":0}\r\u2028\0\u001b[2J\ud800"\\';
    const container = { id: hostile, name: hostile, labels: { [hostile]: hostile }, annotations: {} };
    log.write(
      decision({
        subject: { kind: "blob", name: hostile, digest: "", path: hostile },
        current: task({ comm: hostile, exe: hostile, container }),
        answers: decision().answers.map((answer) => ({ ...answer, notes: [hostile], helpers: [hostile] })),
      }),
    );
    const [line, more] = lines();
    expect(more).toBeUndefined();
    const record = JSON.parse(line as string);
    expect(record.verdict).toBe(-1);
    expect(record.current.container.labels).toEqual({ [hostile]: hostile });
    expect(record.answers[0].notes).toEqual([hostile]);
  });

  it("limits the length of strings from outside in a line", () => {
    const log = new DecisionLog(options());
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, "x".repeat(10_000)]));
    log.write(decision({ current: task({ container: { id: "c", name: null, labels, annotations: {} } }) }));
    expect(lines()[0]?.length).toBeLessThan(400_000);
    expect(JSON.parse(lines()[0] as string).current.container.labels["…"]).toBe("10000 labels");
  });

  it("throws at start if it cannot be written", () => {
    expect(() => new DecisionLog(options({ file: join(file, "below", "a") }))).toThrow(CountersignError);
  });
});

describe("rotation", () => {
  const numbered = (path: string) => lines(path).map(Number);

  it("keeps so many files, loses no line of them, and begins each with a whole line", () => {
    const log = new RotatingFile(options({ rotate: 30, keep: 3 }));
    for (let index = 100; index < 200; index++) log.write(`${index}\n`);
    const folder = join(file, "..");
    expect(readdirSync(folder).sort()).toEqual(["", ".1", ".2", ".3"].map((end) => `decisions.jsonl${end}`));
    const kept = [`${file}.3`, `${file}.2`, `${file}.1`, file].flatMap(numbered);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 200 - kept.length + index));
    expect(kept.length).toBeGreaterThan(21);
  });

  it("gives a line that is longer than a file one of its own", () => {
    const log = new RotatingFile(options({ rotate: 10, keep: 2 }));
    for (const line of ["a", "b".repeat(50), "c"]) log.write(`${line}\n`);
    expect([lines(`${file}.2`), lines(`${file}.1`), lines()]).toEqual([["a"], ["b".repeat(50)], ["c"]]);
  });

  it("leaves it to another process that renames files now, and does it once that one is done", () => {
    const log = new RotatingFile(options({ rotate: 10 }));
    writeFileSync(`${file}.rotating`, "");
    for (const line of ["11111111", "22222222"]) log.write(`${line}\n`);
    expect([lines(), existsSync(`${file}.1`)]).toEqual([["11111111", "22222222"], false]);
    rmSync(`${file}.rotating`);
    log.write("33333333\n");
    expect([lines(), lines(`${file}.1`)]).toEqual([["33333333"], ["11111111", "22222222"]]);
    expect(readdirSync(join(file, "..")).sort()).toEqual(["decisions.jsonl", "decisions.jsonl.1"]);
  });

  it.each([-60, 60])("does not wait for a process that ended while it renamed files, %i s ago", (seconds) => {
    const log = new RotatingFile(options({ rotate: 10 }));
    log.write("11111111\n");
    writeFileSync(`${file}.rotating`, "");
    const then = Date.now() / 1000 - seconds;
    utimesSync(`${file}.rotating`, then, then);
    log.write("22222222\n");
    expect([lines(), lines(`${file}.1`)]).toEqual([["22222222"], ["11111111"]]);
    expect(readdirSync(join(file, "..")).sort()).toEqual(["decisions.jsonl", "decisions.jsonl.1"]);
  });

  it("continues in the new file if another process renamed the old one", () => {
    const [one, other] = [new RotatingFile(options({ rotate: 10 })), new RotatingFile(options({ rotate: 10 }))];
    one.write("11111111\n");
    other.write("22222222\n");
    one.write("33333333\n");
    other.write("44444444\n");
    const kept = ["", ".1", ".2", ".3"].flatMap((end) => (existsSync(`${file}${end}`) ? lines(`${file}${end}`) : []));
    expect(kept.sort()).toEqual(["11111111", "22222222", "33333333", "44444444"]);
  });

  it("starts a new file if the old one was deleted, and throws if its folder was deleted too", () => {
    const log = new RotatingFile(options());
    log.write("1\n");
    rmSync(file);
    log.write("2\n");
    expect(lines()).toEqual(["2"]);
    rmSync(join(file, ".."), { recursive: true });
    for (let again = 0; again < 2; again++) expect(() => log.write("3\n")).toThrow("the log cannot be opened: ENOENT");
  });

  it("writes to an fd that it is given, and neither rotates, replaces nor closes it", () => {
    const fd = openSync(file, "a");
    const log = new RotatingFile(options({ fd, rotate: 1 }));
    log.write("1\n");
    rmSync(file);
    log.write("2\n");
    log.close();
    expect(fstatSync(fd)).toMatchObject({ size: 4, nlink: 0 });
    expect(existsSync(file) || existsSync(`${file}.1`)).toBe(false);
    closeSync(fd);
  });

  it("can be opened by a path that lasts while somebody else has it open, wherever its name leads", () => {
    const held = new RotatingFile(options());
    renameSync(file, `${file}.moved`);
    symlinkSync("/dev/null", file);
    const log = new RotatingFile(options({ first: held.lasting }));
    log.write("1\n");
    expect(lines(`${file}.moved`)).toEqual(["1"]);
  });

  it("throws while its pipe is full, and continues after that", () => {
    execFileSync("mkfifo", [file]);
    const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    const log = new RotatingFile(options({ fd }));
    expect(() => {
      for (;;) log.write(`${"x".repeat(1999)}\n`);
    }).toThrow("EAGAIN");
    const buffer = Buffer.alloc(1 << 20);
    readSync(reader, buffer);
    log.write("next\n");
    expect(buffer.toString("utf8", 0, readSync(reader, buffer))).toBe("next\n");
    // the kernel writes so short a line as a whole or not at all (PIPE_BUF)
    expect(log.torn).toBe(0);
    closeSync(fd);
    closeSync(reader);
  });

  it("throws when a line can't be written", () => {
    const log = new RotatingFile(options());
    log.close();
    expect(() => log.write("x\n")).toThrow("the log cannot be written");
  });
});

describe("a torn line", () => {
  const HALF = '{"level":';
  const WHOLE = '{"level":"info"}';

  it.each<[string, () => RotatingFile]>([
    [
      "by a process that has ended",
      () => {
        writeFileSync(file, `${WHOLE}\n${HALF}`);
        return new RotatingFile(options());
      },
    ],
    [
      "before anything else was written",
      () => {
        writeFileSync(file, HALF);
        return new RotatingFile(options());
      },
    ],
    [
      "by another process since the last line",
      () => {
        const log = new RotatingFile(options());
        log.write(`${WHOLE}\n`);
        appendFileSync(file, HALF);
        return log;
      },
    ],
    [
      "by another process before the first line",
      () => {
        const log = new RotatingFile(options());
        appendFileSync(file, HALF);
        return log;
      },
    ],
    [
      "in a file that has no room for another line",
      () => {
        const log = new RotatingFile(options({ rotate: 60 }));
        log.write(`${WHOLE}\n`);
        appendFileSync(file, HALF);
        log.write(`${"1".repeat(40)}\n`);
        return log;
      },
    ],
    [
      "in a file that another process has begun",
      () => {
        const log = new RotatingFile(options());
        rmSync(file);
        writeFileSync(file, HALF);
        return log;
      },
    ],
  ])("%s is ended once and counted, and the next record is on a line of its own", (_, make) => {
    const log = make();
    for (const line of ["1", "2"]) log.write(`{"line":${line}}\n`);
    expect(log.torn).toBe(1);
    const all = ["", ".1", ".2"].flatMap((end) =>
      existsSync(`${file}${end}`) ? [readFileSync(`${file}${end}`, "utf8")] : [],
    );
    for (const text of all) expect(text.endsWith("\n")).toBe(true);
    const written = all.flatMap((text) => text.split("\n"));
    expect(written.filter((line) => line === HALF)).toHaveLength(1);
    expect(written.filter((line) => line.startsWith('{"line"')).sort()).toEqual(['{"line":1}', '{"line":2}']);
  });

  it("that another process has ended is not ended again", () => {
    const log = new RotatingFile(options());
    appendFileSync(file, `${WHOLE}\n`);
    log.write(`${WHOLE}\n`);
    appendFileSync(file, `${WHOLE}\n`);
    log.write(`${WHOLE}\n`);
    expect([log.torn, lines()]).toEqual([0, [WHOLE, WHOLE, WHOLE, WHOLE]]);
  });

  it.skipIf(process.platform === "win32")("is ended and counted in a pipe with a slow reader", () => {
    execFileSync("mkfifo", [file]);
    const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const log = new RotatingFile(options());
    const long = "x".repeat(1 << 20);
    expect(() => log.write(`${long}\n`)).toThrow("the log cannot be written: EAGAIN");
    expect(() => log.write(`${WHOLE}\n`)).toThrow("the log cannot be written: EAGAIN");
    const chunk = Buffer.alloc(1 << 20);
    const first = readSync(reader, chunk);
    log.write(`${WHOLE}\n`);
    log.write(`${WHOLE}\n`);
    const rest = chunk.toString("latin1", 0, readSync(reader, chunk));
    closeSync(reader);
    expect(first).toBeGreaterThan(0);
    expect([log.torn, rest]).toEqual([1, `\n${WHOLE}\n${WHOLE}\n`]);
  });
});
