import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { MAP_TYPES, PROGRAM_TYPES } from "../../../src/bpf/tables/names.gen.js";
import { neededForMap, neededForProgram } from "../../../src/gate/commands/objects/required-capabilities.js";
import { needs, patient, siteForTests } from "./site.js";

/** Refuses `r0 = 1; exit`. */
const POLICY = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.tag === "b11459a0e11ca14c" ? deny("is the forbidden program") : 0);
`;
const NOBODY = "65534";

describe("what an attachment grants a task, and has frozen", () => {
  const site = siteForTests(POLICY, ["gcc"]);

  const lines = (stdout: string) =>
    Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(": ")),
    );
  /** What a try comes to under attachments, in YAML. */
  const attached = (attachments: string, name: string, env: NodeJS.ProcessEnv = {}, more = "") => {
    const config = site().write(
      "lent.yaml",
      `version: 1\nlog: { file: log.jsonl }\nattachments: [${patient(attachments)}]\n${more}`,
    );
    site().forgetLog();
    return lines(site().runWith(["--config", config], env, site().attack("lent"), name).stdout);
  };
  const lending = () =>
    site().log.flatMap(({ grants }) => (grants?.delegation === undefined ? [] : [grants.delegation]));
  const nothing = { socket_filter: "errno 1", xdp: "errno 1", tracepoint: "errno 1", refused: "errno 1" };

  it("knows which capabilities this kernel asks for, of each type of program and map", () => {
    const asked = site().bare(site().attack("lent"), "needs").stdout.trim().split("\n");
    expect(asked.length).toBeGreaterThan(55);
    for (const line of asked) {
      const [kind, type, mask] = line.split(" ") as [string, string, string];
      const [names, needed] = kind === "map" ? [MAP_TYPES, neededForMap] : [PROGRAM_TYPES, neededForProgram];
      // what calls bpf(2) is lent nothing
      if (names[Number(type)] !== "syscall")
        expect(needed(Number(type)).toString(16), `${kind} ${names[Number(type)]}`).toBe(mask);
    }
    expect(neededForProgram(PROGRAM_TYPES.indexOf("syscall"))).toBe(0n);
  });

  it.each([{}, { USER_ID: NOBODY }])(
    "grants a task that has nothing what its programs need, and no more: %o",
    (env) => {
      expect(attached("{ policy: policy.js, delegate: true }", "nothing", env)).toEqual({
        ...{ socket_filter: "done", xdp: "done", tracepoint: "done", refused: "errno 1" },
        // what the policy does not serve, and what is no program
        ...{ syscall: "errno 1", array: "errno 1", devmap: "errno 1", module: expect.stringMatching(/errno (1|38)/) },
      });
      const by = { attachment: "policy", mode: "enforce" };
      expect(lending()).toEqual([
        { ...by, capabilities: ["CAP_BPF"] },
        { ...by, capabilities: ["CAP_NET_ADMIN", "CAP_BPF"] },
        { ...by, capabilities: ["CAP_PERFMON", "CAP_BPF"] },
      ]);
    },
  );

  it("grants it for maps, too, where the policy is asked about those", () => {
    site().write("maps.js", `${POLICY}\nexport const bpf_map_create = (map) => (map.type === "devmap" ? -1 : 0);`);
    expect(attached("{ policy: maps.js, delegate: true }", "nothing")).toMatchObject({
      array: "done",
      devmap: "errno 1",
    });
    expect(lending()).toContainEqual({ attachment: "maps", mode: "enforce", capabilities: ["CAP_BPF"] });
  });

  it.each([
    ["that does not say so", "{ policy: policy.js }", ""],
    ["in audit", "{ policy: policy.js, delegate: true, mode: audit }", ""],
    ["that is not in scope", "{ policy: policy.js, delegate: true, scope: { uid: 4711 } }", ""],
    ["that is asked about something else", "{ policy: other.js, delegate: true }", ""],
    ["that fails and is let through", "{ policy: fails.js, delegate: true, on_fault: allow }", ""],
    ["beside one that refuses", "{ policy: policy.js, delegate: true }, { policy: refuses.js }", ""],
    ["where everything is in audit", "{ policy: policy.js, delegate: true }", "mode: audit\n"],
    ["of the default alone", "", "default: { bpf_prog_load: allow }\n"],
  ])("grants nothing by an attachment %s", (_, attachments, more) => {
    site().write("other.js", "export const bpf_map = () => 0;");
    site().write("fails.js", "export const bpf_prog_load = () => { throw new Error(); };");
    site().write("refuses.js", "export const bpf_prog_load = () => -1;");
    expect(attached(attachments, "nothing", {}, more)).toMatchObject(nothing);
    const lent = site().log.filter(({ mode, grants }) => mode === "enforce" && grants?.delegation?.mode === "enforce");
    expect(lent).toEqual([]);
  });

  it("writes down what it would have lent in audit", () => {
    attached("{ policy: policy.js, delegate: true, mode: audit }", "nothing");
    expect(lending()[0]).toEqual({ attachment: "policy", mode: "audit", capabilities: ["CAP_BPF"] });
    attached("{ policy: policy.js, delegate: true }", "nothing", {}, "mode: audit\n");
    expect(site().log[0]?.mode).toBe("audit");
    expect(lending()[0]).toEqual({ attachment: "policy", mode: "enforce", capabilities: ["CAP_BPF"] });
  });

  it("lets pointers leak no more than before", () => {
    const without = {
      ...{ "a pointer with CAP_BPF": "errno 13", "a packet filter with CAP_BPF": "done" },
      ...{
        "a pointer with CAP_BPF and CAP_NET_ADMIN": "errno 13",
        "a packet filter with CAP_BPF and CAP_NET_ADMIN": "done",
      },
    };
    expect(attached("{ policy: policy.js }", "pointer")).toMatchObject({
      ...without,
      ...{ "a pointer with nothing": "errno 1", "a packet filter with nothing": "errno 1" },
    });
    expect(attached("{ policy: policy.js, delegate: true }", "pointer")).toMatchObject({
      ...without,
      // the verifier's EACCES: what was lent lets it look, and not more
      ...{ "a pointer with nothing": "errno 13", "a packet filter with nothing": "done" },
      "what the policy refuses with nothing": "errno 1",
    });
  });

  it("grants unmodified loaders their probes", (context) => {
    needs(context, "bpftool", "clang-19", "setpriv");
    const object = site().object("filter", FILTER);
    const config = site().write(
      "lent.yaml",
      "version: 1\nlog: { file: log.jsonl }\nattachments: [{ policy: policy.js, delegate: true, limits: { timeout: 10s } }]\n",
    );
    const load = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"];
    const loader = ["bpftool", "prog", "load", object, `${site().bpffs}/filter`, "type", "socket"];
    expect(site().bare(...load, ...loader).status).not.toBe(0);
    const { status, stderr } = site().runWith(["--config", config], {}, ...load, ...loader);
    expect([status, stderr]).toEqual([0, ""]);
    // as programs that a policy let through, not before policies
    expect(site().log.filter(({ loader_probe }) => loader_probe !== undefined)).toEqual([]);
    const tried = site().log.filter(({ hook, subject }) => hook === "bpf_prog_load" && subject.name !== "pass");
    expect(tried.length).toBeGreaterThan(1);
    for (const { grants } of tried) expect(grants?.delegation?.attachment).toBe("policy");
    site().bare("rm", `${site().bpffs}/filter`);
  });

  describe("to a loader's probes", () => {
    beforeEach((context) => needs(context, "bpftool", "clang-19", "setpriv"));

    it.each([
      ["nothing that a policy refuses", "delegate: true", true, 0],
      ["nothing by an attachment for others: the kernel rejects them", "delegate: true, scope: { uid: 4711 }", true, 0],
      ["nothing where the task lacks nothing: they are let through before policies", "delegate: true", false, 1],
    ])("%s", (_, lending, lacks, before) => {
      site().write("strict.js", 'export const bpf_prog_load = (prog) => (prog.name === "pass" ? 0 : -1);');
      const config = site().write(
        "strict.yaml",
        `version: 1\nlog: { file: log.jsonl }\nattachments: [{ policy: strict.js, ${lending}, limits: { timeout: 10s } }]\n`,
      );
      const bare = lacks ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : [];
      const load = [
        "bpftool",
        "prog",
        "load",
        site().object("filter", FILTER),
        `${site().bpffs}/filter`,
        "type",
        "socket",
      ];
      const { status } = site().runWith(["--config", config], {}, ...bare, ...load);
      expect(status === 0).toBe(!lacks);
      expect(lent()).toEqual([]);
      expect(Math.min(site().log.filter(({ loader_probe }) => loader_probe !== undefined).length, 1)).toBe(before);
      site().bare("rm", "-f", `${site().bpffs}/filter`);
    });

    const lent = () =>
      site().log.filter(({ grants, subject }) => grants?.delegation !== undefined && subject.name !== "pass");
  });

  it("freezes what a program only reads once it is loaded, and has its contents as a fact from then on", () => {
    site().write(
      "frozen.js",
      `import { deny, note } from "countersign";
       const contents = ({ maps }) => maps.map((map) => map.name + " " + map.contents?.slice(0, 8));
       export const bpf_prog_load = (prog) => { note(contents(prog).join(", ")); return 0; };
       export const bpf_prog = (prog) => { note(contents(prog).join(", ")); return 0; };`,
    );
    expect(attached("{ policy: frozen.js, freeze: true }", "maps")).toEqual({
      ...{
        "write before": "done",
        load: "done",
        "write to what it reads": "errno 1",
        "write to what it writes": "done",
      },
      ...{ read: "done", value: "7", "load again": "done" },
      "load with one that nobody may write": "errno 1",
    });
    const notes = site().log.flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes) ?? []);
    const seven = createHash("sha256").update(BigUint64Array.of(7n)).digest("hex").slice(0, 8);
    expect(notes.slice(0, 2)).toEqual(["rules undefined, rules undefined", `rules ${seven}, rules undefined`]);
    const reasons = site().log.flatMap(({ denied_by }) => (denied_by === null ? [] : [denied_by.reason]));
    expect(reasons).toEqual(["gate: its map `rules` could not be frozen: -EPERM"]);
  });

  it.each([
    ["that does not say so", "{ policy: policy.js }"],
    ["in audit", "{ policy: policy.js, freeze: true, mode: audit }"],
    ["that is not in scope", "{ policy: policy.js, freeze: true, scope: { uid: 4711 } }"],
  ])("freezes nothing by an attachment %s", (_, attachments) => {
    expect(attached(attachments, "maps")).toMatchObject({
      "write to what it reads": "done",
      "load with one that nobody may write": "done",
    });
  });
});

const FILTER = `
struct __sk_buff;
__attribute__((section("socket"), used)) int pass(struct __sk_buff *skb) { return 2; }
char _license[] __attribute__((section("license"))) = "GPL";
`;
