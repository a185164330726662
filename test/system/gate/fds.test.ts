import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FILE_NAMES, type ObjectKind } from "../../../src/gate/commands/copied/object-kind.js";
import { needs, needsGate, Site } from "./site.js";

const ALLOW =
  "export const bpf_prog_load = () => 0, bpf_prog = () => 0, bpf_map_create = () => 0, bpf_map = () => 0;\n";
const WITH_COMMANDS = `${ALLOW}export const bpf = () => 0;\n`;

/** Each way to get an fd of each kind from bpf(2), and the name of its file. */
const WAYS: Readonly<Record<ObjectKind, Readonly<Record<string, string>>>> = {
  program: {
    "program created": "anon_inode:bpf-prog",
    "program by id": "anon_inode:bpf-prog",
    "program by path": "anon_inode:bpf-prog",
  },
  map: {
    "map created": "anon_inode:bpf-map",
    "map by id": "anon_inode:bpf-map",
    "map by path": "anon_inode:bpf-map",
  },
  link: {
    "link created by BPF_RAW_TRACEPOINT_OPEN": "anon_inode:bpf_link",
    "link by id": "anon_inode:bpf-link",
    "link by path": "anon_inode:bpf-link",
    "link created by BPF_LINK_CREATE": "anon_inode:bpf_link",
    "link of an iterator by id": "anon_inode:bpf-link",
    "link of an iterator by path": "anon_inode:bpf-link",
  },
  btf: { "btf created": "anon_inode:btf", "btf by id": "anon_inode:btf" },
  iterator: { "iterator created": "anon_inode:bpf_iter", "iterator by open(2)": "read" },
  statistics: { "statistics created": "anon_inode:bpf-stats" },
  token: { "token created": "/bpf-token (deleted)" },
};
/** The gate makes no token: the kernel's errno where there is none, with which libbpf goes on without. */
const GATED = { "token created": "errno 2" };

describe("an fd of each kind, in each way to get one", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(ALLOW);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  const ways = (text: string) =>
    Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => line.split(/: (.*)/, 2)),
    );
  const all: Readonly<Record<string, string>> = Object.assign({}, ...Object.values(WAYS));

  it("has the name that this table has", () => {
    expect(ways(site.bare(site.attack("fds"), site.bpffs).stdout)).toEqual(all);
  });

  it("is of the kind by which the gate knows it", () => {
    const kinds = Object.entries(WAYS).flatMap(([kind, each]) =>
      Object.values(each)
        .filter((name) => name !== "read")
        .map((name) => [name, kind]),
    );
    expect(FILE_NAMES).toEqual(Object.fromEntries(kinds));
  });

  it.each([
    ["programs and maps are decided", ALLOW, ""],
    ["each command is decided", WITH_COMMANDS, ""],
    ["existing objects can be opened", ALLOW, "gate: { existing: allow }\n"],
  ] as const)("comes to the same behind a gate where %s", (_, policy, more) => {
    const gated = new Site(policy, more);
    try {
      expect(ways(gated.run(gated.attack("fds"), gated.bpffs).stdout)).toEqual({ ...all, ...GATED });
      const denied = gated.log.flatMap(({ denied_by }) => denied_by?.rule ?? []);
      expect(denied).toEqual(["token_create"]);
    } finally {
      gated.remove();
    }
  });

  it("comes to the same in audit", () => {
    const { stdout } = site.runWith(["--audit"], {}, site.attack("fds"), site.bpffs);
    expect(ways(stdout)).toEqual(all);
  });
});
