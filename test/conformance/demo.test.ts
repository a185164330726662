import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Decision } from "../../src/hooks/decision.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the demo", () => {
  let text: string;
  let log: string;
  let decisions: Decision[];

  beforeAll(() => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "examples/demo.mjs")], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    text = stdout;
    log = /are in (.+decisions\.jsonl)$/m.exec(text)?.[1] ?? "";
    decisions = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  });
  afterAll(() => rmSync(dirname(log), { recursive: true, force: true }));

  /** The decisions on loads of a program by containers of a tier. */
  const of = (tier: string, program: string) =>
    decisions.filter(
      ({ hook, current, subject }) =>
        hook === "bpf_prog_load" && current.container?.labels?.tier === tier && subject.name === program,
    );

  it("prints plain text of at most 100 columns where there is no terminal", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    // the log's place is as long as it is
    expect(
      Math.max(
        ...text
          .split("\n")
          .filter((line) => !line.includes(log))
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });

  it("decides by at least five policies", () => {
    const asked = decisions.flatMap(({ answers }) => answers.map(({ attachment }) => attachment));
    expect(new Set(asked).size).toBeGreaterThanOrEqual(5);
  });

  it("treats a locked-down container otherwise than an ordinary one, and audit otherwise than both", () => {
    expect(of("dev", "log_exec").map(({ verdict }) => verdict)).toEqual([0]);
    const [enforced, audited] = of("edge", "log_exec");
    expect(enforced?.denied_by).toMatchObject({ attachment: "container-lockdown" });
    expect(audited).toMatchObject({ verdict: 0, mode: "audit", denied_by: enforced?.denied_by });
  });

  it("prints the reason of each denial, and says how many decisions the log has", () => {
    const flat = text.replace(/\s+/g, " ");
    for (const { denied_by } of decisions)
      if (denied_by !== null)
        expect(flat).toContain(denied_by.reason.replace(/ \(verify_(?:program|signature) .*\)$/, ""));
    expect(text).toContain(`${decisions.length} decisions`);
  });
});
