import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RunningProgram } from "./running-program.js";
import { needs, needsGate, outputOf, Site } from "./site.js";

/** `r0 = 1; exit`: what is loaded outside, and denied here. */
const BAD_TAG = "b11459a0e11ca14c";
const NOTING = `
import { deny, note } from "countersign";
export const bpf_prog_load = (prog) => {
  if (prog.tag === "${BAD_TAG}") return deny("is the forbidden program");
  note(JSON.stringify({ tail_calls: prog.effects.tail_calls, read_only: prog.effects.read_only }));
  return 0;
};
export const bpf_prog = (prog) => {
  note(JSON.stringify({ maps: prog.maps.length, map_ids: prog.loaded.map_ids.length }));
  return 0;
};
`;

describe("programs and maps that are put together after each was allowed", () => {
  let site: Site;
  let outside: RunningProgram;
  let env: Readonly<Record<string, string>>;

  beforeAll(() => {
    site = new Site(NOTING);
  });
  afterAll(() => site.remove());
  beforeEach(async (context) => {
    needsGate(context);
    needs(context, "gcc");
    site.policy(NOTING);
    site.forgetLog();
    const socket = join(site.folder, "socket");
    outside = new RunningProgram(site.attack("passing"), ["serve"], { SOCKET: socket });
    env = { SOCKET: socket, OUTSIDE: await outside.line() };
  });
  afterEach(() => outside?.end());

  const bare = (name: string, ...words: readonly string[]) =>
    outputOf(
      site.bare("env", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), site.attack(name), ...words),
    );
  const gated = (name: string, ...words: readonly string[]) =>
    outputOf(site.runWith([], env, site.attack(name), ...words));
  const notes = () =>
    site.log.flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes.map((text) => JSON.parse(text))) ?? []);
  /** The lines in which two outcomes differ, as `name: one, other`; each name counts once. */
  const differing = (one: string, other: string) => {
    const rest = other.split("\n");
    return one.split("\n").flatMap((line, index) => (line === rest[index] ? [] : [`${line}, ${rest[index]}`]));
  };

  it("are a chain of programs that were allowed, in which a denied one has no place; a member that was passed from outside has", () => {
    const alone = bare("chains", "tail");
    const { said, runs } = split(gated("chains", "tail"));
    expect(differing(split(alone).said, said)).toEqual([
      "load a denied one: done, load a denied one: EPERM",
      "add what is no program: done, add what is no program: EBADF",
      "find one of outside: done, find one of outside: EPERM",
    ]);
    // alone; a chain of allowed ones; the same after a denied one could not be added; and with one that was never
    // judged
    expect([split(alone).runs, runs]).toEqual([
      ["alone: 7", "chain: 2", "chain: 1", "chain: 1"],
      ["alone: 7", "chain: 2", "chain: 2", "chain: 1"],
    ]);
    // of both programs that go on as another one a policy was told so
    const members = notes().filter((note) => "tail_calls" in note);
    expect(members.filter(({ tail_calls }) => tail_calls)).toEqual([
      { tail_calls: true, read_only: false },
      { tail_calls: true, read_only: false },
    ]);
  });

  it("are no chain where a policy denies programs that go on as others", () => {
    site.policy(`
      import { deny } from "countersign";
      export const bpf_prog_load = ({ effects }) => (effects.tail_calls ? deny("goes on as another") : 0);
    `);
    const { said, runs } = split(gated("chains", "tail"));
    expect(said).toContain("first: EPERM\n");
    expect(runs).toEqual(["alone: EBADF", "chain: EBADF", "chain: EBADF", "chain: EBADF"]);
  });

  it("are a program and a map that is bound to it: the instructions stay, and a policy is told of one more id", () => {
    expect(gated("chains", "bind")).toBe(bare("chains", "bind"));
    expect(gated("chains", "bind")).toContain("maps: 0\nbind: done\nmaps: 1\n");
    const told = notes().filter((note) => "map_ids" in note);
    expect(told.slice(0, 2)).toEqual([
      { maps: 0, map_ids: 0 },
      { maps: 0, map_ids: 1 },
    ]);
  });

  it("come by a socket from outside, and by no other way; what is passed on is the other's", async () => {
    const served = () => outside.lines(4);
    const alone = bare("passing");
    const known = await served();
    expect(alone).toContain("by a pidfd: done\n");
    expect(differing(alone, gated("passing"))).toEqual([
      "by a pidfd: done, by a pidfd: EPERM",
      "by /proc: ENXIO, by /proc: EACCES",
      "its name in /proc: done, its name in /proc: EACCES",
    ]);
    // a program that a policy has allowed, and a map, are whoever's they are passed to
    expect(await served()).toEqual(known);
    expect(known).toEqual([
      "run what was taken: 2",
      "write to the map that was taken: done",
      "open it in /proc: ENXIO",
      "get it by a pidfd: done",
    ]);
  });

  it("are not run where hook `bpf` is served; a socket takes a program that was passed all the same", () => {
    site.policy(`${NOTING}\nexport const bpf = () => 0;`);
    const said = gated("passing");
    expect(said).toContain("run it: EPERM\nattach it to a socket: done\n");
    const rules = site.log.flatMap(({ denied_by }) => denied_by?.rule ?? []);
    expect(rules).toEqual(["existing_use"]);
  });
});

/** What an attack said, apart from what runs of its programs returned. */
function split(stdout: string): { readonly said: string; readonly runs: readonly string[] } {
  const isRun = (line: string) => /^(alone|chain): /.test(line);
  const lines = stdout.trimEnd().split("\n");
  return { said: `${lines.filter((line) => !isRun(line)).join("\n")}\n`, runs: lines.filter(isRun) };
}
