import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { moduleNameOf, NEVER_MODULES, whyNeverModule } from "../../../../src/seal/guard/never-modules.js";
import { own } from "../../../support/workplace.js";

/** What modpost writes into .modinfo, between other sections. */
function module(name: string): Buffer {
  return Buffer.from(`\x7fELF\0\0license=GPL\0parm=io:name=4\0name=${name}\0vermagic=6.12\0\0`, "latin1");
}

describe("modules that the guard denies always", () => {
  it.each(NEVER_MODULES)("are known by their names: $name", ({ name, parameter }) => {
    expect(whyNeverModule(module(name))).toContain(`\`${parameter}\``);
  });

  it.each(NEVER_MODULES)("do not include modules with longer or shorter names: $name", ({ name }) => {
    expect(whyNeverModule(module(`${name}_2`))).toBeNull();
    expect(whyNeverModule(module(name.slice(1)))).toBeNull();
    expect(whyNeverModule(module(name.slice(0, -1)))).toBeNull();
  });

  it.each(NEVER_MODULES)("name the place of the parameter, and what stops: $name", ({ source, does, stops }) => {
    expect(source).toMatch(/^drivers\/[\w/-]+\.c:\d+$/);
    expect(does.length * stops.length).toBeGreaterThan(0);
  });

  it("are each there once, under a name that the guard can compare", () => {
    const names = NEVER_MODULES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z0-9_]{1,55}$/.test(name))).toEqual([]);
  });

  it("are those of the guard, in its order, by which `seal log` names them", () => {
    const source = readFileSync(own("src/seal/guard/never-modules.bpf.h"), "utf8");
    const names = Array.from(source.matchAll(/MODULE\(([a-z]\w*)\)/g), ([, name]) => name);
    expect(names.filter((name) => name !== "module")).toEqual(NEVER_MODULES.map(({ name }) => name));
  });

  it("have no name where there is no .modinfo", () => {
    for (const text of ["", "\0name=", "\0name=a", "name=arc_rimi\0", "\0name=\0"])
      expect(moduleNameOf(Buffer.from(text))).toBeNull();
    expect(moduleNameOf(module("dummy"))).toBe("dummy");
  });
});
