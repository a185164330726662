import { beforeEach, describe, expect, it } from "vitest";
import { siteForTests } from "./site.js";
import { HARMLESS } from "./uring-operations.js";

const BAD_TAG = "b11459a0e11ca14c";
const POLICY = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.tag === "${BAD_TAG}" ? deny("is the forbidden program") : 0);
`;
/** How many operations Linux 6.18 has. */
const KNOWN = 63;

/** The filter sees system calls only; io_uring carries operations out without one. */
describe("io_uring", () => {
  const site = siteForTests(POLICY, ["gcc"]);
  beforeEach((context) => {
    const said = site().bare(site().attack("uring")).stdout;
    if (said.startsWith("ring: ")) context.skip("needs io_uring");
    if (!said.includes("SO_ATTACH_BPF: done")) context.skip("needs URING_CMD of sockets (Linux 6.7)");
  });

  it.each([
    ["the task itself", []],
    ["a thread of the kernel", ["poll"]],
  ] as const)(
    "has no operation that reaches bpf(2), carried out by %s; it attaches programs that were handed out",
    (_, words) => {
      const { stdout } = site().run(site().attack("uring"), ...words);
      expect(Number(/^operations (\d+)$/m.exec(stdout)?.[1])).toBeLessThanOrEqual(KNOWN);
      const done = Array.from(stdout.matchAll(/^(\d+) (?:program|map|socket): done$/gm), ([, number]) =>
        Number(number),
      );
      expect(done.filter((number) => !(number in HARMLESS))).toEqual([]);
      expect(done).not.toEqual([]);
      // the program that it attaches, and a map: each was asked for by bpf(2)
      expect(site().log.map(({ hook, verdict }) => [hook, verdict])).toEqual([
        ["bpf_prog_load", 0],
        ["bpf_map_create", 0],
      ]);
      expect(stdout).toContain("SO_ATTACH_BPF: done\nSO_ATTACH_FILTER: done\n");
    },
  );

  it("attaches for a command what a task outside has loaded, where that hands the command a ring of its own", () => {
    const attack = site().attack("uring");
    const { stdout } = site().bare(attack, "spawn", attack, "inherited");
    expect(stdout).toBe("a command on a program of outside: EOPNOTSUPP\nSO_ATTACH_BPF: done\nSO_ATTACH_FILTER: done\n");
    expect(site().bare(attack, "spawn", ...site().words(attack, "inherited")).stdout).toBe(stdout);
    expect(site().log).toEqual([]);
  });
});
