/** What TAB does at the prompt of `repl`, in a terminal as a person has it. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { own, Workplace } from "../../support/workplace.js";
import { Terminal } from "../terminal.js";

const TAB = "\t";
const CONTROL_D = "\x04";

describe("the prompt of `countersign repl` in a terminal", () => {
  let place: Workplace;
  let terminal: Terminal;

  beforeAll(() => {
    place = new Workplace("  - policy: policies/other.js\n");
    place.write("policies/other.js", "export function bpf_prog_load() { return -1; }");
  });
  afterAll(() => rmSync(place.folder, { recursive: true, force: true }));
  beforeEach(async (context) => {
    if (spawnSync("script", ["--version"]).status !== 0) context.skip("needs script(1) of util-linux");
    const words = ["repl", "--config", place.config, "--uid", "1000", own("examples/peek-tc.o")];
    const command = [process.execPath, own("bin/countersign.js"), ...words];
    terminal = new Terminal(`exec env TERM=xterm COLUMNS=200 ${command.join(" ")}`);
    await terminal.shows("prog> ");
  });
  afterEach(() => terminal?.close());

  /**
   * Types a text, and TAB on its own, which adds `rest`: a TAB before the end of what arrives at once is pasted, and
   * completes nothing.
   */
  async function completes(typed: string, rest: string): Promise<void> {
    terminal.type(typed);
    await terminal.shows(typed);
    terminal.type(TAB);
    await terminal.shows(rest);
  }

  /** Ends the line; returns what it evaluates to, without the colours. */
  async function evaluates(): Promise<string> {
    terminal.type("\n");
    await terminal.shows("\n");
    const shown = await terminal.shows("prog> ");
    return stripVTControlCharacters(shown).split("\n")[0]!;
  }

  it("completes a fact that only one name can be, which then evaluates", async () => {
    await completes("prog.ty", "pe");
    expect(await evaluates()).toBe("'sched_cls'");
    await completes("current.ui", "d");
    expect(await evaluates()).toBe("1000");
    await completes("prog.effects.reads_k", "ernel_memory");
    terminal.type(" === true");
    expect(await evaluates()).toBe("true");
  });

  it("lists the names that fit when TAB is pressed again, and goes on with the line", async () => {
    await completes("prog.effects.reads", "_");
    terminal.type(TAB);
    const listed = await terminal.shows("prog> ");
    expect(listed).toContain("prog.effects.reads_user_memory");
    expect(listed).toContain("prog.effects.reads_kernel_memory");
    expect(listed).not.toContain("pe");
    await terminal.shows("prog.effects.reads_");
    await completes("k", "ernel_memory");
    expect(await evaluates()).toBe("true");
  });

  it("completes helpers, and nothing after a name that does not exist", async () => {
    await completes("typeof verify_prog", "ram");
    expect(await evaluates()).toBe("'function'");
    terminal.type("typeof prog.none");
    await terminal.shows("prog.none");
    terminal.type(TAB);
    expect(await evaluates()).toMatch(/reads `none`.*\[POLICY_UNKNOWN_FACT\]/);
  });

  it("ends with the end of input", async () => {
    terminal.type(CONTROL_D);
    expect(await terminal.ends()).toBe("script(1) ended (0)");
  });
});
