import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { compiled, describedPrograms, entryOf, ticketsOf } from "./guard/described-programs.js";
import { compiledGuard, Loads } from "./guard/sealed-loads.js";

/** Programs of guard/programs.c, by how guard/tickets.c has them allowed. */
const LISTED = ["cgroup", "maps", "outer", "lsm"];
const WITH_TICKETS = ["sysctl", "named", "references", "fmod_ret"];

describe("the guard, if a helper fails", () => {
  // guard/failing.h has the n-th call of a helper fail
  it("denies what a list or a ticket allows, whichever call of a helper it is", ({ skip }) => {
    const ran = compiled("tickets", (file) => {
      const programs = describedPrograms(file);
      const targets = programs.flatMap(({ target }) => target ?? []);
      const open = Loads.run("6.12", file, `tickets ids ${targets.join(" ")}`);
      if (typeof open === "string") return open;
      const listed = programs.filter(({ name }) => LISTED.includes(name));
      const object = compiledGuard(["-include", own("test/system/seal/guard/failing.h"), "-w"]);
      const entries = listed.map((program) => entryOf(program, open.ids));
      const files = { "lib/tickets": ticketsOf(programs) };
      return Loads.run("6.12", file, "tickets faults", { entries, object }, { files });
    });
    if (typeof ran === "string") return skip(ran);
    const lines = ran.output.split("\n").filter((line) => line.startsWith("call ") || line.startsWith("faults "));
    const loaded = (name: string) =>
      expect.stringMatching(new RegExp(`^faults of ${name}: loaded after [1-9]\\d* denied, 0 loaded$`));
    expect(lines).toEqual([...LISTED, ...WITH_TICKETS].map(loaded));
  });
});
