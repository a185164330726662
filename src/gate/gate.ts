import { ERRNO } from "../errno.js";
import type { Current } from "../policy/current.js";
import { ATTR_SIZE, Attr } from "./call/attr.js";
import { type Answer, Call, type CallServices } from "./call/call.js";
import { commandRow } from "./call/command.js";
import { type Caller, callerOf, copyOf, NO_TASK } from "./call/current.js";
import type { Listener } from "./call/listener.js";
import { Notification, writeResponse } from "./call/notification.js";
import type { PidfdCache } from "./call/pidfd-cache.js";
import { GATE_RULES, type GateRule } from "./call/rules.js";
import { Task } from "./call/task.js";
import { carryOut } from "./commands/carry.js";
import { registersOf } from "./commands/command-subject.js";
import { fetchObject } from "./commands/fetch.js";
import { denyForeign, denyUnserved, isForeign } from "./commands/foreign.js";
import { judgeTarget, missesGate, TARGETING } from "./commands/gate-target.js";
import { createMap } from "./commands/maps.js";
import { loadModule } from "./commands/modules.js";
import { createToken } from "./commands/token.js";
import type { Verdict } from "./gate-decisions.js";
import { loadProgram } from "./load/programs.js";
import { NR } from "./sys/numbers.js";
import { close } from "./sys/pidfd.js";
import { answerWithFd, receive, send, stillWaits } from "./sys/seccomp.js";
import { serializeOp } from "./threads/blocking-op.js";
import { type CallRecording, newRecording, recordingKey } from "./threads/call-recording.js";
import type { FromThread } from "./threads/messages.js";
import { abandon, InlineExecutor, NeedsBlockingOp, ReplayExecutor, WorkerReplaced } from "./threads/op-executor.js";

/** Serves the notifications of seccomp listeners, one at a time, in the decision thread. */
export class Gate {
  readonly #own: InlineExecutor;
  /** The notification of the current call, in the memory shared with the watcher. */
  readonly #notification: Notification;

  constructor(
    private readonly services: CallServices,
    private readonly pidfdCache: PidfdCache,
    private readonly say: (message: FromThread) => void,
  ) {
    this.#own = new InlineExecutor(services.watch, services.impersonator);
    this.#notification = new Notification(services.watch.notification);
  }

  /** Receives one notification and serves it. Returns false if there is none: the task died, or no task is left. */
  serve(listener: Listener): boolean {
    const { watch } = this.services;
    if (receive(listener.fd, watch.notification) < 0) return false;
    listener.cursor.received(watch.notification);
    this.#turn(listener, isSlow(listener) ? newRecording(listener.fd, watch.notification) : null, null);
    return true;
  }

  /** Serves a call again or, if `reason` is not null, denies it for that reason without asking policies. */
  resume(listener: Listener, recording: CallRecording, reason: string | null): void {
    this.services.watch.notification.set(recording.notification);
    this.#turn(listener, recording, reason);
  }

  #turn(listener: Listener, recording: CallRecording | null, reason: string | null): void {
    const { watch, tally } = this.services;
    const start = performance.now();
    const notification = this.#notification;
    watch.enter(listener.fd, recording?.verdicts ?? UNDECIDED);
    try {
      if (reason === null) this.#answer(listener, notification, recording);
      else this.#denyUnfinished(listener, notification, recording!, reason);
    } catch (error) {
      if (!(error instanceof NeedsBlockingOp)) throw error;
      const awaiting = (error.recording ?? recording)!;
      awaiting.verdicts = watch.verdicts;
      if (awaiting.results.length < MAX_BLOCKING_OPS) {
        watch.leave();
        this.say({ is: "awaits", recording: awaiting, serialized: error.op && serializeOp(error.op) });
        return;
      }
      this.#denyUnfinished(
        listener,
        notification,
        awaiting,
        "it takes more looks at its memory than a suspect's call may",
      );
    }
    watch.leave();
    tally.answered(recording === null ? (performance.now() - start) * 1000 : (Date.now() - recording.since) * 1000);
    if (recording !== null) this.say({ is: "served", recording: recordingKey(recording) });
    if (watch.waited > 0 && !this.services.alone() && listener.waited(watch.waited)) this.#markSlow(listener);
  }

  #answer(listener: Listener, notification: Notification, recording: CallRecording | null): void {
    const answer = this.#shortAnswer(notification);
    if (answer !== null) {
      this.#give(listener, notification, answer);
      return;
    }
    const { tid } = notification;
    const { pidfdCache } = this;
    const caller = pidfdCache.find(tid) ? callerOf(tid, pidfdCache.info, listener.container) : null;
    if (caller !== null) this.#answerTo(caller, pidfdCache.pidfd, listener, notification, recording);
    else {
      this.#give(listener, notification, this.#unseen(listener, notification));
      if (recording !== null) abandon(recording);
    }
  }

  /** Denies a call whose task has no id in the gate's pid namespace. A task that has exited needs no answer. */
  #unseen(listener: Listener, { bytes, tid }: Notification): Answer {
    if (!stillWaits(listener.fd, bytes)) return "gone";
    const current = { ...NO_TASK, tid, container: listener.container };
    return this.#denyUnasked("unseen_task", current, "its task has no id in the gate's pid namespace");
  }

  /** Denies a call without asking policies and without reading its arguments. In audit the kernel executes the call. */
  #denyUnasked(rule: GateRule, current: Current, reason: string): Answer {
    const { decisions, settings, tally } = this.services;
    const denial = { verdict: -GATE_RULES[rule].errno, rule, reason };
    const subject = { name: current.comm === "" ? `task ${current.tid}` : current.comm, digest: "" };
    const { operation } = this.#notification;
    const { verdict } = decisions.record({ hook: "bpf", subject, denial, probe: null, current, operation });
    tally.add("denied");
    return settings.audit ? "continue" : { result: verdict };
  }

  #answerTo(
    caller: Caller,
    pidfd: number,
    listener: Listener,
    notification: Notification,
    recording: CallRecording | null,
  ): void {
    const replay =
      recording !== null &&
      (recording.admitted || recording.results.length > 0 || recording.analyses.size > 0 || isSlow(listener))
        ? new ReplayExecutor(recording)
        : null;
    const task = new Task(
      notification.tid,
      caller.current.pid,
      pidfd,
      replay ?? this.#own,
      recording?.fds ?? null,
      this.services.watch,
      { listener: listener.fd, id: notification.id },
    );
    let goesOn = false;
    try {
      const call = new Call(notification, listener, task, caller, this.services, recording);
      const answer = written(task, this.#decisions(call, notification));
      call.count();
      this.#give(listener, notification, answer);
    } catch (error) {
      goesOn = error instanceof NeedsBlockingOp || error instanceof WorkerReplaced;
      if (goesOn && recording !== null) recording.current ??= copyOf(caller.current);
      if (error instanceof WorkerReplaced)
        this.say({ is: "left", recording: this.#left(recording, task, caller, listener) });
      if (error instanceof NeedsBlockingOp && replay === null)
        error.recording = this.#left(recording, task, caller, listener);
      throw error;
    } finally {
      this.#own.forget();
      if (!goesOn) {
        task.release();
        replay?.close();
      }
    }
  }

  /** The recording with the results of this turn, for the thread that continues the call. */
  #left(recording: CallRecording | null, task: Task, { current }: Caller, listener: Listener): CallRecording {
    const { notification, verdicts } = this.services.watch;
    const begun = recording ?? newRecording(listener.fd, notification);
    return { ...begun, fds: task.fds, results: this.#own.results, verdicts, current: copyOf(current) };
  }

  /** The answer, if it depends only on the registers and not on the caller; else null. */
  #shortAnswer(notification: Notification): Answer | null {
    if (isForeign(notification)) return null;
    if (notification.call in TARGETING) return missesGate(notification) ? "continue" : null;
    const treatment = notification.call === NR.bpf ? commandRow(notification.word(0))?.treatment : undefined;
    const passes = treatment === "pass" || treatment === "copy";
    return passes && !this.services.decisions.serves("bpf") ? "continue" : null;
  }

  #decisions(call: Call, notification: Notification): Answer {
    if (isForeign(notification)) return denyForeign(call);
    if (notification.call === NR.bpf) return judgeCommand(call);
    if (notification.call === NR.init_module || notification.call === NR.finit_module) return loadModule(call);
    if (notification.call in TARGETING) return judgeTarget(call);
    return denyUnserved(call);
  }

  /** Denies a call that cannot be completed, and logs why. */
  #denyUnfinished(listener: Listener, notification: Notification, recording: CallRecording, reason: string): void {
    const current = recording.current ?? { ...NO_TASK, tid: notification.tid, container: listener.container };
    this.#give(listener, notification, this.#denyUnasked("stalled", current, reason));
    abandon(recording);
  }

  /** From now on blocking workers run the operations of these tasks, so that other tasks no longer wait for them. */
  #markSlow(listener: Listener): void {
    if (isSlow(listener)) return;
    listener.slowUntil = Date.now() + UNTIL_HEARD;
    this.say({ is: "slow", fd: listener.fd });
  }

  #give(listener: Listener, { id }: Notification, answer: Answer): void {
    if (answer === "gone") return;
    if (answer === "continue" || "result" in answer) {
      send(listener.fd, writeResponse(id, answer));
      return;
    }
    const given = answerWithFd(listener.fd, id, answer.fd);
    if (given >= 0) answer.onIssued();
    // errors such as EMFILE come from the task's own limits; without the gate the kernel would return the same
    else send(listener.fd, writeResponse(id, { result: given }));
    close(answer.fd);
  }
}

const UNDECIDED: readonly Verdict[] = [];
/**
 * Maximum number of blocking operations in one call of a slow container. Each takes a turn that replays all operations
 * before it. No call needs more than forty.
 */
const MAX_BLOCKING_OPS = 256;
/** Milliseconds for which a listener counts as slow until the main thread replies with the actual time. */
const UNTIL_HEARD = 1000;

function isSlow({ slowUntil }: Listener): boolean {
  return slowUntil !== 0 && slowUntil > Date.now();
}

/** Flushes the queued writes to the task's memory. Returns the answer, or EFAULT if a write fails. */
function written(task: Task, answer: Answer): Answer {
  if (answer === "gone" || answer === "continue") return answer;
  if (task.writeAll()) return answer;
  if ("fd" in answer) close(answer.fd);
  return { result: -ERRNO.EFAULT };
}

/** Decides on a bpf(2) call. Its command and size are registers, so the task cannot change them during the call. */
function judgeCommand(call: Call): Answer {
  const cmd = call.word(0);
  const size = call.word(2);
  const row = commandRow(cmd);
  if (row === null) return denyUnknown(call, cmd);
  // commands with treatment `copy` or a path are decided on later, with the copy of their attr
  if (call.serves("bpf") && row.treatment !== "copy" && row.kind !== "path") {
    const { verdict } = call.decide("bpf", registersOf(row.name, cmd, size));
    if (verdict < 0) return { result: verdict };
  }
  switch (row.treatment) {
    case "pass":
      return "continue";
    case "copy":
      return call.serves("bpf") ? carryOut(call, row.name) : "continue";
    case "load":
      return loadProgram(call);
    case "create":
      return createMap(call);
    case "fetch":
      return fetchObject(call, cmd, row);
    case "token":
      return createToken(call, row.name);
  }
}

/**
 * Denies an unknown command. Reads attr first, as the kernel does (__sys_bpf in kernel/bpf/syscall.c), so that an error
 * of attr is the one that the kernel returns.
 */
function denyUnknown(call: Call, cmd: number): Answer {
  const given = call.attr(ATTR_SIZE);
  if (!(given instanceof Attr)) return given;
  const reason = `the gate does not know bpf(2) command ${cmd}`;
  return call.deny("unknown_command", "bpf", { name: `command ${cmd}` }, reason);
}
