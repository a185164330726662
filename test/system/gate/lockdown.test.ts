import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { ApiServer, NODE } from "../../support/api-server.js";
import { until } from "../../support/until.js";
import { Containers, type RunningContainer } from "./containers.js";
import { RunningAgent } from "./running-agent.js";
import { expectNoneLoadedSince, needs, needsGate, programs, Site } from "./site.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const CONFIG = `version: 1
log: { file: log.jsonl }
keyrings: { platform: { trust: [platform.pem] } }
attachments: [{ policy: container-lockdown.js, scope: { container: true }, limits: { timeout: 10s } }]
`;
const LOADER = "/bin/attack callers";
const LOADED = "good in a thread: done\ngood in a vfork: 0\n";
const REFUSED = "good in a thread: ENODATA\ngood in a vfork: 1\nbad in a thread: ENODATA\nbad in a vfork: 1\n";

/** The policy that ships, the profile of deploy/, two containers that go on, and their labels from an API server. */
describe("containers held by their labels", () => {
  let site: Site;
  let api: ApiServer;
  let agent: RunningAgent;
  let containers: Containers;
  let edge: RunningContainer;
  let dev: RunningContainer;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site("");
    copyFileSync(at("../../../policies/container-lockdown.js"), join(site.folder, "container-lockdown.js"));
    site.write("platform.pem", Authority.create({ subject: "platform" }).pem.certificate);
    site.write("countersign.yaml", CONFIG);
    api = await ApiServer.start();
    api.put({ uid: "u-edge", name: "edge", labels: { tier: "edge" } });
    api.put({ uid: "u-dev", name: "dev", labels: { tier: "dev" } });
    agent = await RunningAgent.start(site, ["--labels", `kubernetes:${NODE}`], { KUBECONFIG: api.kubeconfig() });
    const program = join(site.folder, "traps-static");
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, at("../attack/traps.c")]);
    containers = new Containers(site.folder, agent.socket, program);
    edge = containers.start({ annotations: pod("u-edge", "edge") });
    dev = containers.start({ annotations: pod("u-dev", "dev") });
    await becomes(dev, LOADED);
  });
  afterAll(async () => {
    await edge?.end();
    await dev?.end();
    await agent?.end();
    await api?.close();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox", "bpftool");
  });

  const pod = (uid: string, name: string) => ({
    "io.kubernetes.cri.sandbox-uid": uid,
    "io.kubernetes.cri.sandbox-name": name,
    "io.kubernetes.cri.sandbox-namespace": "default",
    "io.kubernetes.cri.container-name": name,
  });
  const tier = (name: string, tier: string) => api.put({ uid: `u-${name}`, name, labels: { tier } });
  const becomes = (container: RunningContainer, what: string) =>
    until(async () => expect(await container.ask(LOADER)).toContain(what));

  it("are refused a loader in one, which works in the other", async () => {
    const before = programs();
    // until the API has told their labels all containers are held like edge
    const told = site.log.length;
    expect(await edge.ask(LOADER)).toBe(REFUSED);
    await expectNoneLoadedSince(before);
    expect(await dev.ask(LOADER)).toContain(LOADED);
    const refused = site.log.slice(told).filter(({ denied_by }) => denied_by !== null);
    expect(
      new Set(refused.map(({ denied_by, current }) => `${denied_by?.attachment} ${current.container?.id}`)),
    ).toEqual(new Set([`container-lockdown ${edge.id}`]));
  });

  it("are judged by the same labels in each process that the runtime starts in them", async () => {
    expect(edge.exec("/bin/attack", "callers").stdout).toBe(REFUSED);
    expect(dev.exec("/bin/attack", "callers").stdout).toContain(LOADED);
  });

  it("have a label that changes while they run count from then on", async () => {
    tier("dev", "edge");
    await becomes(dev, REFUSED);
    tier("dev", "dev");
    await becomes(dev, LOADED);
    tier("edge", "dev");
    await becomes(edge, LOADED);
    tier("edge", "edge");
    await becomes(edge, REFUSED);
  });

  it("keep their labels while the API is gone", async () => {
    api.misbehave = (_, response) => response.socket?.destroy();
    api.drop();
    try {
      await agent.heard(/labels cannot be read from Kubernetes/);
      expect(await dev.ask(LOADER)).toContain(LOADED);
      expect(await edge.ask(LOADER)).toBe(REFUSED);
    } finally {
      api.misbehave = null;
    }
  });

  it("are held like edge while nobody knows their labels", async () => {
    const unknown = containers.start({ annotations: pod("u-new", "new") });
    expect(await unknown.ask(LOADER)).toBe(REFUSED);
    api.put({ uid: "u-new", name: "new", labels: {} });
    await becomes(unknown, LOADED);
    await unknown.end();
  });

  it("have a changed policy without a restart", async () => {
    const policy = join(site.folder, "container-lockdown.js");
    const source = readFileSync(policy, "utf8");
    site.write("container-lockdown.js", source.replaceAll('"edge"', '"dev"'));
    await agent.reload();
    tier("dev", "dev");
    await becomes(dev, REFUSED);
    expect(await edge.ask(LOADER)).toContain(LOADED);
    site.write("container-lockdown.js", source);
    await agent.reload();
    expect(await dev.ask(LOADER)).toContain(LOADED);
    expect(await edge.ask(LOADER)).toBe(REFUSED);
  });

  it("have the ways into the kernel shut that the gate of a command shuts", async () => {
    execFileSync("gcc", ["-O2", "-static", "-o", join(site.folder, "rootfs/bin/shut"), at("../attack/shut.c")]);
    expect(await dev.ask("/bin/shut")).toBe(
      ["x32: killed by SIGSYS", "i386: killed by SIGSYS", "kexec_load: EPERM", "kexec_file_load: EPERM", ""].join("\n"),
    );
    expect(site.bare(join(site.folder, "rootfs/bin/shut")).stdout).not.toContain("EPERM");
  });
});
