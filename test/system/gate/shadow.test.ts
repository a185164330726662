import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ShadowRecord } from "../../../src/log/shadow-record.js";
import { mismatch } from "../../support/record-schema.js";
import { until } from "../../support/until.js";
import { Containers } from "./containers.js";
import { RunningAgent } from "./running-agent.js";
import { BIN, type Logged, needs, needsGate, outputOf, Site, siteForTests, XDP_PASS } from "./site.js";

const ALLOW = "export const bpf_prog_load = () => 0;";
/** The second load of a program is denied, as long as the map is the shadow's own. */
const ONCE = `import { deny, map_lookup, map_update } from "countersign";
export function bpf_prog_load({ name }) {
  if (map_lookup("seen", name) !== undefined) return deny("was loaded before");
  map_update("seen", name, 1);
  return 0;
}
`;
const MAPS = "maps: { seen: { writable: { entries: 10, bytes: 1KiB } } }\n";
const shadowOf = (policy: string) =>
  `version: 1\n${MAPS}attachments: [{ policy: ${policy}, limits: { timeout: 10s } }]\n`;

const differences = (log: readonly Logged[]) =>
  (log as readonly unknown[] as readonly (Logged | ShadowRecord)[]).filter((record) => record.type === "shadow");
const decisionsAtLoad = (log: readonly Logged[]) =>
  log.filter(({ type, hook }) => type === "decision" && hook === "bpf_prog_load");

describe("a shadow under run", () => {
  const site = siteForTests(ALLOW, ["bpftool", "clang-19"], "shadow: new.yaml\n");
  const load = (number: number) =>
    `bpftool prog load ${site().object("pass", XDP_PASS)} ${site().bpffs}/p${number} && rm ${site().bpffs}/p${number}`;

  it("decides beside the configuration, with maps of its own, and changes nothing", () => {
    site().write("once.js", ONCE);
    site().write("new.yaml", shadowOf("once.js"));
    const { status, stderr } = site().runLoud("sh", "-c", `${load(1)} && ${load(2)} && ${load(3)}`);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/2 of \d+ decisions different in the shadow/)]);
    const records = differences(site().log);
    const loads = decisionsAtLoad(site().log).filter(({ subject }) => subject.name === "pass");
    expect(loads).toHaveLength(3);
    expect(records.map(({ id }) => id)).toEqual(loads.slice(1).map(({ id }) => id));
    for (const record of records) {
      expect(mismatch(record), JSON.stringify(record)).toBeNull();
      expect(record).toMatchObject({ change: "denies", enforced_verdict: -1, decided: { enforced_verdict: 0 } });
      expect(record.denied_by?.reason).toBe("once: was loaded before");
    }
  });

  it("says what it would allow of what is denied", () => {
    site().policy('import { deny } from "countersign";\nexport const bpf_prog_load = () => deny("not here");');
    site().write("allow.js", ALLOW);
    site().write("new.yaml", shadowOf("allow.js"));
    expect(site().run("sh", "-c", load(1)).status).not.toBe(0);
    site().policy(ALLOW);
    expect(differences(site().log)).toContainEqual(
      expect.objectContaining({ change: "allows", enforced_verdict: 0, denied_by: null }),
    );
  });

  it("that does not return is ended, and the command runs on", () => {
    site().write(
      "stuck.js",
      "export function bpf_prog_load() { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); }",
    );
    site().write(
      "new.yaml",
      "version: 1\nattachments: [{ policy: stuck.js, limits: { steps: 100000000, timeout: 50ms } }]\n",
    );
    const said = join(site().folder, "said");
    const ended = `until grep -q "decides no more" ${said}; do sleep 0.1; done`;
    const gate = [process.execPath, BIN, "run", "--config", join(site().folder, "countersign.yaml"), "--"];
    const command = ["sh", "-c", `${load(1)} && ${ended} && ${load(2)}`];
    const { status } = site().bare("sh", "-c", `exec "$0" "$@" 2> ${said}`, ...gate, ...command);
    const stderr = readFileSync(said, "utf8");
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("the shadow decides no more: policy `stuck` did not return within its time");
    expect(stderr).toMatch(/and [1-9]\d* that it did not make/);
  });

  it.each([
    ["POLICY_SYNTAX", "export const bpf_prog_load = (", {}],
    ["CONFIG_INVALID", "export const bpf_map = () => 0;", {}],
  ])("that cannot be used is rejected before the command starts: %s", (code, policy) => {
    site().write("bad.js", policy);
    site().write("new.yaml", "version: 1\nattachments: [{ policy: bad.js }]\n");
    const { status, stderr } = site().runLoud("sh", "-c", "echo started");
    expect([status, stderr]).toEqual([2, expect.stringContaining(`[${code}]`)]);
  });
});

describe("a shadow of an agent", () => {
  let site: Site;
  let containers: Containers;
  let agent: RunningAgent;

  beforeAll(async () => {
    site = new Site(ALLOW, "shadow: new.yaml\n");
    site.write("once.js", ONCE);
    site.write("new.yaml", shadowOf("once.js"));
    agent = await RunningAgent.start(site, ["--metrics", "127.0.0.1:0"]);
    const traps = join(site.folder, "traps-static");
    const source = new URL("../attack/traps.c", import.meta.url).pathname;
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", traps, source]);
    containers = new Containers(site.folder, agent.socket, traps);
  });
  afterAll(async () => {
    await agent.end();
    site.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "runc", "gcc", "busybox");
    site.forgetLog();
  });

  const metric = async (name: string) => {
    const text = await (await fetch(agent.metrics)).text();
    return Number(new RegExp(`^countersign_shadow_${name}_total (\\d+)$`, "m").exec(text)?.[1]);
  };
  const loadTwice = () => outputOf(containers.run(["/bin/attack", "callers"]));

  it("decides for containers, and its metrics count that", async () => {
    loadTwice();
    await until(() => expect(differences(site.log)).not.toEqual([]));
    expect(await metric("differences")).toBeGreaterThan(0);
    expect(differences(site.log)[0]).toMatchObject({ origin: "agent", change: "denies" });
    expect(await metric("decisions")).toBeGreaterThan(1);
    expect(await metric("missed")).toBe(0);
  });

  it("is read again with the configuration, as a whole or not at all", async () => {
    site.write("new.yaml", "version: 1\nattachments: [{ policy: nowhere.js }]\n");
    await agent.reload(/the configuration in use stays/);
    loadTwice();
    await until(() => expect(differences(site.log)).not.toEqual([]));
    site.write("allow.js", ALLOW);
    site.write("new.yaml", shadowOf("allow.js"));
    await agent.reload();
    site.forgetLog();
    const before = await metric("decisions");
    loadTwice();
    await until(async () => expect(await metric("decisions")).toBeGreaterThan(before));
    expect(differences(site.log)).toEqual([]);
  });
});
