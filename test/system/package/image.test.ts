import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { available } from "../core/debian-archive.js";
import { Containers } from "../gate/containers.js";
import { Machine, SOCKET } from "../gate/machine.js";
import { RunningProgram } from "../gate/running-program.js";
import { type Done, done, needs, needsGate } from "../gate/site.js";
import { ARCHITECTURE, built, cannotBuild } from "./built.js";
import { rootArchive } from "./chroot.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const CONTAINERFILE = at("../../../deploy/Containerfile");
const BY_TIER = `
import { deny } from "countersign";
export const bpf_prog_load = (prog, current) =>
  current.container?.labels?.tier === "edge" ? deny("a container of tier edge loads nothing") : 0;
`;
const CONFIGURATION = "version: 1\nattachments: [{ policy: by-tier.js, limits: { timeout: 10s } }]\n";
/** What podman would set lies in /proc/sys, which a test leaves alone, or is more than some machines can have. */
const PODMAN = `[containers]
default_sysctls = []
pids_limit = 0
default_ulimits = ["nproc=4096:4096", "nofile=1024:4096"]
[engine]
events_logger = "none"
`;
const LOADER = "/bin/attack callers";

/**
 * The image of deploy/Containerfile, on a base of Debian's packages, and its agent as deploy/kubernetes.yaml runs it.
 */
describe("the image of the agent", () => {
  let folder: string;
  let machine: Machine | string;
  let made: Done;

  const podman = (...words: readonly string[]): readonly [string, ...string[]] => {
    const store = ["--root", join(folder, "store"), "--runroot", "/run/countersign-image", "--storage-driver", "vfs"];
    const environment = [`CONTAINERS_CONF=${join(folder, "containers.conf")}`, "PODMAN_IGNORE_CGROUPSV1_WARNING=1"];
    return ["env", ...environment, "podman", ...store, "--cgroup-manager", "cgroupfs", ...words];
  };
  const inside = (): Machine => machine as Machine;
  const ran = (...words: readonly string[]) =>
    inside().run(
      ...podman(
        "run",
        "--runtime",
        "crun",
        "--rm",
        "--network",
        "none",
        ...["--cgroups", "disabled", "countersign"],
        ...words,
      ),
    );

  beforeAll(async () => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return;
    folder = mkdtempSync(join(tmpdir(), "countersign-image-test-"));
    machine = cannotBuild() ?? (await Machine.boot(folder, {}));
    if (typeof machine === "string") return;
    const base = available(rootArchive);
    if (typeof base === "string") {
      await machine.end();
      machine = base;
      return;
    }
    writeFileSync(join(folder, "containers.conf"), PODMAN);
    built(join(folder, "build"), { architecture: ARCHITECTURE });
    const [file, ...words] = podman("import", base.archive, "localhost/base");
    execFileSync(file, words, { stdio: "ignore" });
    const options = ["--network", "host", "--isolation", "chroot", "--build-arg", "BASE=localhost/base"];
    made = done(podman("build", ...options, "--tag", "countersign", "--file", CONTAINERFILE, join(folder, "build")));
  });
  afterAll(async () => {
    if (machine instanceof Machine) await machine.end();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((context) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return context.skip("takes minutes: nightly");
    needs(context, "podman", "crun");
    if (typeof machine === "string") context.skip(machine);
  });

  it("is built, and has the command with its configuration and profiles", () => {
    expect(made.status, made.stderr).toBe(0);
    expect(ran("countersign", "--version")).toMatchObject({
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
      stderr: "",
    });
    const files = ["/etc/countersign/countersign.yaml", "/usr/lib/countersign/deploy/seccomp.json"];
    expect(ran("ls", ...files).stdout).toBe(`${files.join("\n")}\n`);
  });

  it("checks the examples by its own configuration", () => {
    const config = ["--config", "/etc/countersign/countersign.yaml"];
    const checked = ran("countersign", "check", ...config, "/usr/lib/countersign/examples/drop-telnet.o");
    expect(checked.stdout, checked.stderr).toContain("would deny -EPERM  read-only: may change something");
  });

  it("judges other containers of the machine", async (context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox", "nsenter", "pgrep");
    const site = join(folder, "site");
    mkdirSync(site);
    writeFileSync(join(site, "by-tier.js"), BY_TIER);
    writeFileSync(join(site, "countersign.yaml"), CONFIGURATION);
    const program = join(folder, "traps-static");
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, at("../attack/traps.c")]);
    expect(inside().run("mkdir", "-p", "/run/countersign").status).toBe(0);
    const volumes = ["-v", "/run/countersign:/run/countersign", "-v", `${site}:/etc/countersign:ro`];
    const options = ["--runtime", "crun", "--rm", "--privileged", "--pid", "host", "--network", "none", ...volumes];
    const [file, ...words] = inside().words(...podman("run", ...options, "--name", "agent", "countersign"));
    const agent = new RunningProgram(file, words);
    try {
      await until(() => expect(inside().run("ls", SOCKET).status, agent.complaint).toBe(0));
      const containers = new Containers(folder, SOCKET, program, inside().words("runc"));
      const edge = containers.start({ annotations: { "label.countersign/tier": "edge" } });
      const other = containers.start();
      expect(await edge.ask(LOADER)).toContain("good in a thread: EPERM");
      expect(await other.ask(LOADER)).toContain("good in a thread: done");
      await edge.end();
      await other.end();
    } finally {
      inside().run(...podman("stop", "agent"));
      await agent.finish();
    }
  });
});
