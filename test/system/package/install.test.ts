import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { Containers } from "../gate/containers.js";
import { Machine, SOCKET, UNIT } from "../gate/machine.js";
import { done, needs, needsGate, outputOf } from "../gate/site.js";
import { built, cannotBuild } from "./built.js";
import { Chroot, ENVIRONMENT } from "./chroot.js";

const TRAPS = fileURLToPath(new URL("../attack/traps.c", import.meta.url));
const EXAMPLES = "/usr/lib/countersign/examples";
const CONFIG = ["--config", "/etc/countersign/countersign.yaml"];
const CACHES = ["command", "gate", "kernel", "thread"];
const LOADER = "/bin/attack callers";
const LOADED = "good in a thread: done\ngood in a vfork: 0\n";
const DENIED = "good in a thread: EPERM\ngood in a vfork: 1\n";

const BY_TIER = `
import { deny } from "countersign";
export const bpf_prog_load = (prog, current) =>
  current.container?.labels?.tier === "edge" ? deny("a container of tier edge loads nothing") : 0;
`;

/** From the installation to what is left after a purge: each test starts where the one before it ended. */
describe("the Debian package in trixie", () => {
  let folder: string;
  let made: Chroot | string;
  let before: readonly string[];
  const chroot = () => made as Chroot;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-deb-test-"));
    made = cannotBuild() ?? Chroot.make();
    if (made instanceof Chroot) before = made.files();
  });
  afterAll(() => {
    if (made instanceof Chroot) made.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((context) => {
    if (typeof made === "string") context.skip(made);
  });

  /** Builds a package with this revision and brings it into the folder /root. */
  const brought = (revision: string) => chroot().bring(built(folder, { revision }));
  const caches = () =>
    outputOf(chroot().run("sh", "-c", "cd /usr/lib/countersign/dist && ls *.cache"))
      .trim()
      .split("\n")
      .map((name) => name.split(".")[0]);

  it("installs, and makes the code caches of the node there", () => {
    expect(chroot().run("dpkg", "-i", brought("1"))).toMatchObject({ status: 0, stderr: "" });
    expect(caches()).toEqual(CACHES);
    const own = outputOf(chroot().run("node", "-p", "`$" + "{process.versions.v8}-$" + "{process.arch}`")).trim();
    expect(chroot().has(`usr/lib/countersign/dist/command.${own}.cache`)).toBe(true);
  });

  it("has a configuration, with a test that passes, and decides offline", () => {
    expect(outputOf(chroot().run("countersign", "test", ...CONFIG))).toContain("2 passed, 0 failed");
    const checked = chroot().run("countersign", "check", ...CONFIG, `${EXAMPLES}/drop-telnet.o`, "--log");
    expect(checked).toMatchObject({ status: 1, stderr: "" });
    expect(checked.stdout).toContain("would deny -EPERM  read-only: may change something");
  });

  it("gates bpftool", (context) => {
    needsGate(context);
    const config = chroot().read("etc/countersign/countersign.yaml");
    chroot().write(
      "root/enforce.yaml",
      config.replace("mode: audit", "mode: enforce").replace("policies/", "/etc/countersign/policies/"),
    );
    const load = (object: string) =>
      chroot().run(
        ...["countersign", "run", "--config", "/root/enforce.yaml", "--"],
        ...["sh", "-c", `bpftool prog load ${EXAMPLES}/${object} /sys/fs/bpf/it && ls /sys/fs/bpf`],
      );
    const denied = load("drop-telnet.o");
    expect(denied.status).not.toBe(0);
    expect(denied.stderr).toContain("may change something");
    const allowed = load("peek-tc.o");
    expect(allowed.stdout).toContain("it\n");
    const log = chroot().read("var/log/countersign/decisions.jsonl").split("\n");
    expect(log.filter((line) => line.includes('"run"') && line.includes("drop_telnet"))).not.toEqual([]);
  });

  it("makes the caches again when node was upgraded", () => {
    outputOf(chroot().run("sh", "-c", "rm /usr/lib/countersign/dist/*.cache"));
    outputOf(chroot().run("dpkg-trigger", "--by-package=nodejs", "/usr/bin/node"));
    outputOf(chroot().run("dpkg", "--configure", "--pending"));
    expect(caches()).toEqual(CACHES);
  });

  it("is upgraded while its agent runs: the containers go on, under the new agent", async (context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox", "nsenter", "pgrep");
    chroot().write("etc/countersign/policies/by-tier.js", BY_TIER);
    chroot().write("etc/countersign/countersign.yaml", "version: 1\nattachments: [{ policy: policies/by-tier.js }]\n");
    const next = brought("2");
    const machine = await Machine.boot(folder, {}, chroot().root);
    if (typeof machine === "string") return context.skip(machine);
    const inside = (...command: readonly string[]) =>
      machine.run("env", "-i", ...ENVIRONMENT.split(" "), "chroot", chroot().root, ...command);
    try {
      expect(inside("systemctl", "start", UNIT)).toMatchObject({ status: 0, stderr: "" });
      const program = join(folder, "traps-static");
      execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, TRAPS]);
      const containers = new Containers(folder, SOCKET, program, machine.words("runc"));
      const edge = containers.start({ annotations: { "label.countersign/tier": "edge" } });
      const dev = containers.start();
      const decided = async () => {
        expect(await edge.ask(LOADER)).toContain(DENIED);
        expect(await dev.ask(LOADER)).toContain(LOADED);
      };
      await decided();
      const old = machine.property(UNIT, "MainPID");
      const upgraded = inside("dpkg", "-i", next);
      expect(upgraded).toMatchObject({ status: 0, stderr: "" });
      await until(() => {
        expect(machine.property(UNIT, "ActiveState")).toBe("active");
        expect(["0", old]).not.toContain(machine.property(UNIT, "MainPID"));
      });
      await decided();
      expect(outputOf(inside("dpkg-query", "-W", "-f", "${" + "Version}", "countersign"))).toMatch(/-2$/);
      expect(chroot().read("etc/countersign/countersign.yaml")).toContain("by-tier");
      await edge.end();
      await dev.end();
    } finally {
      await machine.end();
    }
  });

  it("leaves configuration and log when it is removed, and no program", () => {
    expect(chroot().run("dpkg", "--remove", "countersign")).toMatchObject({ status: 0, stderr: "" });
    expect(["usr/bin/countersign", "usr/lib/countersign"].filter((path) => chroot().has(path))).toEqual([]);
    expect(chroot().has("etc/countersign/countersign.yaml")).toBe(true);
    expect(chroot().read("var/log/countersign/decisions.jsonl")).toContain("drop_telnet");
  });

  it("leaves nothing when it is purged", () => {
    rmSync(chroot().path("root"), { recursive: true });
    outputOf(done(["mkdir", "-m", "700", chroot().path("root")]));
    // The administrator's own file goes with the folder that it is in.
    rmSync(chroot().path("etc/countersign/policies/by-tier.js"), { force: true });
    expect(chroot().run("dpkg", "--purge", "countersign")).toMatchObject({ status: 0, stderr: "" });
    const known = new Set(before);
    expect(
      chroot()
        .files()
        .filter((path) => !known.has(path)),
    ).toEqual([]);
  });
});
