import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs, needsGate, Site } from "./site.js";

const LOADED = `
__attribute__((section("raw_tp/sched_switch"), used)) int pass(void *ctx) { return 0; }
char _license[] __attribute__((section("license"))) = "GPL";
`;

const sha256 = (hex: string) => createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");

describe("a light skeleton, whose loader calls bpf(2) from inside the kernel", () => {
  let site: Site;
  let program: string;

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
    execFileSync("gcc", ["-O2", "-w", "-I", include, "-o", program, source]);
    site.forgetLog();
  });

  const parts = () => {
    const said = site.bare("env", "PRINT=1", program).stdout;
    const part = (name: string) => sha256(new RegExp(`^${name}: ([0-9a-f]+)$`, "m").exec(said)?.[1] ?? "");
    return { loader: part("insns"), data: part("data") };
  };

  it("is refused as Debian's bpftool loads it: others may write to what it will load", () => {
    const load = ["bpftool", "prog", "load", "-L", join(site.folder, "light.o"), join(site.bpffs, "light")];
    expect(site.bare(...load).status).toBe(0);
    const { status } = site.run(...load);
    expect(status).not.toBe(0);
    expect(site.log.find(({ hook, refusal }) => hook === "bpf_prog_load" && refusal !== null)?.refusal?.reason).toBe(
      "gate: a program that calls bpf(2) may use maps alone whose contents are facts, and `__loader.map` is not frozen, or others may write to it",
    );
  });

  it("loads where a policy knows the loader and what it will load, and nothing else", (context) => {
    const { loader, data } = parts();
    const env = { DIGEST: loader };
    if (site.bare("env", `DIGEST=${loader}`, program).stdout !== "attached\n")
      context.skip("needs exclusive maps (Linux 6.18)");
    site.policy(`
      import { deny } from "countersign";
      export function bpf_prog_load(prog) {
        if (prog.type !== "syscall") return deny("is no loader");
        if (prog.digest !== "${loader}") return deny("is another loader: " + prog.digest);
        return prog.maps.every(({ contents }) => contents === "${data}") ? 0 : deny("loads something else");
      }
    `);
    expect(site.runWith([], env, program).stdout).toBe("attached\n");
    expect(site.runWith([], { ...env, CHANGE: "1" }, program).stdout).toBe("errno 1\n");
    expect(site.runWith([], { ...env, THAWED: "1" }, program).stdout).toBe("errno 1\n");
    const reasons = site.log.flatMap(({ refusal }) => (refusal === null ? [] : [refusal.reason]));
    // a map that is not frozen has no contents that a policy could know
    expect(reasons).toEqual(["policy: loads something else", "policy: loads something else"]);
  });
});
