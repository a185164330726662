import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { type AskedAttachment, DecisionWatch } from "../../../../src/engine/handover/watch.js";
import type { CountersignError } from "../../../../src/error.js";
import { ShadowBacklog } from "../../../../src/gate/decisions/shadow-backlog.js";
import { Tally } from "../../../../src/gate/decisions/tally.js";
import type { ShadowQuestion } from "../../../../src/gate/messages/shadow-messages.js";
import { Shadow } from "../../../../src/gate/supervisor/shadow.js";
import type { ShadowDifference } from "../../../../src/log/shadow-record.js";
import { monotonic } from "../../../../src/monotonic.js";
import { fakeTime, passTime } from "../../../support/passing-time.js";
import { task } from "../../../task.js";

/** Its host code has no point at which the sandbox looks at the time. */
const POLICY = `import { deny, map_lookup, map_update } from "countersign";
export function bpf_map_create(map) {
  if (map.name === "stuck") Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  const seen = map_lookup("seen", map.name) ?? 0;
  map_update("seen", map.name, seen + 1);
  return seen > 0 ? deny("again") : 0;
}
`;
const limits = { steps: 100_000_000, timeout: "500ms" };

describe("the shadow of a gate", () => {
  let folder: string;
  let tally: Tally;
  let differences: ShadowDifference[];
  let stopped: Promise<CountersignError>;
  let stop: (error: CountersignError) => void;
  const start = (policy = POLICY, more: object = {}) => {
    writeFileSync(join(folder, "policy.js"), policy);
    const maps = { seen: { writable: { entries: 10, bytes: "1KiB" } } };
    const shadow = { version: 1, maps, attachments: [{ policy: "policy.js", limits }], ...more };
    writeFileSync(join(folder, "new.yaml"), JSON.stringify(shadow));
    const first = { version: 1, mode: "audit", attachments: [], shadow: "new.yaml" };
    writeFileSync(join(folder, "countersign.yaml"), JSON.stringify(first));
    const config = readConfig(join(folder, "countersign.yaml"), "agent");
    return Shadow.start(config.shadow!, config, {
      ...{ tally, preopened: null, image: null },
      warn: () => undefined,
      differs: (difference) => differences.push(difference),
      stopped: stop,
    });
  };
  const question = (name: string, id = "1"): ShadowQuestion => ({
    request: { hook: "bpf_map_create", subject: { name, digest: "" } as never, current: task() },
    decided: { id, time: 7, judged_time: 7, enforced_verdict: 0, denied_by: null, audit_denials: [] },
    bytes: 100,
  });
  const ask = (shadow: Shadow, name: string, id?: string) => {
    const backlog = new ShadowBacklog(shadow.link.backlog);
    if (backlog.add(100)) shadow.decide(question(name, id));
    else tally.add("shadowMissed");
  };
  const counts = () => {
    const { shadowDecisions, shadowDifferences, shadowMissed } = tally.read();
    return [shadowDecisions, shadowDifferences, shadowMissed];
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-shadow-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    tally = new Tally();
    differences = [];
    stopped = new Promise((resolve) => {
      stop = resolve;
    });
  });

  it("decides with maps of its own, in the mode of the gate, and tells what differs", { tags: ["deep"] }, async () => {
    const shadow = await start();
    expect(shadow.link.hooks).toEqual([]);
    ask(shadow, "a", "1");
    ask(shadow, "a", "2");
    ask(shadow, "b", "3");
    await shadow.finish();
    expect(counts()).toEqual([3, 1, 0]);
    expect(differences).toMatchObject([
      {
        decision: { id: "2", time: 7, mode: "audit", verdict: 0, enforced_verdict: -1 },
        ...{ change: "denies", shadow: join(folder, "new.yaml"), decided: { enforced_verdict: 0 } },
      },
    ]);
  });

  it("checks what policies write to its maps, and what their files have, by their schemas", async () => {
    const writable = { entries: 10, bytes: "1KiB" };
    const policy = `import { map_update } from "countersign";
export const bpf_map_create = (map) => (map_update("seen", map.name, map.name) === -22 ? -7 : 0);\n`;
    const shadow = await start(policy, {
      maps: { seen: { writable, keys: { enum: ["a", "b"] }, values: { const: "a" } } },
    });
    for (const name of ["a", "b", "c"]) ask(shadow, name, name);
    await shadow.finish();
    expect(differences.map(({ decision }) => [decision.id, decision.enforced_verdict])).toEqual([
      ["b", -7],
      ["c", -7],
    ]);
    writeFileSync(join(folder, "seen.json"), '{ "a": "b" }');
    const maps = { seen: { file: "seen.json", writable, values: { const: "a" } } };
    await expect(start(policy, { maps })).rejects.toMatchObject({ code: "MAP_INVALID" });
  });

  it.each([
    ["POLICY_SYNTAX", "export const bpf_map_create = (", {}],
    ["HOOK_NOT_ENFORCED", "export const bprm_check_security = () => 0;", { maps: {} }],
  ])("does not start if it cannot be used: %s", async (code, policy, more) => {
    await expect(start(policy, more)).rejects.toMatchObject({ code });
  });

  it("does not end because the machine was stalled while a policy was asked", { tags: ["deep"] }, async () => {
    fakeTime("setInterval", "clearInterval");
    const look = vi.spyOn(DecisionWatch.prototype, "look");
    const ended = vi.fn<(error: CountersignError) => void>();
    void stopped.then(ended);
    const shadow = await start();
    ask(shadow, "stuck");
    const policy = () => look.mock.results.at(-1)?.value as AskedAttachment | null | undefined;
    while (!policy()) {
      await new Promise((resolve) => setTimeout(resolve, 5)); // its thread is real
      vi.advanceTimersToNextTimer();
    }
    passTime(policy()!.deadline + 10_000 - monotonic());
    vi.advanceTimersByTime(60); // three looks
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect((await stopped).message).toContain("did not return within its time");
  });

  it("ends if a policy does not return; the gate is told, and what it misses is counted", {
    tags: ["deep"],
  }, async () => {
    const shadow = await start();
    ask(shadow, "a");
    ask(shadow, "stuck");
    ask(shadow, "b");
    const error = await stopped;
    expect([error.code, error.place]).toEqual(["GATE_FAILED", join(folder, "new.yaml")]);
    expect(error.message).toContain("policy `policy` did not return within its time");
    ask(shadow, "c");
    expect(counts()).toEqual([1, 0, 3]);
    await shadow.finish();
    expect(counts()).toEqual([1, 0, 3]);
  });
});
