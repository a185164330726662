import { describe, expect, it } from "vitest";
import { Operation } from "../../../../src/gate/call/operation.js";
import { Retries } from "../../../../src/gate/call/retries.js";
import type { Verdict } from "../../../../src/gate/decisions/gate-decisions.js";
import type { Count, Outcome } from "../../../../src/gate/decisions/tally.js";
import { Notification } from "../../../../src/gate/task/blocking/notification.js";

const verdict = (outcome: Outcome | null): Verdict => ({
  ...{ verdict: outcome === "denied" ? -1 : 0, answered: true, delegated: false, freezes: false },
  outcome,
});

/** A gate whose calls have the decisions that a test says. */
class Calls {
  readonly counts: Count[] = [];
  readonly #retries = new Retries();
  #next = 1n;

  /** A call with decisions of these outcomes; returns its operation. */
  make(outcomes: readonly (Outcome | null)[], rank?: number): string {
    const bytes = new DataView(new ArrayBuffer(80));
    bytes.setBigUint64(0, this.#next, true);
    this.#next += 1n;
    const operation = new Operation(new Notification(new Uint8Array(bytes.buffer)), 7, {
      retries: this.#retries,
      tally: { add: (count) => this.counts.push(count) },
      watch: { decided: () => undefined, verdicts: outcomes.map(verdict) },
    });
    if (rank !== undefined) operation.attempts(() => ({ what: "load", rank }));
    operation.count();
    return operation.id;
  }
}

describe("an operation", () => {
  it.each([
    [["allowed"], ["allowed"]],
    [["probes", "allowed"], ["probes"]],
    [["allowed", "denied"], ["denied"]],
    [[], []],
    [[null], []],
    [["allowed", null], []],
    [["denied", null], ["denied"]],
  ] as const)("with decisions %j is counted as %j", (outcomes, counted) => {
    const calls = new Calls();
    calls.make(outcomes);
    expect(calls.counts).toEqual(counted);
  });

  it("includes the retries of a denied attempt, which are not counted again", () => {
    const calls = new Calls();
    const first = calls.make(["denied"], 0);
    expect(first).toBe("0000000000000001");
    expect([calls.make(["denied"], 1), calls.make(["denied"], 2)]).toEqual([first, first]);
    expect(calls.counts).toEqual(["denied"]);
    expect(calls.make(["allowed"], 3)).toBe(first);
    expect(calls.counts).toEqual(["denied", "allowed"]);
  });

  it("is another one if nothing was denied", () => {
    const calls = new Calls();
    expect(calls.make(["allowed"], 0)).not.toBe(calls.make(["allowed"], 1));
  });
});
