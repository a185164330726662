import { describe, expect, it } from "vitest";
import type { Decided } from "../../../../src/engine/shadow-change.js";
import { ShadowBacklog } from "../../../../src/gate/decisions/shadow-backlog.js";
import type { ShadowQuestion } from "../../../../src/gate/messages/shadow-messages.js";
import { Watch } from "../../../../src/gate/task/blocking/watch.js";
import { ShadowFeed } from "../../../../src/gate/worker/shadow-feed.js";
import type { Decision } from "../../../../src/hooks/decision.js";
import type { Container } from "../../../../src/policy/model/current.js";
import { task } from "../../../task.js";

const DECISION = { id: "1", time: 1, judged_time: 1, enforced_verdict: 0, denied_by: null, audit_denials: [] };
const decided = (more: Partial<Decided> = {}) => ({ ...DECISION, ...more }) as Decision;
const request = (name: string, current = task()) =>
  ({ hook: "bpf_map_create", subject: { name }, current }) as unknown as ShadowQuestion["request"];

function feed(backlog = new ShadowBacklog()) {
  const posted: ShadowQuestion[] = [];
  const counted: string[] = [];
  const tally = { add: (count: string) => counted.push(count) };
  const watch = new Watch();
  const post = (question: ShadowQuestion) => posted.push(question);
  return { posted, counted, backlog, watch, feed: new ShadowFeed(backlog, tally, watch, post) };
}

describe("what the shadow gets of a call", () => {
  it("is sent after the reply, in the order of the decisions", () => {
    const { feed: shadow, posted } = feed();
    shadow.add(request("a"), decided());
    shadow.add(request("b"), decided({ id: "2" }));
    expect(posted).toEqual([]);
    shadow.send();
    shadow.send();
    expect(posted.map(({ request: { subject }, decided: { id } }) => [subject.name, id])).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    expect(structuredClone(posted)).toEqual(posted);
  });

  it("is counted as missed if the shadow is too far behind", () => {
    const { feed: shadow, posted, counted, backlog } = feed();
    backlog.stop();
    shadow.add(request("a"), decided());
    shadow.send();
    expect([posted, counted]).toEqual([[], ["shadowMissed"]]);
  });

  it("takes no room if its call is abandoned, and the supervisor sees how much was not sent", () => {
    const backlog = new ShadowBacklog();
    for (let count = 0; count < 2000; count += 1) {
      const { feed: abandoned, watch, counted } = feed(backlog);
      abandoned.add(request("a"), decided());
      abandoned.add(request("b"), decided());
      expect([watch.unsent, counted]).toEqual([2, []]);
    }
    expect(backlog.size).toBe(0);
    const { feed: shadow, posted, watch } = feed(backlog);
    shadow.add(request("a"), decided());
    shadow.send();
    expect([posted.length, backlog.size, watch.unsent]).toEqual([1, 1, 0]);
  });

  it.each<[string, Partial<Container>]>([
    ["annotations", { annotations: { config: "x".repeat(2 ** 20) } }],
    ["labels", { labels: { ["x".repeat(2 ** 20)]: "" } }],
  ])("has at most 64 MiB with the caller's %s", (_, more) => {
    const { feed: shadow, posted, counted } = feed();
    const container = { id: "c", name: "web", labels: {}, annotations: {}, ...more };
    for (let count = 0; count < 100; count += 1) {
      shadow.add(request("a", task({ container })), decided());
      shadow.send();
    }
    // a string has at most two bytes for each character
    expect([posted.length, counted.length]).toEqual([31, 69]);
    for (const { bytes } of posted) expect(bytes).toBeGreaterThan(2 ** 20);
  });

  it("counts the bytes of its subject", () => {
    const { feed: shadow, posted } = feed();
    const data = new Uint8Array(4096);
    shadow.add({ ...request("a"), subject: { name: "a", data } as never }, decided());
    shadow.add(request("b"), decided());
    shadow.send();
    const [blob, map] = posted.map(({ bytes }) => bytes);
    expect(map).toBeLessThan(4096);
    expect(blob! - map!).toBeGreaterThanOrEqual(4096);
    expect(blob! - map!).toBeLessThan(4096 + 100);
  });

  it("has no decision that could not be logged", () => {
    const { feed: shadow, posted, counted } = feed();
    const denied_by = { attachment: null, verdict: -1, code: "INTERNAL_FAULT", reason: "" } as const;
    shadow.add(request("a"), decided({ enforced_verdict: -1, denied_by }));
    shadow.send();
    expect([posted, counted]).toEqual([[], []]);
  });
});
