import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { siteForTests, UNTHROTTLED } from "./site.js";

/** Where processors are busy or emulated, 8 MB take a while to be copied. */
const STALL = `gate: { stall: 10s, ${UNTHROTTLED} }\n`;
/** Small programs that one task loads while others load large ones. */
const SMALL = 200;
/**
 * Large ones that may be answered meanwhile: each takes longer than a hundred small ones. If the gate served one after
 * the other, there were as many as small ones. A busy machine lets up to 51 pass.
 */
const MOST_LARGE = SMALL / 2;

describe("tasks that load large programs again and again", () => {
  const site = siteForTests("export const bpf_prog_load = () => 0;", ["gcc"], STALL);

  const keepsNobodyWaiting = (...words: readonly string[]) => {
    const { stdout, stderr } = site().run(site().attack("greedy"), ...words);
    expect(stderr).toBe("");
    expect(stdout).not.toContain("failed");
    const [, loaded, answered] = /^(\d+) small ones loaded, (\d+) large ones answered$/m.exec(stdout) ?? [];
    expect(Number(loaded)).toBe(SMALL);
    expect(Number(answered)).toBeLessThan(MOST_LARGE);
  };

  it.each(["straight", "branches", "callers"].slice(0, amount(2, 3)))("keep nobody else waiting: %s", (program) =>
    keepsNobodyWaiting(program),
  );

  it.each(["callers", "straight"].slice(0, amount(1, 2)))(
    "keep nobody else waiting where the gate knows the program: %s",
    (program) => keepsNobodyWaiting(program, "again"),
  );

  it.each(["callers", "straight", "chain", "branches"].slice(0, amount(2, 4)))(
    "keep nobody else waiting without any capability, and are never analysed: %s",
    (program) => {
      const { stdout } = site().run(site().attack("greedy"), program, "unprivileged");
      expect(stdout).toContain(`${SMALL} small ones loaded`);
      const large = site().log.filter(({ hook }) => hook === "bpf_prog_load").length;
      expect(large).toBe(SMALL);
    },
  );

  it("keep nobody else waiting with more functions than the kernel takes, and are never analysed", () => {
    keepsNobodyWaiting("chain");
    expect(site().log.filter(({ hook }) => hook === "bpf_prog_load").length).toBe(SMALL);
  });
});

describe("tasks that make other calls that take the kernel long, again and again", () => {
  // where hook `bpf` is served, the gate makes all of them
  const site = siteForTests("export const bpf_prog_load = () => 0; export const bpf = () => 0;", ["gcc"], STALL);

  it.each(["map", "types", "run"])("keep nobody else waiting: %s", (name) => {
    const { stdout, stderr } = site().run(site().attack("greedy"), name);
    expect(stderr).toBe("");
    const [, loaded, answered] = /^(\d+) small ones loaded, (\d+) large ones answered\n$/.exec(stdout) ?? [];
    expect(Number(loaded)).toBe(SMALL);
    expect(Number(answered)).toBeLessThan(MOST_LARGE);
  });
});

describe("a task that dies while the kernel verifies its program", () => {
  const site = siteForTests("export const bpf_prog_load = () => 0;", ["gcc"], STALL);

  it("has that interrupted: the next large program does not wait for it", async () => {
    const attack = site().attack("dying");
    const [file = "", ...words] = site().words(attack, join(site().folder, "log.jsonl"));
    const gate = spawn(file, words, { stdio: ["ignore", "pipe", "inherit"] });
    const order: string[] = [];
    let bare: Promise<void> | null = null;
    for await (const chunk of gate.stdout)
      for (const line of String(chunk).trim().split("\n")) {
        order.push(line);
        // takes the kernel less than the program whose task was killed
        if (line === "killed")
          bare = new Promise((resolve) => {
            spawn(attack, ["bare"]).on("exit", (status) => {
              order.push(`bare ${status}`);
              resolve();
            });
          });
      }
    await bare;
    expect(order).toEqual(["killed", "loaded", "bare 0"]);
  });
});
