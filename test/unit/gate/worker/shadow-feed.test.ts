import { describe, expect, it } from "vitest";
import type { Decided } from "../../../../src/engine/shadow-change.js";
import { ShadowBacklog } from "../../../../src/gate/decisions/shadow-backlog.js";
import type { ShadowQuestion } from "../../../../src/gate/messages/shadow-messages.js";
import { ShadowFeed } from "../../../../src/gate/worker/shadow-feed.js";
import type { Decision } from "../../../../src/hooks/decision.js";
import { task } from "../../../task.js";

const DECISION = { id: "1", time: 1, judged_time: 1, enforced_verdict: 0, denied_by: null, audit_denials: [] };
const decided = (more: Partial<Decided> = {}) => ({ ...DECISION, ...more }) as Decision;
const request = (name: string) =>
  ({ hook: "bpf_map_create", subject: { name }, current: task() }) as unknown as ShadowQuestion["request"];

function feed() {
  const posted: ShadowQuestion[] = [];
  const counted: string[] = [];
  const backlog = new ShadowBacklog();
  const tally = { add: (count: string) => counted.push(count) };
  return { posted, counted, backlog, feed: new ShadowFeed(backlog, tally, (question) => posted.push(question)) };
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

  it("has no decision that could not be logged", () => {
    const { feed: shadow, posted, counted } = feed();
    const denied_by = { attachment: null, verdict: -1, code: "INTERNAL_FAULT", reason: "" } as const;
    shadow.add(request("a"), decided({ enforced_verdict: -1, denied_by }));
    shadow.send();
    expect([posted, counted]).toEqual([[], []]);
  });
});
