import { describe, expect, it } from "vitest";
import { recordsIn } from "../../support/records.js";
import { addLinks, bootOnce, GUEST_CONFIGURATION, partsOf } from "./boot.js";

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
  const ran = bootOnce(["gcc", "clang-19"], (guest) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return "tracers.test.ts attaches one in its guest: nightly";
    for (const [name, policy] of Object.entries(POLICIES)) {
      guest.file(`site/${name}/countersign.yaml`, GUEST_CONFIGURATION);
      guest.file(`site/${name}/policy.js`, policy);
    }
    addLinks(guest, "replace");
    const replace = "replace /lib/replaced.o /lib/links.o";
    const gate = (site: string) =>
      `echo PART ${site}; node /countersign/bin/countersign.js run --quiet --config /site/${site}/countersign.yaml -- ${replace}`;
    const log = (site: string) => `echo PART ${site} log; cat /tmp/log.jsonl; rm /tmp/log.jsonl`;
    const gated = Object.keys(POLICIES).flatMap((site) => [gate(site), log(site)]);
    return guest.run([`echo PART bare; ${replace}`, ...gated, "echo PART end"].join("\n"));
  });

  const part = (name: string) => partsOf(ran())[name];
  const logged = (site: string) => recordsIn(part(`${site} log`) ?? "");
  const REPLACED = "before: 2\nreplacement: attached\nafter: 1\n";

  it("returns what the other one returns, which was judged as a program of its own", () => {
    expect(part("bare"), ran().console.slice(-2000)).toBe(REPLACED);
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
