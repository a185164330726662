import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../src/errno.js";
import { GATE_RULES } from "../../../src/gate/call/rules.js";
import { RESTRICTIONS } from "../../../src/gate/run/restrictions.js";
import { rowsOf } from "../../support/markdown.js";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/run.md", root), "utf8");
const nameOf = (errno: number) => Object.entries(ERRNO).find(([, number]) => number === errno)?.[0];

/** The cells of each row of the table below a heading. */
function table(heading: string): string[][] {
  return rowsOf(page.split(/^## /m).find((part) => part.startsWith(heading)) ?? "");
}

describe("docs/run.md", () => {
  it("lists every rule by which the gate itself denies", () => {
    const rules = Object.entries(GATE_RULES).map(([rule, { denies, errno }]) => [`\`${rule}\``, denies, nameOf(errno)]);
    expect(table("Denials by the gate itself")).toEqual(rules);
  });

  it("lists every restriction, with its reason and whether it remains in audit", () => {
    expect(table("Restrictions")).toEqual(RESTRICTIONS.map(({ what, why, inAudit }) => [what, why, inAudit]));
  });
});

/** Source of the gate by path, without the table of rules. */
const sources = readdirSync(new URL("src/gate", root), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && file !== "call/rules.ts")
  .map((file) => ({ file, text: readFileSync(new URL(`src/gate/${file}`, root), "utf8") }));

describe("the rules by which the gate itself denies", () => {
  it.each(Object.keys(GATE_RULES))("have one that something gives: %s", (rule) => {
    const all =
      sources.map(({ text }) => text).join("\n") + readFileSync(new URL("src/gate/call/rules.ts", root), "utf8");
    expect(all).toMatch(new RegExp(`(deny\\w*|factsOf)\\([^"()]*"${rule}"`));
  });

  /**
   * A call is answered with an errno by a `CallFailure`, or with what the kernel said. Whatever else writes an answer
   * with a literal errno would be a denial without a line in the log.
   */
  it("are the only way in which an errno of the gate's own becomes an answer", () => {
    const literal = /\{ result: -\s*(ERRNO\.\w+|\d+|E[A-Z]+)/g;
    const found = sources.flatMap(({ file, text }) =>
      Array.from(text.matchAll(literal), ([, errno]) => `${file} ${errno}`),
    );
    expect(found.sort()).toEqual([
      // containers that an agent rejects, for which nothing is decided
      "agent/rejected/denial-thread.ts ERRNO.EPERM",
      // an agent before this one left the call open: it ends as it would without another agent
      "call/notification-cursor.ts ERRNO.ENOSYS",
      // copy_to_user of the kernel fails in the same way, and the call was carried out
      "worker/notification-handler.ts ERRNO.EFAULT",
    ]);
  });
});
