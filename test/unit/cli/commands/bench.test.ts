import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { own, Workplace } from "../../../support/workplace.js";

const PROGRAM = own("examples/peek-tc.o");
const OTHER = own("examples/switch-watch.o");

describe("countersign bench", () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace(`
  - policy: policies/cheap.js
  - policy: policies/loop.js
  - { policy: policies/edge.js, scope: { labels: tier=edge } }
`);
    place.write("policies/cheap.js", "export function bpf_prog_load(prog) { return prog.type === 'lsm' ? -1 : 0; }");
    place.write(
      "policies/loop.js",
      `export function bpf_prog_load(prog) {
        let sum = 0;
        for (let i = 0; i < 1000; i++) sum += i;
        return sum < 0 ? -1 : 0;
      }
      export function bpf_map_create() { return 0; }`,
    );
    place.write("policies/edge.js", "export function bpf_prog_load(prog) { return 0; }");
    place.write(
      "faulty.yaml",
      `version: 1
attachments:
  - { policy: policies/throws.js, on_fault: allow }
`,
    );
    place.write("policies/throws.js", "export function bpf_prog_load() { throw new Error('no'); }");
    place.write(
      "endless.yaml",
      `version: 1
attachments:
  - { policy: policies/endless.js, limits: { timeout: 1ms, steps: 1000 } }
`,
    );
    place.write("policies/endless.js", "export function bpf_prog_load() { for (;;); }");
  });
  afterAll(() => rmSync(place.folder, { recursive: true, force: true }));

  const bench = (...words: readonly string[]) => runCommand("bench", "--config", place.config, ...words);

  it("has the decisions of each attachment about each subject, with steps and memory", async () => {
    const { code, out, err } = await bench("--json", "--rounds", "7", "--hook", "bpf_prog_load", PROGRAM, OTHER);
    expect([code, err]).toEqual([0, ""]);
    const { rounds, subjects, rows, memory, not_asked } = JSON.parse(out);
    expect({ rounds, subjects, not_asked }).toEqual({ rounds: 7, subjects: 2, not_asked: ["edge"] });
    expect(rows.map((row: Record<string, unknown>) => [row.hook, row.attachment, row.decisions, row.faults])).toEqual([
      ["bpf_prog_load", null, 14, 0],
      ["bpf_prog_load", "cheap", 14, 0],
      ["bpf_prog_load", "loop", 14, 0],
    ]);
    for (const { p50_us, p99_us, first_us } of rows) {
      expect(p50_us).toBeGreaterThan(0);
      expect(p99_us).toBeGreaterThanOrEqual(p50_us);
      expect(first_us).toBeGreaterThan(0);
    }
    expect(rows[2].steps).toBeGreaterThan(1000);
    expect(rows[1].steps).toBeLessThan(100);
    expect(memory).toEqual([
      { attachment: "cheap", bytes: expect.any(Number) },
      { attachment: "loop", bytes: expect.any(Number) },
      { attachment: "edge", bytes: null },
    ]);
  });

  it("asks at each hook that a load of the object has, and attachments in the scope of the task", async () => {
    const { out } = await bench("--json", "--rounds", "1", "--label", "tier=edge", OTHER);
    const rows: { hook: string; attachment: string | null }[] = JSON.parse(out).rows;
    expect(rows.map(({ hook, attachment }) => `${hook} ${attachment}`)).toEqual([
      "bpf_map_create null",
      "bpf_map_create loop",
      "bpf_prog_load null",
      "bpf_prog_load cheap",
      "bpf_prog_load loop",
      "bpf_prog_load edge",
    ]);
  });

  it("prints a table, and who was not asked", { tags: ["deep"] }, async () => {
    const { code, out } = await bench("--rounds", "2", PROGRAM);
    expect(code).toBe(0);
    expect(out).toMatch(/^HOOK +ATTACHMENT +DECISIONS +P50 +P99 +FIRST +STEPS +MEMORY +FAULTS *\n/);
    expect(out).toMatch(/^bpf_prog_load +loop +2 +[\d.]+ µs +[\d.]+ µs +[\d.]+ µs +\d+ +\d+ KiB/m);
    expect(out).toMatch(/not asked, .*: edge\n$/);
  });

  it("counts faults, which an attachment may allow, and exits with 2", async () => {
    const { code, out } = await runCommand(
      "bench",
      "--config",
      place.at("faulty.yaml"),
      "--json",
      "--rounds",
      "3",
      PROGRAM,
    );
    expect([code, JSON.parse(out).rows[1].faults]).toEqual([2, 4]);
  });

  it("ends a policy that does not return by its steps", async () => {
    const { code, out } = await runCommand(
      "bench",
      "--config",
      place.at("endless.yaml"),
      "--json",
      "--rounds",
      "1",
      PROGRAM,
    );
    expect([code, JSON.parse(out).rows[1]]).toEqual([2, expect.objectContaining({ steps: 1000, faults: 2 })]);
  });

  it.each([
    ["0", "USAGE"],
    ["100001", "USAGE"],
    ["1e3", "USAGE"],
  ])("rejects %s rounds", async (rounds, code) => {
    expect(await bench("--rounds", rounds, PROGRAM)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`[${code}]`),
    });
  });

  it("rejects a file that it cannot decide about, and a folder without one that it can", async () => {
    const blob = place.write("blob", "text");
    expect(await bench(blob)).toMatchObject({ code: 2, err: expect.stringContaining("[ELF_NO_PROGRAMS]") });
    expect(await bench(place.at("policies"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("[NOTHING_FOUND]"),
    });
    expect(await bench(place.at("none"))).toMatchObject({ code: 2, err: expect.stringContaining("[FILE_UNREADABLE]") });
  });
});
