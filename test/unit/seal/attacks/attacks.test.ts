import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isStopped } from "../../../../src/seal/attacks/attack.js";
import { ATTACKS } from "../../../../src/seal/attacks/attacks.js";
import { RULE_ATTACKS } from "../../../../src/seal/attacks/rule-attacks.js";
import { GUARD_HOOKS } from "../../../../src/seal/guard/hooks.js";
import { reasonNumber } from "../../../../src/seal/status/reasons.js";
import { own } from "../../../support/workplace.js";

const SOURCES = own("test/system/seal/attacks");
const recorded = JSON.parse(readFileSync(own("scripts/attacks.gen.json"), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, readonly string[]>>>
>;
const tried = ATTACKS.filter(({ proof }) => proof !== null).map(({ name }) => name);

describe("the table of attacks", () => {
  it("has a row for each program of an attack, and a program for each row that says so", () => {
    const files = readdirSync(SOURCES).filter((name) => name.endsWith("-attacks.c"));
    const names = files.flatMap((file) =>
      Array.from(readFileSync(`${SOURCES}/${file}`, "utf8").matchAll(/\{"([\w-]+)", \w+\}/g), ([, name]) => name),
    );
    expect(names.toSorted()).toEqual(tried.toSorted());
  });

  it("names hooks on which the guard has a program", () => {
    const used = GUARD_HOOKS.map(({ hook }) => hook);
    for (const { name, hook } of ATTACKS) if (hook !== null) expect(used, name).toContain(hook);
  });

  it.each(RULE_ATTACKS)("has cases of a test for $name", ({ test, cases }) => {
    const text = readFileSync(own(`test/system/seal/${test}.test.ts`), "utf8");
    for (const name of cases) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it("has no name twice", () => {
    const names = [...ATTACKS, ...RULE_ATTACKS].map(({ name }) => name);
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it("names reasons of the guard", () => {
    for (const { reason } of ATTACKS) if (reason !== null) expect(reasonNumber(reason)).toBeGreaterThan(0);
  });

  it("says of each attack that is not stopped what remains possible", () => {
    expect(ATTACKS.filter((attack) => !isStopped(attack) && attack.remains === null)).toEqual([]);
  });

  it.each(Object.entries(recorded))("has been tried on %s, which held all that is to be stopped", (_, results) => {
    expect(tried).toEqual(expect.arrayContaining(Object.keys(results)));
    const broken = Object.entries(results).flatMap(([name, [, ...sealed]]) =>
      sealed.includes("broken") ? [name] : [],
    );
    const limits = ATTACKS.filter((attack) => !isStopped(attack) && attack.name in results).map(({ name }) => name);
    expect(broken.toSorted()).toEqual(limits.toSorted());
  });

  it("has been tried as a whole on the kernel of each CI run; the others follow with the nightly ones", () => {
    expect(Object.keys(recorded["6.12"]!).toSorted()).toEqual(tried.toSorted());
  });
});
