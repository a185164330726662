import type { ThreadImage } from "../../engine/threads/thread-image.js";
import { monotonic } from "../../monotonic.js";
import { LoopAlarm } from "../../sys/loop-alarm.js";
import { stillWaits } from "../../sys/seccomp.js";
import type { AgentLink } from "../task/blocking/agent-link.js";
import { type BlockingOp, type SerializedOp, waitOf } from "../task/blocking/blocking-op.js";
import { type CallRecording, type OpResult, recordingKey } from "../task/blocking/call-recording.js";
import type { Analysed } from "../task/blocking/load-analysis.js";
import { abandon, discard } from "../task/blocking/op-executor.js";
import type { Blocked } from "../task/blocking/watch.js";
import { Admissions } from "./admissions.js";
import { BlockingWorkers, type WorkerEvent } from "./blocking-workers.js";
import { stalled, unanalysed } from "./denial-reasons.js";
import { ANALYSIS_TIMEOUT, POLL_INTERVAL_WAITING } from "./next-action.js";
import { ObservedWait } from "./observed-wait.js";
import { OpQueue } from "./op-queue.js";
import { type RunningOp, RunningOps } from "./running-ops.js";

/** An event of a blocking operation. */
export type BlockingOpEvent =
  /** The operation ended; the recording includes its result. Or the call was admitted. */
  | { readonly is: "done"; readonly recording: CallRecording }
  /** The operation passed its deadline: kill the task. If its memory is the cause, the worker's system call returns. */
  | { readonly is: "overdue"; readonly recording: CallRecording }
  /** The operation was not run, failed, or exceeded its deadline. `reason`: why the call is denied. */
  | { readonly is: "failed"; readonly recording: CallRecording; readonly reason: string };

/** Maximum number of `lost` operations. With that many, path and file operations fail at once. */
const MAX_LOST = 8;
/** Milliseconds after the kill of the task in which the operation must end. After that it is `lost`. */
const KILL_GRACE = 500;
/**
 * Milliseconds after which an operation that waits only for the kernel is `slow`: the container's next operations are
 * then given to another worker.
 */
const SLOW_AFTER = 10_000;
/** Maximum number of `slow` operations. Their tasks are not at fault and are not killed. */
const MAX_SLOW = 4;
/** Milliseconds between two checks whether the task of an operation that waits for the kernel still exists. */
const CHECK_INTERVAL = 100;
/**
 * Bytes copied in a millisecond on a busy machine. The deadline is extended by the time that copying takes, because the
 * task does not cause it.
 */
const BYTES_PER_MS = 2 ** 16;

/**
 * Runs the blocking operations of slow containers and of long calls, round-robin over containers. An operation that
 * waits for a task has a deadline, so a container that blocks its worker does not delay the others.
 */
export class BlockingWorkerPool {
  readonly #workers: BlockingWorkers;
  readonly #running = new RunningOps();
  readonly #queue = new OpQueue();
  readonly #admissions: Admissions;
  /** Wakes the main thread for the checks of operations that have a deadline. */
  readonly #alarm = new LoopAlarm();

  constructor(
    private readonly report: (event: BlockingOpEvent) => void,
    /** Milliseconds that a task may make an operation wait (`gate.stall`). */
    private readonly stall: () => number,
    image: ThreadImage | null,
    agent: AgentLink | null = null,
  ) {
    this.#workers = new BlockingWorkers((event) => this.#onWorkerEvent(event), image, agent);
    this.#admissions = new Admissions((recording) => report({ is: "done", recording }));
  }

  /** Queues an operation of a call. If `serialized` is null, queues the call for admission. */
  send(recording: CallRecording, serialized: SerializedOp | null, containerKey: string): void {
    if (serialized === null) {
      this.#admissions.wait(recording, containerKey);
      return;
    }
    this.#queue.push({ recording, serialized, containerKey });
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
    const running = this.#running.add({
      recording,
      containerKey,
      wait,
      worker: null,
      state: lost ? "lost" : "current",
    });
    if (!lost) this.#begin(running, monotonic() - since);
  }

  /** The operation of a replaced decision thread ended. `recording` includes its result. */
  onAbandonedOpDone(recording: CallRecording): void {
    const running = this.#running.find((op) => recordingKey(op.recording) === recordingKey(recording));
    if (running !== undefined) this.#finish(running, recording);
    else abandon(recording);
  }

  /** Stops all workers, and waits for idle ones. One that is blocked in a system call ends with the process. */
  async stop(): Promise<void> {
    this.#running.stop();
    this.#queue.clear();
    this.#alarm.close();
    await this.#workers.stop(this.#running.busyWorkers);
  }

  /** Gives waiting operations to workers, as long as there are both. */
  #assign(): void {
    for (;;) {
      const queued = this.#queue.next((lane) => this.#running.isBusy(lane));
      if (queued === undefined) return;
      const { recording, serialized, containerKey } = queued;
      const wait = waitOf(serialized.op);
      const refusal = wait === "path" || wait === "file" ? this.#refusal(containerKey) : null;
      if (refusal !== null) {
        this.#queue.remove(queued);
        this.report({ is: "failed", recording, reason: refusal });
        continue;
      }
      const worker = this.#workers.take(this.#running.busyWorkers, this.#running.keptWorkers);
      if (worker === null) return;
      this.#queue.remove(queued);
      const running = this.#running.add({ recording, containerKey, wait, worker, state: "current" });
      worker.post(serialized);
      // the deadline counts from when the worker is ready: the task does not cause its start time
      void worker.ready().then(() => this.#begin(running, -bytesOf(serialized.op) / BYTES_PER_MS));
    }
  }

  /** Why path and file operations of a container fail at once; null if they may run. */
  #refusal(containerKey: string): string | null {
    if (this.#running.has("lost", containerKey))
      return "an earlier path or file of its like still keeps the gate waiting";
    return this.#running.count("lost") < MAX_LOST ? null : "too many paths and files of others keep the gate waiting";
  }

  #begin(running: RunningOp, waited: number): void {
    if (!this.#running.includes(running)) return;
    if (running.wait === "kernel") {
      this.#checkKernelOp(running, monotonic() - waited);
      return;
    }
    const limit = running.wait === "analysis" ? ANALYSIS_TIMEOUT : this.stall();
    this.#after(running, limit - waited, () => this.#onOverdue(running));
  }

  /** Calls `then` once an operation was observed to run for so many milliseconds more: see {@link ObservedWait}. */
  #after(running: RunningOp, milliseconds: number, then: () => void): void {
    const time = new ObservedWait();
    const first = monotonic();
    const check = () => {
      if (time.add({ first }, monotonic()) >= milliseconds) then();
      else checkSoon();
    };
    const checkSoon = () => {
      running.timer = this.#alarm.setTimeout(check, POLL_INTERVAL_WAITING);
    };
    checkSoon();
  }

  /**
   * Checks an operation that waits for the kernel every {@link CHECK_INTERVAL} ms. It has no deadline. If its task has
   * exited, interrupts the system call, so that the worker becomes free.
   */
  #checkKernelOp(running: RunningOp, since: number): void {
    const { recording, containerKey, worker } = running;
    if (worker !== null && !stillWaits(recording.listener, recording.notification)) this.#workers.interrupt(worker);
    const late = running.state === "current" && monotonic() - since > SLOW_AFTER;
    if (late && !this.#running.has("slow", containerKey) && this.#running.count("slow") < MAX_SLOW) {
      running.state = "slow";
      this.#admissions.leave(recordingKey(recording));
      this.#assign();
    }
    running.timer = setTimeout(() => this.#checkKernelOp(running, since), CHECK_INTERVAL).unref();
  }

  #onOverdue(running: RunningOp): void {
    const { worker, recording, wait } = running;
    // the result may have arrived while this thread was busy
    if (worker !== null) this.#workers.receive(worker);
    if (!this.#running.includes(running)) return;
    if (wait === "analysis") {
      // the task is not at fault; terminating the worker ends the analysis, and its `ended` event reports it
      running.denial = unanalysed();
      void worker?.end();
      return;
    }
    running.denial = stalled(recording, wait, this.stall());
    this.#after(running, KILL_GRACE, () => this.#giveUp(running));
    this.report({ is: "overdue", recording });
  }

  /** The operation did not end although its task was killed. */
  #giveUp(running: RunningOp): void {
    running.state = "lost";
    this.report({ is: "failed", recording: running.recording, reason: running.denial! });
    this.#assign();
  }

  #onWorkerEvent(event: WorkerEvent): void {
    const running = this.#running.find(({ worker }) => worker === event.worker);
    if (event.is === "result") {
      const { result } = event;
      if (running !== undefined) this.#finish(running, withResult(running.recording, result), result);
      return;
    }
    if (running !== undefined) {
      running.denial ??= `its blocking operation failed: ${event.reason}`;
      this.#finish(running, running.recording);
    }
    this.#assign();
  }

  /**
   * Reports the end of an operation. If it was `lost`, its call was denied already, so the fds are closed: that of
   * `result`, or all fds of the recording if `result` is null (an operation of a replaced thread).
   */
  #finish(running: RunningOp, recording: CallRecording, result: OpResult | null = null): void {
    this.#running.remove(running);
    if (running.state !== "lost") {
      if (running.denial === null) this.report({ is: "done", recording });
      else this.report({ is: "failed", recording, reason: running.denial });
    } else if (result === null) abandon(recording);
    else discard(result.outcome);
    this.#assign();
  }
}

/** Appends the result of an operation to a copy of the recording. */
function withResult(recording: CallRecording, result: OpResult): CallRecording {
  const { analysed } = result;
  if (analysed === undefined) return { ...recording, results: [...recording.results, result] };
  return { ...recording, analyses: new Map([...recording.analyses, [analysed, result.outcome as Analysed]]) };
}

/** Bytes of a task's memory that an operation copies. */
function bytesOf(op: BlockingOp): number {
  const parts = op.do === "read" ? op.spans : op.do === "write" ? op.parts.map(({ bytes }) => bytes) : [];
  return parts.reduce((sum, part) => sum + ("length" in part ? part.length : 0), 0);
}
