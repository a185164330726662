import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { amount } from "../nightly.js";
import { needs, needsElementIterators, needsGate, patient, Site } from "./site.js";

const LOADED = `
__attribute__((section("raw_tp/sched_switch"), used)) int pass(void *ctx) { return 0; }
char _license[] __attribute__((section("license"))) = "GPL";
`;

const sha256 = (hex: string) => createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");

describe("a light skeleton, whose loader calls bpf(2) from inside the kernel", () => {
  let site: Site;
  let program: string;
  /** The same with the code that bpftool and libbpf make for it. */
  let unmodified: string;

  beforeAll(() => {
    site = new Site("export const bpf_prog_load = () => 0;");
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bpftool", "clang-19");
    if (!existsSync("/usr/include/bpf/skel_internal.h")) context.skip("needs libbpf-dev");
    const object = site.object("light", LOADED);
    // apart from the site's BPF file system, which is called as libbpf's headers are
    const include = join(site.folder, "include");
    mkdirSync(include, { recursive: true });
    site.write("include/light.skel.h", execFileSync("bpftool", ["gen", "skeleton", "-L", object]));
    program = join(site.folder, "light");
    const source = fileURLToPath(new URL("../attack/light.c", import.meta.url));
    unmodified = join(site.folder, "unmodified");
    execFileSync("gcc", ["-O2", "-w", "-pthread", "-I", include, "-o", program, source]);
    execFileSync("gcc", ["-O2", "-w", "-pthread", "-DUNMODIFIED", "-I", include, "-o", unmodified, source]);
    site.forgetLog();
  });

  const parts = () => {
    const said = site.bare("env", "PRINT=1", program).stdout;
    const part = (name: string) => new RegExp(`^${name}: ([0-9a-f]+)$`, "m").exec(said)?.[1] ?? "";
    return { loader: sha256(part("insns")), data: sha256(part("data")), bytes: part("data") };
  };
  const load = () => ["bpftool", "prog", "load", "-L", join(site.folder, "light.o"), join(site.bpffs, "light")];
  const reasons = () => site.log.flatMap(({ denied_by }) => (denied_by === null ? [] : [denied_by.reason]));
  /** Knows the loader and what it will load, and lets through what calls no bpf(2) only where it is asked to. */
  const known = (others = 'deny("is no loader")') => {
    const { loader, data } = parts();
    site.policy(`
      import { deny } from "countersign";
      export function bpf_prog_load(prog) {
        if (prog.type !== "syscall") return ${others};
        if (prog.digest !== "${loader}") return deny("is another loader: " + prog.digest);
        return prog.maps.every(({ contents }) => contents === "${data}") ? 0 : deny("loads something else");
      }
    `);
    return { DIGEST: loader };
  };
  const freezing = (more = "") =>
    site.write(
      "freezing.yaml",
      `version: 1\nlog: { file: log.jsonl }\nattachments: [{ policy: policy.js, freeze: true, limits: { timeout: 10s } }]\n${more}`,
    );
  const frozen = (env: NodeJS.ProcessEnv, ...command: readonly string[]) =>
    site.runWith(["--config", freezing()], env, ...command);
  const needsExclusive = (context: TestContext, env: { readonly DIGEST: string }) => {
    if (!site.bare("env", `DIGEST=${env.DIGEST}`, program).stdout.endsWith("attached\n"))
      context.skip("needs exclusive maps (Linux 6.18)");
  };

  it("is refused as Debian's bpftool loads it: others may write to what it will load", () => {
    site.policy("export const bpf_prog_load = () => 0;");
    expect(site.bare(...load()).status).toBe(0);
    expect(site.run(...load()).status).not.toBe(0);
    expect(reasons()[0]).toBe(
      "gate: a program that calls bpf(2) may use maps alone whose contents are facts, and `__loader.map` is not frozen, or others may write to it",
    );
  });

  it("loads unmodified where an attachment has maps frozen, by bpftool and by its own code", () => {
    const env = known();
    const done = frozen(env, ...load());
    expect([done.status, done.stderr]).toEqual([0, ""]);
    expect(frozen(env, unmodified).stdout).toBe("attached\n");
    expect(reasons()).toEqual([]);
    expect(site.log.find(({ subject }) => subject.name === "__loader.prog")?.grants?.freeze).toBe("policy");
    expect(frozen({ ...env, PLAIN: "1", CHANGE: "1" }, program).stdout).toBe("errno 1\n");
    expect(reasons()).toEqual(["policy: loads something else"]);
  });

  it.each([
    ["in audit", "{ policy: policy.js, freeze: true, mode: audit }, { policy: policy.js, name: other }"],
    [
      "that is not in scope",
      "{ policy: policy.js, freeze: true, scope: { uid: 4711 } }, { policy: policy.js, name: other }",
    ],
  ])("is refused where the attachment that has maps frozen is one %s", (_, attachments) => {
    site.policy("export const bpf_prog_load = () => 0;");
    const config = site.write(
      "other.yaml",
      `version: 1\nlog: { file: log.jsonl }\nattachments: [${patient(attachments)}]\n`,
    );
    expect(site.runWith(["--config", config], { DIGEST: parts().loader, PLAIN: "1" }, program).stdout).toBe(
      "errno 1\n",
    );
    expect(reasons()[0]).toContain("is not frozen");
  });

  it("loads as ever where everything is in audit, and says that nothing would have been denied", () => {
    const env = known();
    const { stdout } = site.runWith(
      ["--config", freezing(), "--audit"],
      { ...env, PLAIN: "1", AFTER: "1", TAG: "1" },
      program,
    );
    // r0 = 1: what the task wrote after the load, as without a gate
    expect(stdout).toBe("tag: b11459a0e11ca14c\nattached\n");
    expect(site.log.flatMap(({ denied_by }) => (denied_by === null ? [] : [denied_by.reason]))).toEqual([]);
  });

  it("loads what was judged whatever is written to its map afterwards", (context) => {
    const judged = "tag: 59f4a931744dcdc6\nattached\n";
    const env = { ...known("0"), TAG: "1" };
    expect(frozen({ ...env, PLAIN: "1", AFTER: "1" }, program).stdout).toBe(judged);
    needsElementIterators(context, site);
    // an iterator writes to a frozen map
    const offset = parts().bytes.indexOf("b7000000000000009500000000000000") / 2 + 4;
    const object = site.object("iterator", ITERATOR.replaceAll("OFFSET", String(offset)));
    const pins = { ITERATOR: join(site.bpffs, "iterator"), MAP: join(site.bpffs, "map") };
    const pin = `bpftool iter pin ${object} ${pins.ITERATOR} map pinned ${pins.MAP}`;
    const iterate = {
      ...env,
      ...pins,
      PLAIN: "1",
      FROZEN: "1",
      ITERATE: `${pin} && cat ${pins.ITERATOR}; rm ${pins.ITERATOR}`,
    };
    expect(site.bare("env", ...Object.entries(iterate).map(([key, value]) => `${key}=${value}`), program).stdout).toBe(
      "tag: b11459a0e11ca14c\nattached\n",
    );
    // the gate denies such iterators, and the copy could not be reached by one that is pinned already
    expect(frozen(iterate, program).stdout).toContain(judged);
    expect(new Set(reasons())).toEqual(new Set([expect.stringMatching(/^gate: an iterator over elements of maps/)]));
  });

  it("loads nothing else while a thread writes to each map there is", () => {
    const tries = amount(200, 2000);
    const env = { ...known("0"), PLAIN: "1", TRIES: String(tries) };
    const numbers = (stdout: string) =>
      /^wanted: (\d+)\nother: (\d+)\nrefused: (\d+)\n$/.exec(stdout)!.slice(1).map(Number);
    const [, lost] = numbers(
      site.bare("env", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), program).stdout,
    );
    expect(lost).toBeGreaterThan(0);
    const [wanted, other, refused] = numbers(frozen(env, program).stdout);
    expect([wanted! > 0, other, wanted! + refused!]).toEqual([true, 0, tries]);
  });

  it("loads where a policy serves `bpf`, too, if runs of loaders are asked about", () => {
    const env = known();
    const { loader } = parts();
    site.write(
      "bpf.js",
      `export const bpf = ({ program }) => (program?.type !== "syscall" || program.digest === "${loader}" ? 0 : -1);`,
    );
    const config = site.write(
      "both.yaml",
      "version: 1\nlog: { file: log.jsonl }\ngate: { loader_runs: ask }\nattachments: [{ policy: policy.js, freeze: true, limits: { timeout: 10s } }, { policy: bpf.js, limits: { timeout: 10s } }]\n",
    );
    // what it loads was made inside of the kernel, and is no program that was handed out: it cannot be attached then
    expect(site.runWith(["--config", config], env, unmodified).stdout).toBe("loaded\n");
    expect(reasons()).toEqual([
      expect.stringMatching(/^gate: program \d+ was not handed out here \(gate\.existing\)$/),
    ]);
    site.forgetLog();
    const allowing = site.write(
      "allowing.yaml",
      readFileSync(config, "utf8").replace("ask }", "ask, existing: allow }"),
    );
    expect(site.runWith(["--config", allowing], env, unmodified).stdout).toBe("attached\n");
    expect(reasons()).toEqual([]);
  });

  it.each(["", "gate: { existing: allow }\n"])("has a copy of its map that nobody finds: %j", (more) => {
    const env = { ...known(), PLAIN: "1", FIND: "1" };
    expect(site.runWith(["--config", freezing(more)], env, program).stdout).toBe("found: 2\nattached\n");
  });

  it("is charged for the copy", () => {
    const config = freezing("gate: { map_memory: 3KiB }\n");
    // one map of 1864 bytes is within that, two are not
    expect(site.runWith(["--config", config], { ...known(), PLAIN: "1" }, program).stdout).toBe("errno 12\n");
    expect(reasons()[0]).toMatch(/^gate: a copy of its map `__loader.map` takes \d+ bytes, more than is left of 3072$/);
  });

  it("loads where a policy knows the loader and what it will load, and nothing else", (context) => {
    const env = known();
    needsExclusive(context, env);
    expect(site.runWith([], env, program).stdout).toBe("attached\n");
    expect(site.runWith([], { ...env, CHANGE: "1" }, program).stdout).toBe("errno 1\n");
    expect(site.runWith([], { ...env, THAWED: "1" }, program).stdout).toBe("errno 1\n");
    // a map that is not frozen has no contents that a policy could know
    expect(reasons()).toEqual(["policy: loads something else", "policy: loads something else"]);
  });
});

const ITERATOR = `
struct element { void *meta; void *map; void *key; void *value; };
__attribute__((section("iter/bpf_map_elem"), used)) int change(struct element *it)
{
	char *value = it->value;

	if (value)
		*(int *)(value + OFFSET) = 1;
	return 0;
}
char _license[] __attribute__((section("license"))) = "GPL";
`;
