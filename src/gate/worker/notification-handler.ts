import { CMD } from "../../bpf/model/commands.js";
import { ERRNO } from "../../errno.js";
import { monotonic } from "../../monotonic.js";
import type { Container, Current } from "../../policy/model/current.js";
import { programInfo } from "../../sys/bpf.js";
import type { Impersonator } from "../../sys/credentials.js";
import { NR } from "../../sys/numbers.js";
import { type Answer, issuesFd } from "../call/answer.js";
import { Call } from "../call/call.js";
import { commandRow } from "../call/command.js";
import type { Listener } from "../call/listener.js";
import type { LoadThrottle } from "../call/load-throttle.js";
import { GATE_RULES, type GateRule } from "../call/rules.js";
import type { CallServices } from "../call/services.js";
import { isForeign } from "../commands/foreign.js";
import { missesGate, TARGETING } from "../commands/gate-target.js";
import type { Facts } from "../commands/prog-load/load-facts.js";
import type { Verdict } from "../decisions/gate-decisions.js";
import type { Tally } from "../decisions/tally.js";
import type { FromThread } from "../messages/messages.js";
import { serializeOp } from "../task/blocking/blocking-op.js";
import { type CallRecording, newRecording, recordingKey } from "../task/blocking/call-recording.js";
import { Notification } from "../task/blocking/notification.js";
import {
  abandon,
  InlineExecutor,
  NeedsBlockingOp,
  ReplayExecutor,
  WorkerReplaced,
} from "../task/blocking/op-executor.js";
import type { Watch } from "../task/blocking/watch.js";
import { type Caller, callerOf, copyOf, unreadTask } from "../task/caller.js";
import type { PidfdCache } from "../task/pidfd-cache.js";
import { RemoteTask } from "../task/remote-task.js";
import { failedReply, serveCall } from "./serve-call.js";

/** What the decision thread shares between all calls. */
export interface WorkerServices extends CallServices {
  readonly impersonator: Impersonator;
  readonly watch: Watch;
  readonly tally: Tally;
  readonly throttle: Pick<LoadThrottle, "loaded" | "pause" | "announce">;
  /** Whether all listeners belong to one container or command. If so, a slow call delays no other container. */
  alone(): boolean;
  /** Records that loads of a container, or of the command, wait because too many of its programs were released. */
  logThrottle(container: Container | null): void;
}

/** Serves the notifications of seccomp listeners, one at a time, in the decision thread. */
export class NotificationHandler {
  readonly #own: InlineExecutor;
  /** The notification of the current call, in the memory shared with the watcher. */
  readonly #notification: Notification;

  constructor(
    private readonly services: WorkerServices,
    private readonly facts: Facts,
    private readonly pidfdCache: PidfdCache,
    private readonly say: (message: FromThread) => void,
  ) {
    this.#own = new InlineExecutor(services.watch, services.impersonator);
    this.#notification = new Notification(services.watch.notification);
  }

  /** Receives one notification and serves it. Returns false if there is none: the task died, or no task is left. */
  serve(listener: Listener): boolean {
    const { watch } = this.services;
    if (!listener.receive(watch.notification)) return false;
    this.#turn(listener, isSlow(listener) ? newRecording(listener.fd, watch.notification) : null, null);
    return true;
  }

  /** Serves a call again or, if `reason` is not null, denies it for that reason without asking policies. */
  resume(listener: Listener, recording: CallRecording, reason: string | null): void {
    this.services.watch.notification.set(recording.notification);
    this.#turn(listener, recording, reason);
  }

  #turn(listener: Listener, recording: CallRecording | null, reason: string | null): void {
    if (reason === null && this.#isThrottled(listener, recording)) return;
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
        this.say({ is: "opNeeded", recording: awaiting, serialized: error.op && serializeOp(error.op) });
        return;
      }
      this.#denyUnfinished(
        listener,
        notification,
        awaiting,
        "the call needs more reads of the task's memory than a call of a slow container may make",
      );
    }
    watch.leave();
    tally.answered(recording === null ? (performance.now() - start) * 1000 : (monotonic() - recording.since) * 1000);
    if (recording !== null) this.say({ is: "served", recording: recordingKey(recording) });
    if (watch.waited > 0 && !this.services.alone() && listener.waited(watch.waited)) this.#markSlow(listener);
  }

  /** Whether the call is a load that must wait before its first turn. The main thread then has it served again. */
  #isThrottled(listener: Listener, recording: CallRecording | null): boolean {
    if (!isLoad(this.#notification) || (recording !== null && hasBegun(recording))) return false;
    const { throttle, watch, tally, logThrottle } = this.services;
    const { container, containerKey } = listener;
    const pause = throttle.pause(containerKey);
    if (pause === 0) return false;
    const waiting = recording ?? newRecording(listener.fd, watch.notification);
    if (!waiting.throttled) tally.add("throttled");
    const isFirst = throttle.announce(containerKey);
    if (isFirst) logThrottle(container);
    this.say({ is: "throttled", recording: { ...waiting, throttled: true }, pause, isFirst });
    return true;
  }

  #answer(listener: Listener, notification: Notification, recording: CallRecording | null): void {
    const answer = this.#shortAnswer(notification);
    if (answer !== null) {
      listener.reply(notification.id, answer);
      return;
    }
    const { tid } = notification;
    const { pidfdCache } = this;
    const caller = pidfdCache.find(tid) ? callerOf(tid, pidfdCache.info, listener.container, pidfdCache.files) : null;
    if (caller !== null) this.#answerTo(caller, pidfdCache.pidfd, listener, notification, recording);
    else {
      listener.reply(notification.id, this.#unseen(listener, notification));
      if (recording !== null) this.#abandon(listener, recording);
    }
  }

  /** Closes the fds of a call that will not be completed. If a program is among them, its release counts. */
  #abandon(listener: Listener, recording: CallRecording): void {
    if (isLoad(this.#notification))
      for (const { outcome } of recording.results) {
        const program = typeof outcome === "number" && outcome > 0 ? programInfo(outcome) : ERRNO.EINVAL;
        if (typeof program !== "number") this.services.throttle.loaded(program.id, listener.containerKey);
      }
    abandon(recording);
  }

  /** Denies a call whose task has no id in the gate's pid namespace. A task that has exited needs no answer. */
  #unseen(listener: Listener, { bytes, tid }: Notification): Answer {
    if (!listener.isPending(bytes)) return "gone";
    const current = unreadTask(tid, listener.container);
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
    return failedReply(-verdict, settings);
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
    const task = new RemoteTask(
      notification.tid,
      caller.current.pid,
      pidfd,
      replay ?? this.#own,
      recording?.fds ?? null,
      this.services.watch,
      { listener: listener.fd, id: notification.id },
      this.pidfdCache.process,
    );
    let goesOn = false;
    try {
      const call = new Call(notification, listener, task, caller, this.services, recording);
      const answer = written(task, serveCall(call, this.facts));
      if (!issuesFd(answer)) task.closeAdopted();
      call.operation.count();
      listener.reply(notification.id, answer);
    } catch (error) {
      goesOn = error instanceof NeedsBlockingOp || error instanceof WorkerReplaced;
      if (goesOn && recording !== null) recording.current ??= copyOf(caller.current);
      if (error instanceof WorkerReplaced)
        this.say({ is: "abandonedOpDone", recording: this.#left(recording, task, caller, listener) });
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
  #left(recording: CallRecording | null, task: RemoteTask, { current }: Caller, listener: Listener): CallRecording {
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

  /** Denies a call that cannot be completed, and logs why. */
  #denyUnfinished(listener: Listener, notification: Notification, recording: CallRecording, reason: string): void {
    const current = recording.current ?? unreadTask(notification.tid, listener.container);
    listener.reply(notification.id, this.#denyUnasked("stalled", current, reason));
    this.#abandon(listener, recording);
  }

  /** From now on blocking workers run the operations of these tasks, so that other tasks no longer wait for them. */
  #markSlow(listener: Listener): void {
    if (isSlow(listener)) return;
    listener.slowUntil = monotonic() + UNTIL_HEARD;
    this.say({ is: "slowListener", fd: listener.fd });
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

/** Whether a call is BPF_PROG_LOAD. A number of another ABI names another system call. */
function isLoad(notification: Notification): boolean {
  return notification.call === NR.bpf && notification.word(0) === CMD.BPF_PROG_LOAD && !isForeign(notification);
}

/** Whether an earlier turn of a call has done something. */
function hasBegun({ admitted, results, analyses, verdicts }: CallRecording): boolean {
  return admitted || results.length > 0 || analyses.size > 0 || verdicts.length > 0;
}

function isSlow({ slowUntil }: Listener): boolean {
  return slowUntil !== 0 && slowUntil > monotonic();
}

/** Flushes the queued writes to the task's memory. Returns the answer, or EFAULT if a write fails. */
function written(task: RemoteTask, answer: Answer): Answer {
  if (answer === "gone" || answer === "continue") return answer;
  return task.writeAll() ? answer : { result: -ERRNO.EFAULT };
}
