import { describe, expect, it } from "vitest";
import { compiled, describedPrograms, entryOf, plainEntry, ticketsOf } from "./guard/described-programs.js";
import { Loads } from "./guard/sealed-loads.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { testedKernels } from "./guests/tested-kernels.js";

/** What each case of guard/tickets.c comes to: `loaded`, or why the guard denies it with EPERM. */
const EXPECTED = {
  agent: "this process",
  "without a ticket": "unlisted",
  "first load": "loaded",
  "second load": "unlisted",
  "withdrawal of a used ticket": "ENOENT",
  "other program": "ticket",
  "the program, after it": "loaded",
  withdrawal: "done",
  "after the withdrawal": "unlisted",
  "replaced ticket": "ticket",
  "ticket that replaced it": "loaded",
  "listed program with other maps": "loaded",
  "listed program, without a ticket": "maps",
  "listed program, as listed": "loaded",

  "as written": "loaded",
  "other instruction": "ticket",
  "other type": "ticket",
  "other flags": "ticket",
  "other licence": "ticket",
  "other attach type": "ticket",
  "other attach target": "ticket",
  core_relos: "core_relos",
  "offset into a map": "maps",
  "one map for two": "maps",
  "one map by two fds": "maps",
  "map type": "maps",
  "key size": "maps",
  "value size": "maps",
  "maximum of entries": "maps",
  "map flags": "maps",
  "contents that are not frozen": "maps",
  "contents that programs may write": "maps",
  contents: "maps",
  "contents of a setting": "maps",
  indexes: "loaded",
  "inner map": "loaded",
  "inner map of another size": "maps",
  "many references": "loaded",
  "the last reference": "maps",
  // nobody else reaches the fds of the agent
  "dead reference, of a thread of the agent": "loaded",
  "variable of a module": "ticket",
  "attach target": "loaded",
  sysctl: "loaded",
  "sysctl that can undo the guard": "never",

  "attach to a program, ticket for the kernel": "ticket",
  "attach to a program": "loaded",
  "attach to another program": "ticket",
  "attach to a program, ticket for a module": "ticket",

  "ticket for a task": "done",
  "task with a ticket": "loaded",
  "task, again": "unlisted",
  "ticket written by root": "agent",
  "root, after it": "unlisted",
  "task that executed a program": "ticket",
  "dead reference, of another task with a thread": "maps",
  "child of a task with a ticket": "unlisted",
  "its parent": "loaded",
  "process with the id of one that had a ticket": "unlisted",
  "reused id": "the same",
  "ticket for a task that is gone": "ESRCH",
  "another thread of the process": "unlisted",
  "the thread that has the ticket": "loaded",
  "thread for which another one wrote the ticket": "loaded",

  "after the deadline": "ticket",
  "after the deadline, again": "unlisted",
  "past deadline": "ERANGE",
  "distant deadline": "ERANGE",
  "unknown flag": "EINVAL",
  "reserved field": "EINVAL",
  "shorter ticket": "EINVAL",
  "longer ticket": "EINVAL",
  tickets: "all, one more: ENOSPC",
  "one more after a withdrawal": "done",
  "one more after all ended": "done",
  "ticket from before the lock": "locked_down",
  "ticket after the lock": "EPERM",
} as const;

/** Each ticket is for one of eight threads, which try to load with seven other processes. */
const RACES = 200;
/** At night a guest of its own does nothing else. */
const NIGHTLY_RACES = process.env.COUNTERSIGN_NIGHTLY === undefined ? null : 10_000;

const ran = new Map<string, Loads | string>();

/** The lines that the agent of a guest printed, or why there can be no guest. `what`: words of guard/tickets.c. */
function agent(kernel: SealKernel, what = `agent ${RACES}`): Loads | string {
  const known = ran.get(`${kernel} ${what}`);
  if (known !== undefined) return known;
  const found = compiled("tickets", (file) => {
    const programs = describedPrograms(file);
    const large = programs.find(({ name }) => name === "large")!;
    return Loads.run(
      kernel,
      file,
      `tickets ${what}`,
      { entries: [plainEntry(2), entryOf(large, new Map())] },
      {
        seconds: NIGHTLY_RACES === null ? 250 : 2400,
        devices: ["-smp", "2"],
        files: { "lib/tickets": ticketsOf(programs) },
      },
    );
  });
  ran.set(`${kernel} ${what}`, found);
  return found;
}

describe.for(testedKernels())("tickets on %s", (kernel) => {
  it("let exactly the load of the task that they are for pass, once", { timeout: 900_000 }, ({ skip }) => {
    const found = agent(kernel);
    if (typeof found === "string") return skip(found);
    const { outcomes } = found;
    expect(Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, outcomes.get(name)]))).toEqual(EXPECTED);
  });

  const [races, raced] = NIGHTLY_RACES === null ? [RACES] : [NIGHTLY_RACES, `race ${NIGHTLY_RACES}`];
  it("are used by exactly one thread when many tasks try", { timeout: 2_700_000 }, ({ skip }) => {
    const found = agent(kernel, raced);
    if (typeof found === "string") return skip(found);
    expect(found.outcomes.get("race")).toBe(
      `${races} tickets, refused 0, won ${races}, by another thread 0, by another process 0, used ${races}`,
    );
  });

  it("are either used or withdrawn", ({ skip }) => {
    const found = agent(kernel, raced);
    if (typeof found === "string") return skip(found);
    expect(found.outcomes.get("withdrawal of tickets in use")).toBe(
      `written ${races / 10}, used or withdrawn ${races / 10}, both ways yes`,
    );
  });
});
