import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningAgent } from "./running-agent.js";
import { BIN, needsGate, Site } from "./site.js";

const POLICY = `import { deny } from "countersign";
export const bpf_prog_load = () => 0;
export const bprm_check_security = () => deny("nothing may be executed");
`;
const ACCEPTED = "gate: { not_enforced: [bprm_check_security] }\n";
const REASON =
  /countersign\.yaml:3:15: `policy` is attached to bprm_check_security, but the gate does not enforce bprm_check_security \[HOOK_NOT_ENFORCED\]; narrow `policy` with `hooks: \[bpf_prog_load\]`; or write `not_enforced: \[bprm_check_security\]`/;

describe("a policy at a hook that the gate does not enforce", () => {
  let site: Site;
  let agent: RunningAgent | undefined;

  beforeEach((context) => {
    needsGate(context);
    site = new Site(POLICY);
  });
  afterEach(async () => {
    await agent?.end();
    agent = undefined;
    site?.remove();
  });

  const configure = (more: string, attachment = "policy: policy.js") =>
    site.write("countersign.yaml", `version: 1\nlog: { file: log.jsonl }\nattachments: [{ ${attachment} }]\n${more}`);

  it.each([[[]], [["--audit"]]])("keeps `run %j` from starting", (options) => {
    const { status, stdout, stderr } = site.runWith(options, {}, "echo", "started");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(REASON);
  });

  it("is accepted where the configuration names the hook, which the summary repeats", () => {
    configure(ACCEPTED);
    const { status, stdout, stderr } = site.runLoud("echo", "started");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "started\n" });
    expect(stderr).toBe("countersign: 0 allowed, 0 denied, not enforced: bprm_check_security\n");
    expect(JSON.parse(site.runLoudWith(["--json"], "true").stderr)).toMatchObject({
      not_enforced: ["bprm_check_security"],
    });
  });

  it("is accepted where `hooks` leaves it out", () => {
    configure("", "policy: policy.js, hooks: [bpf_prog_load]");
    expect(site.runLoud("true")).toMatchObject({ status: 0, stderr: "countersign: 0 allowed, 0 denied\n" });
  });

  it("keeps an agent from starting, and from reading its configuration again", async () => {
    const words = ["agent", "--socket", join(site.folder, "a.sock"), "--config", join(site.folder, "countersign.yaml")];
    const { status, stderr } = site.bare(process.execPath, BIN, ...words);
    expect(status).toBe(2);
    expect(stderr).toMatch(REASON);
    configure(ACCEPTED);
    agent = await RunningAgent.start(site);
    await agent.heard(/listening at .*, not enforced: bprm_check_security\n/);
    configure("");
    await agent.reload(/HOOK_NOT_ENFORCED.*\n.*the configuration in use stays/);
    configure("", "policy: policy.js, hooks: [bpf_prog_load]");
    await agent.reload(/the configuration was read again\n/);
  });
});
