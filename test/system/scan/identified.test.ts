import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { runsOf, TOOL_PATHS } from "../gate/libbpf-tools.js";
import { mountTracefs } from "../gate/site.js";
import { amount } from "../nightly.js";
import { type Line, needsScan, scanned } from "./scan-site.js";

/** Tools with programs of several types, with and without global data, and with programs that others have, too. */
const FEW = ["biolatency", "bindsnoop", "offcputime", "runqlat", "syscount", "tcplife"];
/** How often a tool is looked for: it loads within a second or two, or ends. */
const TRIES = 20;

/** Tools of libbpf-tools run as this kernel can, and scan says which of their programs each loaded one is. */
describe("programs of tools", () => {
  it("are identified as those of the tool's own executable", async (context) => {
    needsScan(context);
    if (TOOL_PATHS.length === 0) context.skip("needs libbpf-tools");
    mountTracefs();
    let count = 0;
    const unknown: string[] = [];
    for (const path of TOOL_PATHS.filter((each) => amount(0, 1) === 1 || FEW.includes(basename(each, "-libbpf")))) {
      for (const program of await programsOf(path)) {
        count += 1;
        const known: readonly Line[] = program.identified?.programs ?? [];
        if (!known.some(({ file, name }) => file === path && name.startsWith(program.name)))
          unknown.push(`${basename(path)}: ${program.name}`);
      }
    }
    expect(unknown).toEqual([]);
    expect(count).toBeGreaterThan(5);
    console.info(`${count} programs are identified`);
  }, 3_600_000);
});

/** The programs that a tool holds when it runs; none if it ends before. */
async function programsOf(path: string): Promise<readonly Line[]> {
  const [run] = runsOf(path, process.pid);
  const tool = spawn(path, run?.words.slice(1) ?? [], { stdio: "ignore" });
  const ended = once(tool, "exit");
  try {
    for (let tries = 0; tries < TRIES && tool.exitCode === null; tries++) {
      const programs = scanned().lines.filter(
        (line: Line) =>
          line.kind === "program" && line.references.some(({ by, pid }: Line) => by === "process" && pid === tool.pid),
      );
      // a tool that still loads has programs without links
      if (programs.length > 0 && programs.every(({ references }: Line) => references.some(isLink))) return programs;
    }
    return [];
  } finally {
    tool.kill("SIGKILL");
    await ended;
  }
}

const isLink = ({ by }: Line) => by === "link";
