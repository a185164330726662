import { expect, it } from "vitest";
import type { Answer } from "../../src/gate/call/answer.js";
import { Attr } from "../../src/gate/call/attr.js";
import { Call } from "../../src/gate/call/call.js";
import { AUDIT_ARCH_X86_64 } from "../../src/gate/call/filter.js";
import { IssuedObjects } from "../../src/gate/call/issued-objects.js";
import { Listener } from "../../src/gate/call/listener.js";
import { Retries } from "../../src/gate/call/retries.js";
import type { GateRule } from "../../src/gate/call/rules.js";
import type { CallServices } from "../../src/gate/call/services.js";
import { Facts } from "../../src/gate/commands/prog-load/load-facts.js";
import type { Verdict } from "../../src/gate/decisions/gate-decisions.js";
import type { GateSettings } from "../../src/gate/decisions/settings.js";
import type { Count } from "../../src/gate/decisions/tally.js";
import { LiveKernel, NO_FILES } from "../../src/gate/recognition/live-kernel.js";
import { newRecording } from "../../src/gate/task/blocking/call-recording.js";
import { Notification } from "../../src/gate/task/blocking/notification.js";
import { serveCall } from "../../src/gate/worker/serve-call.js";
import type { HookName } from "../../src/hooks/catalogue.js";
import type { Current } from "../../src/policy/model/current.js";
import { NR } from "../../src/sys/numbers.js";
import { task as currentOf } from "../task.js";
import { FakeTask } from "./fake-task.js";

const LISTENER = 99;
const ALL = (1n << 41n) - 1n;

/** A record of a denial by the gate, or of a probe (`rule` is null). */
export interface FakeRecord {
  readonly hook: HookName;
  readonly name: string;
  readonly digest: string;
  readonly rule: string | null;
  readonly reason: string | null;
}

/** Serves calls of a {@link FakeTask}. Policies allow, unless a test sets their verdicts. */
export class FakeGate {
  readonly task = new FakeTask();
  readonly objects = new IssuedObjects();
  readonly records: FakeRecord[] = [];
  readonly asked: {
    readonly hook: HookName;
    readonly subject: object;
    readonly missingCapabilities: readonly string[];
  }[] = [];
  readonly counts: Count[] = [];
  /** The ids of the programs that were loaded. */
  readonly loaded: number[] = [];
  settings: GateSettings;
  /** Hooks that an attachment has, besides those of the subjects that the gate always asks about. */
  readonly served = new Set<HookName>();
  readonly verdicts: Partial<Record<HookName, number>> = {};
  answered = true;
  freezes = false;
  /** Whether an attachment grants capabilities, and whether its policy does. */
  grants = false;
  delegated = true;
  /** The task's capabilities, one bit each; null if its identity is unknown. */
  capabilities: bigint | null = ALL;
  current: Current = currentOf({ capabilities: ["CAP_SYS_MODULE"] });
  /** The verdict of a record, if it cannot be logged. */
  unlogged: number | null = null;
  facts = new Facts({ find: () => null }, {}, new LiveKernel(NO_FILES));
  /** The decisions of earlier turns of the call; null in its first turn. */
  decided: readonly Verdict[] | null = null;

  constructor(audit = false) {
    const more = { existing: "deny", rewritten: "deny", loaderRuns: "deny" } as const;
    this.settings = {
      audit,
      keyrings: {},
      mapMemory: 2 ** 20,
      programReleases: 200,
      stall: 0,
      tickets: false,
      agent: false,
      ...more,
    };
  }

  /** Makes bpf(2) with an attr in the task's memory. `size` is the size that the task passes. */
  bpf(cmd: number, attr: Attr | null, size = attr?.size ?? 0): Answer {
    const address = attr === null ? 0n : this.task.place(attr.bytes);
    return this.call(NR.bpf, [BigInt(cmd), address, BigInt(size)]);
  }

  call(number: number, words: readonly bigint[], arch = AUDIT_ARCH_X86_64): Answer {
    const bytes = new DataView(new ArrayBuffer(80));
    bytes.setUint32(8, this.task.tid, true);
    bytes.setInt32(16, number, true);
    bytes.setUint32(20, arch, true);
    for (const [index, word] of words.entries()) bytes.setBigUint64(32 + 8 * index, word, true);
    const notification = new Notification(new Uint8Array(bytes.buffer));
    const { capabilities } = this;
    const ids = { uid: 0, euid: 0, gid: 0, egid: 0, enter: null };
    const caller = {
      current: this.current,
      samePids: true,
      userNamespace: this.current.namespaces.user ?? 0,
      identity: () => (capabilities === null ? null : { capabilities, ...ids }),
    };
    const listener = new Listener(LISTENER, null, this.objects);
    const turns =
      this.decided === null ? null : { ...newRecording(LISTENER, notification.bytes), verdicts: this.decided };
    const call = new Call(notification, listener, this.task, caller, this.services(), turns);
    return serveCall(call, this.facts);
  }

  services(): CallServices {
    const { settings } = this;
    const verdictOf = (verdict: number): Verdict => {
      const { answered, freezes } = this;
      const delegated = this.grants && this.delegated;
      return { verdict: settings.audit ? 0 : verdict, answered, delegated, freezes, outcome: null };
    };
    return {
      settings,
      decisions: {
        delegates: this.grants,
        serves: (hook) => this.served.has(hook),
        decide: (hook, subject, _current, _operation, _overdue, missingCapabilities = []) => {
          this.asked.push({ hook, subject, missingCapabilities });
          return verdictOf(this.verdicts[hook] ?? 0);
        },
        record: ({ hook, subject: { name, digest }, denial, probe: _ }) => {
          this.records.push({ hook, name, digest, rule: denial?.rule ?? null, reason: denial?.reason ?? null });
          return verdictOf(this.unlogged ?? denial?.verdict ?? 0);
        },
        freezes: () => this.freezes,
        mayGrant: () => this.grants,
        wouldGrant: () => this.grants,
      },
      watch: { decided: () => undefined, verdicts: [] },
      tally: { add: (count) => this.counts.push(count) },
      retries: new Retries(),
      throttle: { loaded: (id) => void this.loaded.push(id) },
    };
  }
}

/** A call that the gate does not carry out. */
export interface FailingCall {
  readonly call: (gate: FakeGate) => Answer;
  readonly errno: number;
  /** The rule of the gate's denial, with the hook and the name in the log; none if the kernel would fail, too. */
  readonly denial?: {
    readonly rule: GateRule;
    readonly hook: HookName;
    readonly name: string;
    readonly reason: RegExp;
  };
  /** Whether the call goes on in audit, so that its answer is not `continue`. */
  readonly goesOn?: true;
}

/** Tests that each call fails with its errno and record, and that in audit the kernel executes it. */
export function itFails(calls: Readonly<Record<string, FailingCall>>): void {
  it.each(Object.entries(calls))("fails: %s", (_, { call, errno, denial, goesOn }) => {
    const [enforcing, audit] = [new FakeGate(), new FakeGate(true)];
    expect(call(enforcing)).toEqual({ result: -errno });
    const inAudit = call(audit);
    if (goesOn) expect(inAudit).not.toEqual({ result: -errno });
    else expect(inAudit).toBe("continue");
    for (const { records } of [enforcing, audit])
      if (denial === undefined) expect(records).toEqual([]);
      else
        expect(records).toEqual([expect.objectContaining({ ...denial, reason: expect.stringMatching(denial.reason) })]);
  });
}

/** An attr whose words are those given, by offset: 8 bytes for a bigint, else 4. */
export function attrOf(size: number, words: Readonly<Record<number, number | bigint>>, name?: [number, string]): Attr {
  const attr = new Attr(size, size);
  for (const [at, value] of Object.entries(words))
    if (typeof value === "bigint") attr.setU64(Number(at), value);
    else attr.setU32(Number(at), value);
  if (name !== undefined) attr.bytes.set(Buffer.from(name[1]), name[0]);
  return attr;
}

/** An address at which no task has memory. */
export const NOWHERE = 8n;
