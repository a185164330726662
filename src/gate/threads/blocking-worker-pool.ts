import { OwnedThread } from "../../engine/owned-thread.js";
import type { ThreadImage } from "../../engine/thread-image.js";
import { Notification } from "../call/notification.js";
import type { Analysed } from "../load/analysis.js";
import { stillWaits } from "../sys/seccomp.js";
import { Admissions } from "./admissions.js";
import { type BlockingOp, type SerializedOp, WAITS, type Wait, waitOf } from "./blocking-op.js";
import { type CallRecording, type OpResult, recordingKey } from "./call-recording.js";
import { Interrupts } from "./interrupts.js";
import type { FromBlockingWorker, ToBlockingWorker } from "./messages.js";
import { abandon, discard } from "./op-executor.js";
import type { Blocked } from "./watch.js";

/** Receives the end of each blocking operation. */
export interface BlockingOpEvents {
  /** The operation ended; the recording includes its result. Or the call was admitted. */
  done(recording: CallRecording): void;
  /** The operation passed its deadline: kill the task. If its memory is the cause, the worker's system call returns. */
  overdue(recording: CallRecording): void;
  /** The operation was not run, failed, or exceeded its deadline. `reason`: why the call is denied. */
  failed(recording: CallRecording, reason: string): void;
}

interface QueuedOp {
  readonly recording: CallRecording;
  readonly serialized: SerializedOp;
  readonly containerKey: string;
}

/** Maximum number of workers, without those whose operation is `slow` or `lost`. */
const MOST = 4;
/** Maximum number of `lost` operations. With that many, path and file operations fail at once. */
const MOST_LOST = 8;
/** Milliseconds after the kill of the task in which the operation must end. After that it is `lost`. */
const GRACE = 500;
/**
 * Milliseconds after which an operation that waits only for the kernel is `slow`: the container's next operations are
 * then given to another worker.
 */
const KERNEL = 10_000;
/** Maximum number of `slow` operations. Their tasks are not at fault and are not killed. */
const MOST_SLOW = 4;
/** Milliseconds between two checks whether the task of an operation that waits for the kernel still exists. */
const LOOK_EVERY = 100;
/**
 * Time limit of an analysis, in milliseconds. Its work is bounded (bpf/analysis/work.ts) and takes at most two seconds
 * on an idle machine. This limit is for cases that the bound does not cover.
 */
export const ANALYSIS = 30_000;
/**
 * Bytes copied in a millisecond on a busy machine. The deadline is extended by the time that copying takes, because the
 * task does not cause it.
 */
const COPIED = 2 ** 16;
/**
 * If the timer of a deadline fires more than this many milliseconds late, the machine was stalled. The deadline is then
 * postponed once by this time.
 */
const LATE = 25;
/** Milliseconds after which an idle worker is stopped. */
const IDLE = 30_000;

/** A worker runs almost no JavaScript. */
const HEAP = { maxYoungGenerationSizeMb: 2 };

/** Appends the result of an operation to a copy of the recording. */
function withResult(recording: CallRecording, result: OpResult): CallRecording {
  const { analysed } = result;
  if (analysed === undefined) return { ...recording, results: [...recording.results, result] };
  return { ...recording, analyses: new Map([...recording.analyses, [analysed, result.outcome as Analysed]]) };
}

/** The reason of a denial after the task was killed because it made the gate wait. */
export function stalled({ notification }: CallRecording, wait: Wait, milliseconds: number): string {
  return `stalled: task ${new Notification(notification).tid} kept ${WAITS[wait]} for ${milliseconds} ms and was killed`;
}

/** The reason of a denial after the analysis of the load was terminated. */
export function unanalysed(): string {
  return `the analysis of its program did not end within ${ANALYSIS} ms`;
}

/** A blocking operation in progress. `worker` is null if a replaced decision thread runs it. */
interface RunningOp {
  readonly recording: CallRecording;
  readonly containerKey: string;
  readonly wait: Wait;
  readonly worker: BlockingWorker | null;
  /**
   * `current`: the next operation of the same lane waits for this one. `slow`: the kernel takes long; the operation
   * will end, and no other operation waits for it. `lost`: it did not end after the task was killed; its result is
   * discarded.
   */
  state: "current" | "slow" | "lost";
  /** Why the call is denied when the operation ends; null while it has not exceeded its deadline. */
  verdict: string | null;
  /** The deadline in milliseconds since the epoch; 0 for none. */
  due: number;
  timer: NodeJS.Timeout | undefined;
}

type BlockingWorker = OwnedThread<ToBlockingWorker, FromBlockingWorker>;

/** Bytes of a task's memory that an operation copies. */
function bytesOf(op: BlockingOp): number {
  const parts = op.do === "read" ? op.spans : op.do === "write" ? op.parts.map(({ bytes }) => bytes) : [];
  return parts.reduce((sum, part) => sum + ("length" in part ? part.length : 0), 0);
}

/**
 * Operations of one lane run one after the other. A container's admitted call has a lane of its own, so that the
 * container's other calls do not wait for it.
 */
function laneOf({ admitted }: CallRecording, containerKey: string): string {
  return admitted ? `${containerKey} admitted` : containerKey;
}

/**
 * Runs the blocking operations of slow containers and of long calls, round-robin over containers. An operation that
 * waits for a task has a deadline, so a container that blocks its worker does not delay the others. Workers are started
 * on demand.
 */
export class BlockingWorkerPool {
  /** All workers, each with the timer that stops it when it is idle. */
  readonly #workers = new Map<BlockingWorker, NodeJS.Timeout | undefined>();
  /**
   * At most one `current` operation for each lane, in addition to the operations that replaced decision threads still
   * run.
   */
  readonly #running = new Set<RunningOp>();
  /** Operations that wait for a worker, by lane (see {@link laneOf}), in order of arrival. */
  readonly #waiting = new Map<string, QueuedOp[]>();
  readonly #admissions: Admissions;
  readonly #interrupts = new Interrupts();

  constructor(
    private readonly events: BlockingOpEvents,
    /** Milliseconds that a task may make an operation wait (`gate.stall`). */
    private readonly stall: () => number,
    /** The script of the workers, read earlier; null to run the file of the bundle. */
    private readonly image: ThreadImage | null,
  ) {
    this.#admissions = new Admissions((recording) => events.done(recording));
  }

  /** Queues an operation of a call. If `serialized` is null, queues the call for admission. */
  send(recording: CallRecording, serialized: SerializedOp | null, containerKey: string): void {
    if (serialized === null) {
      this.#admissions.wait(recording, containerKey);
      return;
    }
    const lane = laneOf(recording, containerKey);
    const ops = this.#waiting.get(lane) ?? [];
    ops.push({ recording, serialized, containerKey });
    this.#waiting.set(lane, ops);
    this.#assign();
  }

  /** The call was answered. `key`: see {@link recordingKey}. */
  leave(key: string): void {
    this.#admissions.leave(key);
  }

  /**
   * Adds an operation that a replaced decision thread still runs. It has the usual deadline, counted from its start;
   * its end is reported by {@link onAbandonedOpDone}. `lost`: the task was killed already, and the operation did not
   * end.
   */
  trackAbandonedOp(recording: CallRecording, containerKey: string, { since, wait }: Blocked, lost: boolean): void {
    const state = lost ? "lost" : "current";
    const running: RunningOp = {
      recording,
      containerKey,
      wait,
      worker: null,
      state,
      verdict: null,
      due: 0,
      timer: undefined,
    };
    this.#running.add(running);
    if (!lost) this.#begin(running, Date.now() - since);
  }

  /** The operation of a replaced decision thread ended. `recording` includes its result. */
  onAbandonedOpDone(recording: CallRecording): void {
    const running = this.#find((one) => recordingKey(one.recording) === recordingKey(recording));
    if (running !== undefined) this.#finish(running, recording);
    else abandon(recording);
  }

  /** Stops all workers, and waits for idle ones. One that is blocked in a system call ends with the process. */
  async stop(): Promise<void> {
    for (const { timer } of this.#running) clearTimeout(timer);
    const kept = this.#busy;
    const workers = [...this.#workers];
    this.#workers.clear();
    this.#waiting.clear();
    await Promise.all(
      workers.map(([worker, idle]) => {
        clearTimeout(idle);
        this.#interrupts.forget(worker);
        const end = worker.end();
        return kept.has(worker) ? null : end;
      }),
    );
  }

  #assign(): void {
    for (const [lane, [queued, ...later]] of this.#waiting) {
      if (queued === undefined || this.#isBusy(lane)) continue;
      const { recording, serialized, containerKey } = queued;
      const wait = waitOf(queued.serialized.op);
      const hopeless = wait === "path" || wait === "file" ? this.#hopeless(containerKey) : null;
      const worker = hopeless === null ? (this.#idle() ?? this.#spawn()) : null;
      if (hopeless === null && worker === null) return;
      // move the lane to the end of the map: round-robin
      this.#waiting.delete(lane);
      if (later.length > 0) this.#waiting.set(lane, later);
      if (worker === null) this.events.failed(recording, hopeless!);
      else {
        const rest = { state: "current", verdict: null, due: 0, timer: undefined } as const;
        const running: RunningOp = { recording, containerKey, wait, worker, ...rest };
        this.#running.add(running);
        worker.tell(serialized);
        // the deadline counts from when the worker is ready: the task does not cause its start time
        void worker.ready().then(() => this.#begin(running, -bytesOf(serialized.op) / COPIED));
      }
    }
  }

  /** Why path and file operations of a container fail at once; null if they may run. */
  #hopeless(containerKey: string): string | null {
    if (this.#has("lost", containerKey)) return "an earlier path or file of its like still keeps the gate waiting";
    return this.#count("lost") < MOST_LOST ? null : "too many paths and files of others keep the gate waiting";
  }

  #find(which: (running: RunningOp) => boolean): RunningOp | undefined {
    return [...this.#running].find(which);
  }

  #isBusy(lane: string): boolean {
    return (
      this.#find((one) => one.state === "current" && laneOf(one.recording, one.containerKey) === lane) !== undefined
    );
  }

  #has(state: RunningOp["state"], containerKey: string): boolean {
    return this.#find((one) => one.state === state && one.containerKey === containerKey) !== undefined;
  }

  #count(state: RunningOp["state"]): number {
    return [...this.#running].filter((one) => one.state === state).length;
  }

  get #busy(): ReadonlySet<BlockingWorker | null> {
    return new Set(Array.from(this.#running, ({ worker }) => worker));
  }

  #idle(): BlockingWorker | null {
    const busy = this.#busy;
    for (const [worker, timer] of this.#workers) {
      if (busy.has(worker)) continue;
      clearTimeout(timer);
      return worker;
    }
    return null;
  }

  #spawn(): BlockingWorker | null {
    const kept = [...this.#running].filter(({ state, worker }) => state !== "current" && worker !== null);
    if (this.#workers.size - kept.length >= MOST) return null;
    const worker: BlockingWorker = new OwnedThread(
      this.image ?? "gate-blocking-worker",
      {},
      (message) => {
        if (message.is === "brought") this.#onResult(worker, message);
        else if (message.is === "runs") this.#interrupts.add(worker, message.tid);
      },
      HEAP,
    );
    this.#workers.set(worker, undefined);
    void worker.ended.then(({ message }) => this.#gone(worker, message));
    return worker;
  }

  #begin(running: RunningOp, waited: number): void {
    if (!this.#running.has(running)) return;
    if (running.wait === "kernel") {
      this.#lookAfter(running, Date.now() - waited);
      return;
    }
    const may = running.wait === "analysis" ? ANALYSIS : this.stall();
    const left = Math.max(0, may - waited);
    running.due = Date.now() + left;
    running.timer = setTimeout(() => this.#late(running, may), left);
  }

  /**
   * Handles an expired timer. If it fired late, postpones the deadline once: if this thread was not scheduled, the
   * worker may not have been either, and the task does not cause that.
   */
  #late(running: RunningOp, milliseconds: number): void {
    if (Date.now() - running.due <= LATE) this.#overdue(running, milliseconds);
    else running.timer = setTimeout(() => this.#overdue(running, milliseconds), LATE);
  }

  /**
   * Checks an operation that waits for the kernel every {@link LOOK_EVERY} ms. It has no deadline. If its task has
   * exited, interrupts the system call, so that the worker becomes free.
   */
  #lookAfter(running: RunningOp, since: number): void {
    const { recording, containerKey, worker } = running;
    if (worker !== null && !stillWaits(recording.listener, recording.notification)) this.#interrupts.send(worker);
    const late = running.state === "current" && Date.now() - since > KERNEL;
    if (late && !this.#has("slow", containerKey) && this.#count("slow") < MOST_SLOW) {
      running.state = "slow";
      this.#admissions.leave(recordingKey(recording));
      this.#assign();
    }
    running.timer = setTimeout(() => this.#lookAfter(running, since), LOOK_EVERY).unref();
  }

  #overdue(running: RunningOp, milliseconds: number): void {
    // the result may have arrived while this thread was busy
    for (const message of running.worker?.received() ?? [])
      if (message.is === "brought") this.#onResult(running.worker!, message);
    if (!this.#running.has(running)) return;
    if (running.wait === "analysis") {
      // the task is not at fault; terminating the worker ends the analysis, and #gone reports it
      running.verdict = unanalysed();
      void running.worker?.end();
      return;
    }
    running.verdict = stalled(running.recording, running.wait, milliseconds);
    running.timer = setTimeout(() => this.#giveUp(running), GRACE);
    this.events.overdue(running.recording);
  }

  /** The operation did not end although its task was killed. */
  #giveUp(running: RunningOp): void {
    running.state = "lost";
    this.events.failed(running.recording, running.verdict!);
    this.#assign();
  }

  #onResult(worker: BlockingWorker, result: OpResult): void {
    const timer = setTimeout(() => this.#dismiss(worker), IDLE).unref();
    this.#workers.set(worker, timer);
    const running = this.#find((one) => one.worker === worker);
    if (running === undefined) return;
    this.#finish(running, withResult(running.recording, result), result);
  }

  /**
   * Reports the end of an operation. If it was `lost`, its call was denied already, so the fds are closed: that of
   * `result`, or all fds of the recording if `result` is null (an operation of a replaced thread).
   */
  #finish(running: RunningOp, recording: CallRecording, result: OpResult | null = null): void {
    clearTimeout(running.timer);
    this.#running.delete(running);
    if (running.state !== "lost") {
      if (running.verdict === null) this.events.done(recording);
      else this.events.failed(recording, running.verdict);
    } else if (result === null) abandon(recording);
    else discard(result.outcome);
    this.#assign();
  }

  #dismiss(worker: BlockingWorker): void {
    this.#workers.delete(worker);
    this.#interrupts.forget(worker);
    void worker.end();
  }

  /** A worker ended although it was not dismissed: it failed, or its analysis exceeded the limit. */
  #gone(worker: BlockingWorker, message: string): void {
    this.#interrupts.forget(worker);
    if (!this.#workers.delete(worker)) return;
    const running = this.#find((one) => one.worker === worker);
    if (running !== undefined) {
      running.verdict ??= `its blocking operation failed: ${message}`;
      this.#finish(running, running.recording);
    }
    this.#assign();
  }
}
