import { MessageChannel, Worker } from "node:worker_threads";
import type { Config } from "../../src/config/config.js";
import { DecisionWatch } from "../../src/engine/handover/watch.js";
import { ReleaseCounter } from "../../src/gate/call/release-counter.js";
import { Tally } from "../../src/gate/decisions/tally.js";
import type { FromThread, ThreadData, ToThread } from "../../src/gate/messages/messages.js";
import { Watch } from "../../src/gate/task/blocking/watch.js";
import { begin } from "../../src/gate/worker/decision-loop.js";
import { syscall } from "../../src/sys/libc.js";
import { NR } from "../../src/sys/numbers.js";
import { close } from "../../src/sys/pidfd.js";
import { eventFd } from "../../src/sys/poll.js";

const SIG_SETMASK = 2;

/** Messages that are sent as soon as the thread has sent a message of the kind `after`. Each step is taken once. */
export interface Step {
  readonly after: FromThread["is"];
  readonly send: readonly (ToThread | ServeReceived)[];
}

/** `serve` with the recording of the message that was received. */
interface ServeReceived extends Pick<ToThread & { do: "serve" }, "do" | "reason"> {
  readonly recording: "received";
}

/**
 * The main thread of a gate, in a worker, because the decision loop runs in the test's thread and blocks it. It takes
 * the steps in their order, and returns all messages that it received.
 */
const PEER = `
const { parentPort, receiveMessageOnPort, workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const { port, bell, steps, late: LATE } = workerData;
const received = [];
port.on("message", (message) => {
  received.push(message);
  if (steps[0]?.after === message.is) send(steps.shift().send, message);
});
const send = (messages, { recording } = {}) => {
  for (const each of messages) port.postMessage(each.recording === "received" ? { ...each, recording } : each);
  writeSync(bell, new BigUint64Array([1n]));
};
const late = setTimeout(send, LATE, [{ do: "stop" }]);
parentPort.once("message", () => {
  clearTimeout(late);
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
    received.push(next.message);
  parentPort.postMessage(received);
  port.close();
});
parentPort.postMessage("listens");
`;

/**
 * Milliseconds after which the peer stops a thread that none of the steps stops, so that the test fails: less than its
 * time limit.
 */
const LATE = 90_000;

/** Runs a decision thread's code until it has stopped. Returns its messages, without those about its fds. */
export async function runDecisionThread(
  config: Config,
  steps: readonly Step[],
  given: Partial<ThreadData> = {},
): Promise<{ readonly messages: readonly FromThread[]; readonly tally: Tally }> {
  const { port1, port2 } = new MessageChannel();
  const bell = eventFd();
  const tally = new Tally();
  const peer = new Worker(PEER, {
    eval: true,
    workerData: { port: port2, bell, steps, late: LATE },
    transferList: [port2],
  });
  const next = () => new Promise<unknown>((resolve) => peer.once("message", resolve));
  await next();
  await begin({
    ...{
      config,
      sealed: new Map(),
      texts: null,
      preopened: null,
      isStandby: false,
      image: null,
      shadow: null,
      agent: null,
      releases: new ReleaseCounter().memory,
      bell,
    },
    ...{ watch: new Watch().memory, decisions: new DecisionWatch().memory, tally: tally.memory, port: port1 },
    ...given,
  });
  syscall(NR.rt_sigprocmask, SIG_SETMASK, BigUint64Array.of(0n), null, 8); // the loop blocks all signals
  peer.postMessage("stop");
  const messages = (await next()) as FromThread[];
  await peer.terminate();
  for (const message of messages) if (message.is === "opened") for (const fd of message.fds) close(fd);
  close(bell);
  return { messages: messages.filter(({ is }) => is !== "opened"), tally };
}
