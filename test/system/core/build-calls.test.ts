import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";

describe("the build of V8's code caches", () => {
  it.for(["command", "gate", "kernel", "thread"])("of %s calls neither bpf(2) nor seccomp(2)", (bundle, context) => {
    if (spawnSync("strace", ["-V"]).status !== 0) return context.skip("needs strace");
    const trace = join(mkdtempSync(join(tmpdir(), "countersign-trace-")), "calls");
    const command = [process.execPath, own("bin/code-cache.mjs"), bundle];
    const { status } = spawnSync("strace", ["-f", "-e", "trace=bpf,seccomp,prctl,execve", "-o", trace, ...command]);
    expect(status).toBe(0);
    const calls = readFileSync(trace, "utf8").split("\n");
    expect(calls[0], "the trace has what the process calls").toContain("execve(");
    expect(calls.filter((line) => /\b(?:bpf|seccomp)\(|PR_SET_SECCOMP|PR_SET_NO_NEW_PRIVS/.test(line))).toEqual([]);
  });
});
