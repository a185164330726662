import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mountTracefs, needs, needsGate, Site } from "./site.js";

const GO_PATH = "/usr/share/gocode";
const PACKAGE = "github.com/cilium/ebpf";
const SOURCES = join(GO_PATH, "src", PACKAGE);
/** Packages whose tests call bpf(2) or look at what it made; that of the shorter run, and the others. */
const PACKAGES = ["."];
const MORE = ["link", "features", "perf", "ringbuf", "btf", "rlimit", "internal", "internal/sys", "internal/tracefs"];
const NIGHTLY = process.env.COUNTERSIGN_NIGHTLY !== undefined;

const ALLOW =
  "export const bpf_prog_load = () => 0, bpf_prog = () => 0, bpf_map_create = () => 0, bpf_map = () => 0;\n";
const WITH_COMMANDS = `${ALLOW}export const bpf = () => 0;\n`;
/** Tests that end differently where hook `bpf` is served, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  // it runs a program 2^31 - 1 times, and the gate at most 65,536 times (MAX_REPEAT)
  TestProgramTestRunInterrupt: "FAIL",
};

/**
 * The tests of cilium/ebpf, a library that many Go programs load BPF with: each has the same result with and without a
 * gate.
 */
describe("the tests of cilium/ebpf", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(ALLOW);
    site.write("mounts", MOUNTS);
    mountTracefs();
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "go");
    if (!existsSync(join(SOURCES, "link/link_test.go"))) context.skip("needs golang-github-cilium-ebpf-dev");
  });

  /** The test binary of a package, and where it finds its files. */
  const build = (name: string): readonly string[] => {
    const path = join(site.folder, `${name.replaceAll("/", "-")}.test`);
    const env = {
      ...process.env,
      GO111MODULE: "off",
      GOPATH: GO_PATH,
      CGO_ENABLED: "0",
      GOFLAGS: "",
      GOTOOLCHAIN: "local",
    };
    if (!existsSync(path)) execFileSync("go", ["test", "-c", "-o", path, join(PACKAGE, name)], { env, stdio: "pipe" });
    return ["unshare", "--mount", "sh", join(site.folder, "mounts"), join(SOURCES, name), path, "-test.v"];
  };
  /** The result of each test and subtest, by its name. */
  const resultsOf = (text: string): Readonly<Record<string, string>> =>
    Object.fromEntries([...text.matchAll(/--- (PASS|FAIL|SKIP): (\S+)/g)].map(([, result, name]) => [name, result]));

  it.each(NIGHTLY ? [...PACKAGES, ...MORE] : PACKAGES)("package %s", (name) => {
    const words = build(name);
    const bare = resultsOf(site.bare(...words).stdout);
    expect(Object.values(bare)).toContain("PASS");
    site.policy(ALLOW);
    expect(resultsOf(site.run(...words).stdout)).toEqual(bare);
    site.policy(WITH_COMMANDS);
    const different = Object.entries(DIFFERENT).filter(([test]) => test in bare);
    expect(resultsOf(site.run(...words).stdout)).toEqual({ ...bare, ...Object.fromEntries(different) });
  });
});

/** What the tests expect to be mounted; and the folder that they run in. */
const MOUNTS = `set -e
mount --make-rprivate /
mount -t bpf bpf /sys/fs/bpf
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd "$1"
shift
exec "$@"
`;
