import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RunningProgram } from "./running-program.js";
import { type Done, needs, needsGate, outputOf, Site } from "./site.js";

const ALLOW = "export const bpf_prog_load = () => 0;";

/**
 * A file system that delegates every command, map, program and attachment to a user namespace, as a container's runtime
 * mounts one.
 */
describe("a BPF token", () => {
  let site: Site;
  let outside: RunningProgram | undefined;
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    site = new Site(ALLOW);
  });
  afterAll(() => site.remove());
  beforeEach(async (context) => {
    needsGate(context);
    needs(context, "gcc");
    site.policy(ALLOW);
    site.forgetLog();
    if (!site.bare(site.attack("token")).stdout.includes("token: done")) context.skip("needs BPF tokens (Linux 6.9)");
    env = { SOCKET: join(site.folder, "socket") };
    outside = new RunningProgram(site.attack("token"), ["serve"], env);
    expect(await outside.line()).toBe("ready");
  });
  afterEach(async () => {
    await outside?.end();
    outside = undefined;
  });

  const lines = (...said: readonly string[]) => `${["mount: done", ...said].join("\n")}\n`;
  /** What the parent said comes first, where that is not a task outside. */
  const child = (done: Done) => outputOf(done).replace(/^delegate: done\n/, "");
  const rules = () => site.log.flatMap(({ denied_by, hook }) => (denied_by === null ? [] : [[hook, denied_by.rule]]));

  it("grants what it delegates without a gate, whoever has made it", () => {
    const lent = lines("token: done", "a program without: EPERM", "a program: done", "a map: done", "types: done");
    expect(child(site.bare(site.attack("token")))).toBe(lent);
    expect(child(site.bare("env", `SOCKET=${env.SOCKET}`, site.attack("token"), "passed"))).toBe(lent);
  });

  it("is not looked for among the gate's fds: fd 0 of a task is none, open or closed", () => {
    const said = ["EINVAL", "EBADF"].map((errno) => `a program: ${errno}\na map: ${errno}\ntypes: ${errno}\n`);
    expect(outputOf(site.bare(site.attack("token"), "zero"))).toBe(said.join(""));
    expect(outputOf(site.run(site.attack("token"), "zero"))).toBe(said.join(""));
  });

  it("cannot be made behind a gate", () => {
    const refused = ["token: ENOENT", "a program without: EPERM", "a program: EBADF", "a map: EBADF", "types: EBADF"];
    expect(child(site.run(site.attack("token")))).toBe(lines(...refused));
    expect(rules()).toEqual([["bpf_token_create", "token_create"]]);
  });

  it("that a task outside has made grants nothing but types, and not even those where hook `bpf` is served", () => {
    const refused = ["token: done", "a program without: EPERM", "a program: EPERM", "a map: EPERM"];
    const passed = () => child(site.runWith([], env, site.attack("token"), "passed"));
    expect(passed()).toBe(lines(...refused, "types: done"));
    site.policy(`${ALLOW}\nexport const bpf = () => 0;`);
    site.forgetLog();
    expect(passed()).toBe(lines(...refused, "types: EPERM"));
    expect(rules()).toEqual([
      ["bpf_prog_load", "token"],
      ["bpf_map_create", "token"],
      ["bpf", "token"],
    ]);
  });
});
