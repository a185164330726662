import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mountTracefs, needsGate, Site } from "./site.js";

const ALLOW = "export const bpf_prog_load = () => 0, bpf_prog = () => 0;";
const FOLDER = "/usr/sbin";
const TOOLS = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith("-libbpf")) : [];
/** Tools whose first line is always the same. */
const WITH_HEADER: readonly string[] = [
  ...["opensnoop", "tcplife", "exitsnoop", "statsnoop", "mountsnoop", "runqlat", "biolatency", "cpudist"],
  ...["drsnoop", "gethostlatency", "hardirqs", "killsnoop", "runqslower", "softirqs", "syncsnoop", "tcpstates"],
].map((name) => `${name}-libbpf`);
/** How long each tool has, in seconds, and how many run at a time; and how long one has by itself. */
const [TIME, ABREAST, ALONE] = [3, 8, 20];
/** What timeout(1) answers for a tool that had to be stopped. */
const STOPPED = "124";

const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;

/**
 * Each tool of libbpf-tools, whether this kernel has what it needs or not: it works, or gives up, as without the gate.
 * In the long form: in each run, stated-tools.test.ts has the same tools do so under a policy that verifies them.
 */
describe("the tools of libbpf-tools", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(ALLOW);
    if (TOOLS.length === 0 || !isNightly) return;
    mountTracefs();
    both(TOOLS, TIME);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    if (!isNightly) context.skip("stated-tools.test.ts runs the same tools: nightly");
    if (TOOLS.length === 0) context.skip("needs libbpf-tools");
  });

  /** Runs tools without a gate, and behind one. */
  const both = (tools: readonly string[], seconds: number) => {
    for (const where of ["bare", "gated"] as const) {
      const folder = join(site.folder, where);
      mkdirSync(folder, { recursive: true });
      const each = `timeout -s INT ${seconds} $1 > $0/$1.out 2> $0/$1.err < /dev/null; echo $? > $0/$1.rc`;
      const script = `printf '%s\\n' ${tools.join(" ")} | xargs -P ${ABREAST} -n 1 sh -c '${each}' "$0"`;
      if (where === "bare") site.bare("sh", "-c", script, folder);
      else site.run("sh", "-c", script, folder);
    }
  };
  const read = (where: string, name: string) => readFileSync(join(site.folder, where, name), "utf8");
  /**
   * How a tool ended, and what it had to say to that; one that had to be stopped works, and shows other things each
   * time.
   */
  const came = (where: string, tool: string) => {
    const status = read(where, `${tool}.rc`).trim();
    const [first = ""] = read(where, `${tool}.err`).split("\n");
    if (status !== STOPPED) return [status, first.replaceAll(/0x[0-9a-f]+/g, "0x…")];
    return WITH_HEADER.includes(tool) ? [status, read(where, `${tool}.out`).split("\n")[0]] : [status];
  };

  it.each(TOOLS)("%s", (tool) => {
    // on a busy machine one of eight may take longer to give up than it has: the time says nothing then
    if (came("gated", tool).join() !== came("bare", tool).join()) both([tool], ALONE);
    expect(came("gated", tool)).toEqual(came("bare", tool));
  });

  it("work here, a good third of them", () => {
    const working = TOOLS.filter((tool) => came("gated", tool)[0] === STOPPED);
    expect(working.length).toBeGreaterThan(20);
    expect(site.log.filter(({ denied_by }) => denied_by !== null)).toEqual([]);
  });
});
