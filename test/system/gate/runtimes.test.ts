import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { until } from "../../support/until.js";
import { Containers } from "./containers.js";
import { Machine, SOCKET } from "./machine.js";
import { annotationFlags, podmanWords } from "./podman.js";
import { RunningAgent } from "./running-agent.js";
import { RunningProgram } from "./running-program.js";
import { type Done, done, needs, needsGate, Site } from "./site.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PROFILE = at("../../../deploy/seccomp.json");
const BY_TIER = `
import { deny } from "countersign";
export const bpf_prog_load = (prog, current) =>
  current.container?.labels?.tier === "edge" ? deny("a container of tier edge loads nothing here") : 0;
`;
const LOADER = ["/bin/attack", "callers"];
const LOADED = "good in a thread: done\ngood in a vfork: 0\n";
const REFUSED = "good in a thread: EPERM\ngood in a vfork: 1\n";

/**
 * Other runtimes than runc, which the other tests use. Those that want cgroup v2 run in a machine that has nothing
 * else.
 */
describe("containers of", () => {
  let site: Site;
  let machine: Machine | string;
  let containers: Containers;
  let rootfs: string;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site(BY_TIER);
    machine = await Machine.withAgent(site);
    const program = join(site.folder, "traps-static");
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, at("../attack/traps.c")]);
    containers = new Containers(site.folder, SOCKET, program);
    rootfs = join(site.folder, "rootfs");
  });
  afterAll(async () => {
    if (machine instanceof Machine) await machine.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "busybox", "runc");
  });

  const inside = (context: TestContext): Machine => {
    if (!(machine instanceof Machine)) return context.skip(machine);
    return machine;
  };
  const judged = (run: (annotations: Readonly<Record<string, string>>) => Done) => {
    const edge = run({ "label.countersign/tier": "edge" });
    expect(edge.stdout, edge.stderr).toContain(REFUSED);
    const other = run({ "label.countersign/tier": "dev" });
    expect(other.stdout, other.stderr).toContain(LOADED);
  };

  it("crun are judged by their annotations", (context) => {
    needs(context, "crun");
    judged((annotations) => {
      const { id, folder } = containers.bundle(LOADER, { annotations });
      return inside(context).run("crun", "run", "--bundle", folder, id);
    });
  });

  it("podman are judged under the profile of deploy/", (context) => {
    needs(context, "podman", "crun");
    judged((annotations) => done(podmanWords(site, inside(context), PROFILE, annotations, LOADER)));
  });

  it("containerd are judged under the profile of deploy/", async (context) => {
    needs(context, "containerd", "ctr");
    const agent = await RunningAgent.start(site);
    const socket = join(site.folder, "containerd.sock");
    const profile = site.write("profile.json", readFileSync(PROFILE, "utf8").replace(SOCKET, agent.socket));
    const config = site.write(
      "containerd.toml",
      `version = 2\nroot = "${site.folder}/containerd"\nstate = "${site.folder}/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${socket}"\n`,
    );
    const containerd = new RunningProgram("containerd", ["--config", config]);
    try {
      await until(() => {
        const { status, stderr } = site.bare("ctr", "--address", socket, "version");
        expect(status, `${stderr}${containerd.complaint}`).toBe(0);
      });
      let count = 0;
      judged((annotations) => {
        count += 1;
        const run = ["ctr", "--address", socket, "run", "--rm", "--cap-add", "CAP_BPF", "--cap-add", "CAP_SYS_ADMIN"];
        const seccomp = ["--seccomp", "--seccomp-profile", profile, ...annotationFlags(annotations)];
        return site.bare(...run, ...seccomp, "--rootfs", rootfs, `countersign-test-${count}`, ...LOADER);
      });
    } finally {
      await containerd.end("SIGTERM");
      await agent.end();
    }
    expect(existsSync(socket)).toBe(false);
  });
});
