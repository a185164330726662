import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ERRNO } from "../../../../../src/errno.js";
import { DenialThreadHandle, RejectedListeners } from "../../../../../src/gate/agent/rejected/rejected-listeners.js";
import { NR } from "../../../../../src/sys/numbers.js";
import { filteredProcess, programFile } from "../../../../support/filtered-process.js";
import { until } from "../../../../support/until.js";

const NO_FILE = -1;
const CALL = [NR.bpf, 999, 0, 0] as const;

describe("rejected listeners", () => {
  let ended: number[];
  let rejected: RejectedListeners;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    ended = [];
    rejected = new RejectedListeners((listener) => ended.push(listener));
    const { stop } = rejected;
    onTestFinished(stop.bind(rejected));
  });

  it("are served until the last task has ended, and those of others further", { tags: ["deep"] }, async (context) => {
    const [one, two] = [
      await filteredProcess(context, [programFile(CALL, CALL)]),
      await filteredProcess(context, [programFile([NR.finit_module, -1, 0, 0])]),
    ];
    for (const { listener } of [one, two]) rejected.hold(listener, NO_FILE);
    expect(rejected.size).toBe(2);
    one.command.go();
    expect((await one.command.ended).code).toBe(ERRNO.EPERM);
    await until(() => expect(ended).toEqual([one.listener]));
    expect(rejected.listeners).toEqual([two.listener]);
    two.command.go();
    expect((await two.command.ended).code).toBe(ERRNO.EPERM);
    await until(() => expect(ended).toEqual([one.listener, two.listener]));
    expect([rejected.size, rejected.denied]).toEqual([0, 3]);
  });

  it("that are held after their last task has ended are reported at once", { tags: ["deep"] }, async (context) => {
    const { command, listener } = await filteredProcess(context, ["true"]);
    command.kill();
    await command.ended;
    rejected.hold(listener, NO_FILE);
    await until(() => expect(ended).toEqual([listener]));
  });

  it("are served by another thread if one ends", { tags: ["deep"] }, async (context) => {
    const { command, listener } = await filteredProcess(context, [programFile(CALL)]);
    const failure = { code: "INTERNAL", message: "ended", place: undefined, remedy: undefined };
    let started = 0;
    const replaced = new RejectedListeners(
      (fd) => ended.push(fd),
      (...given) => {
        started += 1;
        return started === 1
          ? { post: () => undefined, ended: Promise.resolve(failure) }
          : new DenialThreadHandle(...given);
      },
    );
    onTestFinished(() => replaced.stop());
    replaced.hold(listener, NO_FILE);
    command.go();
    expect((await command.ended).code).toBe(ERRNO.EPERM);
    await until(() => expect(ended).toEqual([listener]));
    expect([started, replaced.denied]).toEqual([2, 1]);
  });

  it("stay open when the thread is stopped, and calls then wait", { tags: ["deep"] }, async (context) => {
    const { command, listener } = await filteredProcess(context, [programFile(CALL)]);
    rejected.hold(listener, NO_FILE);
    await rejected.stop();
    command.go();
    expect(rejected.listeners).toEqual([listener]);
    expect(ended).toEqual([]);
    const next = new RejectedListeners((fd) => ended.push(fd));
    onTestFinished(() => next.stop());
    next.hold(listener, NO_FILE);
    expect((await command.ended).code).toBe(ERRNO.EPERM);
  });
});
