import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { questionsAboutFile } from "../../../src/engine/files/file-questions.js";
import { HOOKS, type HookName } from "../../../src/hooks/catalogue.js";
import { askedAbout, describedAs, KnownFacts, NEEDS_TRACING, plainFacts } from "../../support/known-facts.js";
import { own } from "../../support/workplace.js";
import { needs, needsGate, Site } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

const XDP_TOOLS = `/usr/lib/${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu/bpf`;
/** Objects of this project and of Debian's xdp-tools. */
const OBJECTS = [
  ...["drop-telnet", "exec-log", "kill-writer", "peek-tc", "rate-limit", "switch-watch", "xdp-steer"].map((name) =>
    own(`examples/${name}.o`),
  ),
  ...(existsSync(XDP_TOOLS) ? readdirSync(XDP_TOOLS).filter((name) => name.startsWith("xdpfilt")) : []).map((name) =>
    join(XDP_TOOLS, name),
  ),
];
const SERVED = ["bpf_prog_load", "bpf_prog", "bpf_map_create", "bpf_map", "bpf", "bpf_token_create"] as const;
const POLICY = SERVED.map((hook) => `export const ${hook} = () => 0;`).join("\n");
const CONFIGURATION = `version: 1
log: { file: log.jsonl, level: inputs }
attachments: [{ policy: policy.js, limits: { timeout: 10s } }]
`;

type Facts = Readonly<Record<string, unknown>>;

/** How many subjects of each kind are compared at least. */
const AT_LEAST = { program: 40, map: 30, command: 60, token: 5 };

describe("facts in a gate, and offline or described", () => {
  const known = new KnownFacts();
  const cgroup = cgroupForTests();
  let site: Site;

  beforeAll(() => {
    site = new Site(POLICY);
    site.write("countersign.yaml", CONFIGURATION);
    site.write("file", readFileSync("/bin/true"));
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bpftool");
    site.forgetLog();
  });

  const asked = (...hooks: readonly HookName[]) => askedAbout(site.records, hooks);

  /** What is described by all facts of a subject in a gate, and differs from it. */
  function described(kind: "program" | "map" | "command" | "token", hook: HookName, facts: Facts): readonly string[] {
    return known.differences(kind, "described", plainFacts(kind, describedAs(kind, hook, facts)), facts);
  }

  it.each(OBJECTS.map((path) => [basename(path), path]))("are alike, of %s", (_, path) => {
    // where objects pin their maps
    const script = 'mount -t bpf none /sys/fs/bpf && exec bpftool prog loadall "$0" /sys/fs/bpf/pinned';
    const { status, stderr } = site.run("unshare", "-m", "sh", "-c", script, path);
    expect(status, stderr).toBe(0);
    const live = asked("bpf_prog_load", "bpf_prog", "bpf_map_create", "bpf_map");
    const questions = questionsAboutFile(path, [], {});
    const offline = questions.filter(({ hook }) => hook !== "bpf");
    const own = live.filter(({ facts }) => !`${facts.name}`.startsWith("libbpf_")).slice(-offline.length);
    expect(own.map(({ hook }) => hook)).toEqual(offline.map(({ hook }) => hook));
    const differences = offline.flatMap(({ hook, subject, unknown, offlineOnly }, index) => {
      const kind = HOOKS[hook].subject as "program" | "map";
      const { facts } = own[index]!;
      const unsure = [...unknown, ...offlineOnly];
      return [
        ...known.differences(kind, "offline", plainFacts(kind, subject), facts, unsure),
        ...described(kind, hook, facts),
      ];
    });
    for (const { subject, unknown } of questions.filter(({ hook }) => hook === "bpf")) {
      const { facts } = asked("bpf").find((one) => one.facts.name === subject.name)!;
      differences.push(...known.differences("command", "offline", plainFacts("command", subject), facts, unknown));
    }
    expect(differences, differences.join("\n")).toEqual([]);
  });

  it.for(["tracepoints", "attachments", "runs", "pins", "types", "links"])(
    "are alike, of commands: %s",
    (name, context) => {
      cgroup.needed(context);
      const env = {
        ...{ BPFFS: site.bpffs, FILE: join(site.folder, "file"), SOCKET: join(site.folder, "socket") },
        ...{ CGROUP: cgroup.folder, GATED: "1" },
      };
      site.runWith([], env, site.attack("commands"), name);
      const subjects = new Map(asked("bpf").map(({ facts }) => [JSON.stringify(facts), facts]));
      expect([...subjects.values()].flatMap((facts) => described("command", "bpf", facts))).toEqual([]);
    },
  );

  it("are alike, of tokens", (context) => {
    if (!site.bare(site.attack("token")).stdout.includes("token: done")) context.skip("needs BPF tokens (Linux 6.9)");
    for (let time = 0; time < AT_LEAST.token; time++) site.run(site.attack("token"));
    const live = asked("bpf_token_create");
    expect(live.flatMap(({ hook, facts }) => described("token", hook, facts))).toEqual([]);
  });

  it("were compared, each of them", () => {
    console.info(known.counts());
    expect(known.ownedWithoutCase()).toEqual(NEEDS_TRACING);
    for (const [kind, least] of Object.entries(AT_LEAST)) {
      const key = kind as keyof typeof AT_LEAST;
      expect(known.subjects.get(`described ${key}`), kind).toBeGreaterThanOrEqual(least);
      expect(known.neverCompared(key, "described")).toEqual([]);
      if (key !== "token") expect(known.neverCompared(key, "offline")).toEqual([]);
    }
  });
});
