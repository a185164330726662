import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { describedPrograms, entryOf, withLoads } from "./guard/described-programs.js";
import { compiledGuard, Loads } from "./guard/sealed-loads.js";

describe("the guard, if a helper fails", () => {
  // guard/failing.h has the n-th call of a helper fail
  it("denies a listed program, whichever call of a helper it is", ({ skip }) => {
    const ran = withLoads((file) => {
      const programs = describedPrograms(file);
      const targets = programs.flatMap(({ target }) => target ?? []);
      const open = Loads.run("6.12", file, `loads ids ${targets.join(" ")}`);
      if (typeof open === "string") return open;
      const entries = programs.map((program) => entryOf(program, open.ids));
      return Loads.run("6.12", file, "loader --log /lib/guard.image && loads faults", {
        entries,
        object: compiledGuard(["-include", own("test/system/seal/guard/failing.h"), "-w"]),
      });
    });
    if (typeof ran === "string") return skip(ran);
    const lines = ran.output.split("\n").filter((line) => line.startsWith("call ") || line.startsWith("faults "));
    const loaded = (name: string) =>
      expect.stringMatching(new RegExp(`^faults of ${name}: loaded after [1-9]\\d* denied, 0 loaded$`));
    expect(lines).toEqual(["cgroup", "maps", "outer", "lsm"].map(loaded));
  });
});
