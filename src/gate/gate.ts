import { ERRNO } from "../errno.js";
import { type Answer, Call, type Gatehouse } from "./call.js";
import { commandRow } from "./command.js";
import { carryOut } from "./commands/carry.js";
import { registersOf } from "./commands/command-subject.js";
import { type Asker, readAsker } from "./current.js";
import { fetchObject } from "./fetch.js";
import { AUDIT_ARCH_X86_64 } from "./filter.js";
import type { Listener } from "./listener.js";
import { createMap } from "./maps.js";
import { loadModule } from "./modules.js";
import { type Notification, readNotification, writeResponse } from "./notification.js";
import { loadProgram } from "./programs.js";
import { NR } from "./sys/numbers.js";
import { close, openThread } from "./sys/pidfd.js";
import { answerWithFd, receive, send } from "./sys/seccomp.js";
import { Task } from "./task.js";
import { STEP } from "./watch.js";

/** Answers the calls that wait at listeners, one after the other, in the thread of the engine that it asks. */
export class Gate {
  constructor(private readonly gatehouse: Gatehouse) {}

  /** Takes one notification and answers it. False where there was none: its task died, or the listener is done. */
  serve(listener: Listener): boolean {
    if (receive(listener.fd, listener.buffer) < 0) return false;
    const notification = readNotification(listener.buffer);
    const { watch, tally } = this.gatehouse;
    const start = performance.now();
    watch.enter(STEP.copying, notification.tid, listener.fd, notification.id);
    try {
      this.#answer(listener, notification);
    } finally {
      watch.leave();
      tally.answered((performance.now() - start) * 1000);
    }
    return true;
  }

  #answer(listener: Listener, notification: Notification): void {
    const answer = this.#shortAnswer(listener, notification);
    if (answer !== null) {
      this.#give(listener, notification, answer);
      return;
    }
    const pidfd = openThread(notification.tid, notification.tid);
    const asker = pidfd < 0 ? null : readAsker(notification.tid, pidfd, listener.container);
    if (asker === null) this.#give(listener, notification, NOBODY);
    else {
      const task = new Task(notification.tid, asker.current.pid, pidfd, this.gatehouse.watch);
      try {
        const answer = this.#judge(listener, notification, task, asker);
        if (this.gatehouse.watch.killed) this.#stalled(listener, asker);
        this.#give(listener, notification, answer);
      } finally {
        task.release();
      }
    }
    close(pidfd);
  }

  /** What can be answered by registers alone, whoever asks; null for all else. */
  #shortAnswer(listener: Listener, { arch, call, args }: Notification): Answer | null {
    if (arch !== AUDIT_ARCH_X86_64 || listener.quietUntil > Date.now()) return NOBODY;
    const treatment = call === NR.bpf ? commandRow(Number(args[0]! & 0xffffffffn))?.treatment : undefined;
    const passes = treatment === "pass" || treatment === "copy";
    return passes && !this.gatehouse.judge.serves("bpf") ? "continue" : null;
  }

  #judge(listener: Listener, notification: Notification, task: Task, asker: Asker): Answer {
    const call = new Call(notification, listener, task, asker, this.gatehouse);
    if (notification.call === NR.bpf) return judgeCommand(call);
    if (notification.call === NR.init_module || notification.call === NR.finit_module) return loadModule(call);
    return { result: -ERRNO.EPERM };
  }

  /** A container whose tasks keep the gate waiting is not listened to for a while, which doubles: others wait no longer. */
  #stalled(listener: Listener, asker: Asker): void {
    const { judge, settings } = this.gatehouse;
    const { current } = asker;
    const reason = `task ${current.tid} kept its memory from being read for ${settings.stall} ms and was killed`;
    judge.record({
      hook: "bpf",
      subject: current.comm,
      verdict: -ERRNO.EPERM,
      reason,
      audit: false,
      probe: null,
      current,
    });
    if (listener.container === null) return;
    listener.quietUntil = Date.now() + Math.min(MAX_QUIET, FIRST_QUIET * 2 ** listener.stalls);
    listener.stalls += 1;
  }

  #give(listener: Listener, { id }: Notification, answer: Answer): void {
    if (answer === "gone") return;
    if (answer === "continue" || "result" in answer) {
      send(listener.fd, writeResponse(id, answer));
      return;
    }
    const given = answerWithFd(listener.fd, id, answer.fd);
    if (given >= 0) answer.handedOut();
    // EMFILE and the like are the task's own limits, and what the kernel would have answered
    else send(listener.fd, writeResponse(id, { result: given }));
    close(answer.fd);
  }
}

/** For a task that is gone, cannot be seen from here, or is not to be listened to for now: there is nobody to decide about. */
const NOBODY: Answer = { result: -ERRNO.EPERM };

/** Milliseconds for which a container is not listened to, at first and at most. */
const FIRST_QUIET = 500;
const MAX_QUIET = 60_000;

/** Decides one bpf(2). Its command and size are registers, and so stay what they were. */
function judgeCommand(call: Call): Answer {
  const cmd = call.word(0);
  const size = call.word(2);
  const row = commandRow(cmd);
  if (row === null)
    return call.refuse("bpf", `command ${cmd}`, -ERRNO.EINVAL, `the gate does not know bpf(2) command ${cmd}`);
  // what memory tells of these is decided on with the copy
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
    case "refuse":
      // ENOENT: as where nothing is delegated, which loaders take without a word
      return call.refuse("bpf_token_create", row.name, -ERRNO.ENOENT, "the gate cannot carry it out for another task");
  }
}
