import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { gateFilter } from "../../../../src/gate/call/filter.js";
import { encodeExecRequest } from "../../../../src/gate/run/exec-request.js";
import { RuntimeConnection } from "../../../support/runtime-connection.js";

/** The calls that change a process, which the launcher makes; `results` has those that fail. */
const made = vi.hoisted(() => ({
  calls: [] as unknown[][],
  results: {} as Record<string, number>,
  execute: (_path: string): number => -2,
  capabilities: 0n,
}));
const call = vi.hoisted(() => (name: string) => (...words: unknown[]) => {
  made.calls.push([name, ...words]);
  return made.results[name] ?? 0;
});
vi.mock("../../../../src/sys/landlock.js", () => ({ enterDomain: call("enterDomain") }));
vi.mock("../../../../src/sys/seccomp.js", async (original) => ({
  ...(await original<typeof import("../../../../src/sys/seccomp.js")>()),
  installFilter: call("installFilter"),
}));
vi.mock("../../../../src/sys/credentials.js", () => ({ capabilities: () => ({ effective: made.capabilities }) }));
vi.mock("../../../../src/sys/process.js", () => ({
  closeOnExec: call("closeOnExec"),
  defaultSignals: call("defaultSignals"),
  refuseNewPrivileges: call("refuseNewPrivileges"),
  setOpenFiles: call("setOpenFiles"),
  execute: (path: Uint8Array, words: readonly Uint8Array[], environment: readonly Uint8Array[]) => {
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
    made.calls.push(["execute", text(path), words.map(text), environment.map(text)]);
    return made.execute(text(path));
  },
}));

class Exit {
  constructor(readonly code: unknown) {}
}

describe("the launcher", () => {
  const { argv } = process;
  let printed: string[];
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    Object.assign(made, { calls: [], results: {}, execute: () => -ERRNO.ENOENT, capabilities: 0n });
    printed = [];
    vi.resetModules();
    vi.spyOn(process, "exit").mockImplementation((code) => {
      throw new Exit(code);
    });
    vi.spyOn(process.stderr, "write").mockImplementation((text) => printed.push(String(text)) > 0);
  });
  afterEach(() => {
    process.argv = argv;
    vi.restoreAllMocks();
  });

  interface Given {
    readonly filter?: string;
    readonly mode?: string;
    readonly words?: readonly string[];
    readonly environment?: readonly string[];
    readonly fds?: string;
    readonly openFiles?: string;
  }
  /** Runs the launcher until it exits. Returns its exit code and what it sent to the gate. */
  const launch = async (given: Given) => {
    const { filter = "\x00", mode = "enforce", words = ["/bin/it", "x"], environment = ["A=1"], ...more } = given;
    const { runtime: gate, accepted } = RuntimeConnection.pair();
    const encoded = (list: readonly string[]) => list.map((each) => Buffer.from(each));
    gate.send(filter);
    if (words.length > 0)
      gate.send(
        Buffer.from(encodeExecRequest({ words: encoded(words), environment: encoded(environment) })).toString(),
      );
    gate.finish();
    process.argv = ["node", "launcher", `${accepted}`, more.openFiles ?? "0", more.fds ?? "", mode];
    const exit = await import("../../../../src/gate/run/launcher.js").catch((error) => error);
    const received = gate.receive();
    gate.close();
    expect(exit).toBeInstanceOf(Exit);
    return { code: (exit as Exit).code, received };
  };
  const names = () => made.calls.map(([name]) => name);
  const executed = () => made.calls.filter(([name]) => name === "execute").map(([, path]) => path);

  it("confines itself before it has a listener, and executes the command with what it inherits", async () => {
    made.results.installFilter = 5;
    const { code, received } = await launch({ fds: "3,7", openFiles: "1024" });
    const first = ["defaultSignals", "closeOnExec", "refuseNewPrivileges", "enterDomain", "installFilter"];
    expect(names().slice(0, 5)).toEqual(first);
    expect(made.calls[4]).toEqual(["installFilter", gateFilter("enforce", "full")]);
    expect(received).toBe("listener 5\n");
    const inherited = [0, 1, 2, 3, 7].map((fd) => ["closeOnExec", fd, false]);
    expect(made.calls.slice(5, -1)).toEqual([...inherited, ["setOpenFiles", 1024]]);
    expect(made.calls.at(-1)).toEqual(["execute", "/bin/it", ["/bin/it", "x"], ["A=1"]]);
    expect(code).toBe(127);
    expect(printed).toEqual(["countersign: `/bin/it` cannot be executed: ENOENT\n"]);
  });

  it("keeps its privileges if it has CAP_SYS_ADMIN, and enters no domain in audit", async () => {
    made.capabilities = 1n << 21n;
    await launch({ mode: "audit", filter: "\x01" });
    expect(names().slice(0, 3)).toEqual(["defaultSignals", "closeOnExec", "installFilter"]);
    expect(made.calls[2]).toEqual(["installFilter", gateFilter("audit", "fast")]);
  });

  it.each([
    ["refuseNewPrivileges", "no_new_privs"],
    ["enterDomain", "landlock"],
    ["installFilter", "seccomp"],
  ])("executes nothing if it cannot be confined: %s", async (name, step) => {
    made.results[name] = -ERRNO.EPERM;
    expect(await launch({})).toEqual({ code: 125, received: `failed ${step} ${ERRNO.EPERM}\n` });
    expect(executed()).toEqual([]);
  });

  it.each([
    ["chose a filter", { filter: "" }],
    ["named the command", { words: [] }],
  ])("executes nothing if the gate ended before it %s", async (_, given) => {
    expect((await launch({ words: [], ...given })).code).toBe(125);
    expect(executed()).toEqual([]);
  });

  it.each<[string, string, Readonly<Record<string, number>>, readonly string[], number]>([
    ["the first that is there", "/a:/b", { "/b/it": -ERRNO.EPERM }, ["/a/it", "/b/it"], 126],
    ["no other after one that may not be executed", "/a:/b", { "/a/it": -ERRNO.EACCES }, ["/a/it", "/b/it"], 126],
    ["the working directory for an empty name", ":/b", {}, ["it", "/b/it"], 127],
    ["a script without an interpreter by the shell", "/a", { "/a/it": -ERRNO.ENOEXEC }, ["/a/it", "/bin/sh"], 127],
  ])("looks a name up in PATH: %s", async (_, path, results, paths, code) => {
    made.execute = (file) => results[file] ?? -ERRNO.ENOENT;
    expect((await launch({ words: ["it"], environment: [`PATH=${path}`] })).code).toBe(code);
    expect(executed()).toEqual(paths);
  });

  it("looks a name up in the usual folders without PATH", async () => {
    await launch({ words: ["it"], environment: [] });
    expect(executed()).toEqual(["/usr/local/bin/it", "/usr/bin/it", "/bin/it"]);
  });
});
