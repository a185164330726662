import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import type { Logged } from "../gate/site.js";
import { Guest, type Ran } from "./guest.js";

const CONFIG =
  "version: 1\nlog: { file: /tmp/log.jsonl }\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n";
const POLICIES: Readonly<Record<string, string>> = {
  note: `
    import { note } from "countersign";
    export function bpf_prog_load({ name, type, effects, attach_to }) {
      if (name === "replaced" || name === "by_freplace") note(JSON.stringify({ name, type, attach_to, decides: effects.decides }));
      return 0;
    }`,
  undecided: `
    import { deny } from "countersign";
    export const bpf_prog_load = ({ name, effects }) => (name.startsWith("by_") && effects.decides ? deny(name + " decides") : 0);`,
};

/** Freplace, for which this kernel lacks trampolines: a program that was allowed becomes another one. */
describe("a program that was allowed, of which another one replaces a function", () => {
  let guest: Guest | string | undefined;
  let ran: Ran;

  beforeEach((context) => {
    guest ??= boot();
    if (typeof guest === "string") context.skip(guest);
  });
  afterAll(() => {
    if (guest !== undefined && typeof guest !== "string") guest.remove();
  });

  function boot(): Guest | string {
    for (const program of ["gcc", "clang-19"])
      if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `needs ${program}`;
    const made = Guest.make();
    if (typeof made === "string") return made;
    for (const [name, policy] of Object.entries(POLICIES)) {
      made.file(`site/${name}/countersign.yaml`, CONFIG);
      made.file(`site/${name}/policy.js`, policy);
    }
    const folder = mkdtempSync(join(tmpdir(), "replace-"));
    const source = (name: string) => own(`test/system/guest/links/${name}`);
    for (const name of ["links", "replaced"]) {
      const flags = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu"];
      execFileSync("clang-19", [...flags, "-c", source(`${name}.bpf.c`), "-o", join(folder, name)]);
      made.file(`lib/${name}.o`, readFileSync(join(folder, name)));
    }
    const attack = join(folder, "replace");
    execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-o", attack, source("replace.c"), "-lbpf"]);
    made.program(attack, "bin/replace");
    rmSync(folder, { recursive: true });
    const replace = "replace /lib/replaced.o /lib/links.o";
    const gate = (site: string) =>
      `echo PART ${site}; node /countersign/bin/countersign.js run --quiet --config /site/${site}/countersign.yaml -- ${replace}`;
    const log = (site: string) => `echo PART ${site} log; cat /tmp/log.jsonl; rm /tmp/log.jsonl`;
    const gated = Object.keys(POLICIES).flatMap((site) => [gate(site), log(site)]);
    ran = made.run([`echo PART bare; ${replace}`, ...gated, "echo PART end"].join("\n"));
    return made;
  }

  const part = (name: string) => new RegExp(`^PART ${name}\\n(.*?)(?=^PART )`, "ms").exec(ran.output)?.[1];
  const logged = (site: string) =>
    (part(`${site} log`) ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Logged);
  const REPLACED = "before: 2\nreplacement: attached\nafter: 1\n";

  it("returns what the other one returns, which was judged as a program of its own", () => {
    expect(part("bare"), ran.console.slice(-2000)).toBe(REPLACED);
    expect(part("note")).toBe(REPLACED);
    const notes = logged("note").flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes) ?? []);
    const facts = notes.map((note) => JSON.parse(note) as { name: string });
    // whatever it returns is a verdict, as it is not known of what it is a part
    expect(facts.find(({ name }) => name === "by_freplace")).toEqual({
      ...{ name: "by_freplace", type: "ext", attach_to: null, decides: true },
    });
    expect(facts.find(({ name }) => name === "replaced")).toMatchObject({ type: "xdp", attach_to: null });
  });

  it("stays what it was where a policy denies the replacement by its effects", () => {
    expect(part("undecided")).toBe("before: 2\nreplacement: EPERM\nafter: 2\n");
    const reasons = logged("undecided").flatMap(({ denied_by }) => denied_by?.reason ?? []);
    expect(reasons[0]).toMatch(/^policy: by_freplace decides /);
  });
});
