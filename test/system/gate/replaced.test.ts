import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sigstore } from "../../support/sigstore.js";
import { amount } from "../nightly.js";
import { needs, needsGate, Site } from "./site.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** What a gate runs: its own files, and the packages that the bundle does not hold. */
const INSTALLED = ["bin", "dist", "package.json"];
const PACKAGES = ["koffi", "@koromix", "@jitl", "@swc"].map((name) => join("node_modules", name));

/** In TypeScript, so that each decision thread needs the parser of TypeScript as well. */
const POLICY = `
export function bpf_prog_load(prog: { readonly name: string }): number {
  if (prog.name === "stuck") Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1 as number);
  return prog.name === "bad" ? -13 : 0;
}
`;

/**
 * `load NAME` prints whether the object of this name was loaded; `await` loads the good one until its policy is asked
 * again.
 */
const SHELL = `
try() { rm -f "$BPFFS/x"; bpftool prog load $1.o "$BPFFS/x" > /dev/null 2>&1; local status=$?; rm -f "$BPFFS/x"; return $status; }
load() { if try $1; then echo "$1: loaded"; else echo "$1: not"; fi; }
await() { for turn in $(seq 60); do if try good; then echo "asked again"; return; fi; sleep 0.5; done; }
`;
/** A policy whose thread was ended twice is suspended for a second, then for two, and is asked again after that. */
const TWICE = "load stuck; await; load stuck; await";

describe("a command that replaces the program of the gate", () => {
  let site: Site;
  let home: string;
  let mark: string;

  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool", "clang-19", "unshare");
    site = new Site("");
    site.write("policy.ts", POLICY);
    site.write("root.json", JSON.stringify(new Sigstore().root));
    site.write(
      "countersign.yaml",
      `version: 1
log: { file: log.jsonl }
keyrings: { releases: { sigstore: { root: root.json, identities: [] } } }
attachments: [{ policy: policy.ts, limits: { steps: 100000000, timeout: 500ms } }]
`,
    );
    for (const name of ["good", "bad", "stuck"]) site.object(name, program(name));
    home = join(site.folder, "home");
    mark = join(site.folder, "ran");
    for (const name of [...INSTALLED, ...PACKAGES])
      cpSync(join(ROOT, name), join(home, name), { recursive: true, filter: (path) => !path.endsWith("/dist/types") });
    writeFileSync(join(home, "preload.cjs"), "");
  });
  afterEach(() => site?.remove());

  const program = (name: string) => `
struct xdp_md;
__attribute__((section("xdp"), used)) int ${name}(struct xdp_md *ctx) { return 2; }
char _license[] __attribute__((section("license"))) = "GPL";
`;

  /**
   * All files of the installation, and for each what shows that it was run; natives, WebAssembly and caches are
   * garbage.
   */
  const prepareEvil = (): readonly string[] => {
    const evil = `process.getBuiltinModule("node:fs").appendFileSync(${JSON.stringify(mark)}, "ran\\n");\n`;
    const files = (readdirSync(home, { recursive: true, withFileTypes: true }) as import("node:fs").Dirent[])
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files) {
      const copy = file.replace(home, join(site.folder, "evil"));
      mkdirSync(join(copy, ".."), { recursive: true });
      writeFileSync(copy, /\.[cm]?js$/.test(file) ? evil : "garbage".repeat(1 << 18));
    }
    return files;
  };

  const run = (script: string, before: readonly string[] = []) => {
    const config = ["--config", join(site.folder, "countersign.yaml")];
    const command = ["bash", "-c", `cd ${site.folder}; ${SHELL} ${script}`];
    const words = [...before, process.execPath, join(home, "bin/countersign.js"), "run", "--quiet", ...config, "--"];
    return spawnSync(words[0]!, [...words.slice(1), ...command], {
      encoding: "utf8",
      env: { ...process.env, BPFFS: site.bpffs, NODE_OPTIONS: `--require ${join(home, "preload.cjs")}` },
      timeout: 280_000,
    });
  };

  it.each(
    [
      ["in place", "cp -r evil/. home"],
      ["and its configuration, policy and keyring", "for file in *.yaml *.ts *.json; do echo garbage > $file; done"],
      ["by other files", "mv home old; cp -r evil home"],
      ["by nothing", "rm -r home"],
    ].slice(0, amount(1, 4)),
  )("has none of it run, and the same policy decides in each thread that is started later: %s", (_, replace) => {
    expect(prepareEvil().length).toBeGreaterThan(20);
    const { stdout, stderr, status } = run(`load good; load bad; ${replace}; ${TWICE}; load bad`);
    expect(stdout.trim().split("\n")).toEqual([
      "good: loaded",
      "bad: not",
      "stuck: not",
      "asked again",
      "stuck: not",
      "asked again",
      "bad: not",
    ]);
    expect(stderr.match(/the decision thread was replaced/g)?.length).toBeGreaterThanOrEqual(2);
    expect(stderr).not.toMatch(/is gone|INTERNAL/);
    expect(status).toBe(0);
    expect(existsSync(mark)).toBe(false);
    const loads = site.log.filter(({ hook, loader_probe }) => hook === "bpf_prog_load" && loader_probe === undefined);
    expect(loads.filter(({ denied_by }) => denied_by?.code === "OUT_OF_TIME").length).toBeGreaterThanOrEqual(2);
    expect(loads.at(-1)).toMatchObject({ verdict: -13 });
  });

  it("does not get later threads to log elsewhere than to the file that was opened before it", () => {
    const { stdout } = run(`load good; mv log.jsonl moved.jsonl; ln -s /dev/null log.jsonl; ${TWICE}; load bad`);
    expect(stdout).toMatch(/bad: not\n$/);
    const lines = readFileSync(join(site.folder, "moved.jsonl"), "utf8").trim().split("\n");
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ hook: "bpf_prog_load", verdict: -13 });
    expect(lines.filter((line) => line.includes('"OUT_OF_TIME"')).length).toBeGreaterThanOrEqual(2);
  });

  it("has none of it run where it mounts another file over the executable of node", () => {
    const node = realpathSync(process.execPath);
    const script = `load good; mount --bind evil ${node} || echo unmounted; ${TWICE}; umount ${node}`;
    site.write("evil", readFileSync(node).fill(0xcc));
    const { stdout, stderr } = run(script, ["unshare", "-m"]);
    expect(stdout.trim().split("\n")).toEqual([
      "good: loaded",
      "stuck: not",
      "asked again",
      "stuck: not",
      "asked again",
    ]);
    expect(stderr.match(/the decision thread was replaced/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it("opens neither its own files nor node's once the command has started", (context) => {
    needs(context, "strace");
    site.write("started", "");
    const trace = join(site.folder, "trace");
    const strace = ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2,execve", "-o", trace];
    run(`cat started; load good; ${TWICE}`, strace);
    const lines = readFileSync(trace, "utf8").split("\n");
    const start = lines.findIndex((line) => line.includes('"started"'));
    expect(start).toBeGreaterThan(0);
    const opened = (from: readonly string[]) =>
      from.filter((line) => line.includes(`"${home}`) || line.includes(`"${realpathSync(process.execPath)}"`));
    expect(opened(lines.slice(0, start)).length).toBeGreaterThan(10);
    expect(opened(lines.slice(start))).toEqual([]);
    rmSync(trace);
  });
});
