import { describe, expect, it } from "vitest";
import { otherEntries, plainEntry, withLoads } from "./guard/described-programs.js";
import { compiledGuard, Loads } from "./guard/sealed-loads.js";

/** Programs that the guard remembers here, so that it forgets some soon. */
const REMEMBERED = 512;
const SCRIPT = `
loads before
loader --log /lib/guard.image
loads earlier
loads evicted ${4 * REMEMBERED}
loads lock
`;

describe("the guard", () => {
  it("with a list of 100,000 programs, goes by when a program was loaded, by what it remembers, and by its lock", ({
    skip,
  }) => {
    const ran = withLoads((file) => {
      const entries = [plainEntry(2), plainEntry(3), ...otherEntries(100_000)];
      const object = compiledGuard([`-DGUARD_ADMISSIONS=${REMEMBERED}`]);
      return Loads.run("6.12", file, SCRIPT, { entries, object });
    });
    if (typeof ran === "string") return skip(ran);
    const lines = ran.output.split("\n").filter((line) => /^[a-z ]+: /.test(line));
    expect(lines).toEqual([
      "earlier program by its pin: loaded -",
      "earlier program by its id: loaded -",
      "the same program now: EPERM unlisted",
      "remembered program by its id: loaded -",
      "evicted program by its id: EPERM maps",
      "lock by a user: EPERM",
      "listed program before the lock: loaded -",
      "lock by root: EALREADY",
      "listed program after the lock: EPERM locked_down",
      "new list: EOPNOTSUPP",
      "another latch: EPERM",
    ]);
  });
});
