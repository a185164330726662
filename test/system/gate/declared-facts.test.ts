import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FACTS, SUBJECTS } from "../../../src/policy/model/facts.gen.js";
import { needs, needsGate, Site } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

/** Walks all that a hook is given by the table of declared facts, and denies what is not as declared. */
const POLICY = `
import { deny, note } from "countersign";
const FACTS = ${JSON.stringify(FACTS)};
const SUBJECTS = ${JSON.stringify(SUBJECTS)};

function differences(value, kind, path) {
  if (kind.endsWith("?")) return value === null ? [] : differences(value, kind.slice(0, -1), path);
  if (value === null || value === undefined) return [path + " is " + value];
  if (kind.endsWith("[]"))
    return Array.isArray(value) ? value.flatMap((one) => differences(one, kind.slice(0, -2), path + "[]")) : [path];
  if (kind === "record") return Object.getPrototypeOf(value) === null ? [] : [path + " inherits"];
  const facts = FACTS[kind];
  if (facts === undefined) return typeof value === kind ? [] : [path + " is a " + typeof value];
  const missing = Object.keys(facts).flatMap((key) =>
    key in value ? differences(value[key], facts[key], path + "." + key) : [path + "." + key + " is missing"]);
  const more = Object.keys(value).filter((key) => !Object.hasOwn(facts, key)).map((key) => path + "." + key + " is not declared");
  return [...missing, ...more];
}

const check = (hook) => (subject, current) => {
  const found = [...differences(subject, SUBJECTS[hook], SUBJECTS[hook]), ...differences(current, "Current", "Current")];
  note("looked");
  return found.length === 0 ? 0 : deny(found.join("; ").slice(0, 900));
};
${Object.keys(SUBJECTS)
  .map((hook) => `export const ${hook} = check("${hook}");`)
  .join("\n")}
`;
const LIVE = ["bpf_prog_load", "bpf_prog", "bpf_map_create", "bpf_map", "bpf"];

describe("what a live gate tells policies", () => {
  let site: Site;
  const cgroup = cgroupForTests();

  beforeAll(() => {
    site = new Site(POLICY, "gate: { not_enforced: [bprm_check_security] }\n");
    site.write("file", readFileSync("/bin/true"));
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bpftool");
    cgroup.needed(context);
    site.forgetLog();
  });

  /** Decisions that policies were asked for. None of them may have found a difference. */
  function looked(): ReadonlySet<string> {
    const asked = site.log.filter(({ answers }) => answers?.some(({ notes }) => notes.includes("looked")));
    const denials = site.log.flatMap(({ denied_by, answers }) => [
      ...(denied_by?.attachment ? [denied_by.reason] : []),
      ...(answers ?? []).flatMap(({ fault }) => fault ?? []),
    ]);
    expect(denials).toEqual([]);
    return new Set(asked.map(({ hook }) => hook));
  }

  it("is all that is declared, of programs and maps that are loaded", () => {
    for (const name of ["switch-watch", "drop-telnet"]) {
      const object = fileURLToPath(new URL(`../../../examples/${name}.o`, import.meta.url));
      const pin = join(site.bpffs, name);
      const script = 'bpftool prog load "$0" "$1" && bpftool prog show pinned "$1" && bpftool map show';
      const { status, stderr } = site.run("sh", "-c", script, object, pin);
      expect(status, stderr).toBe(0);
    }
    for (const hook of LIVE) expect(looked()).toContain(hook);
  });

  it.each(["runs", "pins", "types", "links"])("is all that is declared, of commands: %s", (name) => {
    const env = {
      BPFFS: site.bpffs,
      FILE: join(site.folder, "file"),
      CGROUP: cgroup.folder,
      SOCKET: join(site.folder, "socket"),
    };
    site.runWith([], { ...env, GATED: "1" }, site.attack("commands"), name);
    expect(looked()).toContain("bpf");
  });
});
