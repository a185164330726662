import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { syscall } from "../../../src/sys/libc.js";
import { LoopAlarm } from "../../../src/sys/loop-alarm.js";
import { NR } from "../../../src/sys/numbers.js";
import { Poll } from "../../../src/sys/poll.js";
import { TimerFd } from "../../../src/sys/timer-fd.js";

/** Milliseconds that no test waits for. */
const NEVER = 3_600_000;

beforeEach((context) => {
  if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
});

describe("a timerfd", () => {
  let timer: TimerFd;
  let poll: Poll;

  beforeEach(() => {
    timer = new TimerFd();
    poll = new Poll(1);
    poll.add(timer.fd);
  });
  afterEach(() => {
    timer.close();
    poll.close();
  });

  const waited = (milliseconds: number) => {
    const ready: number[] = [];
    poll.wait(milliseconds, (fd) => ready.push(fd));
    return ready;
  };

  it("is readable from its time on, until it is made quiet", () => {
    timer.set(NEVER);
    expect(waited(0)).toEqual([]);
    timer.set(0.5);
    expect(waited(-1)).toEqual([timer.fd]);
    expect(waited(0)).toEqual([timer.fd]);
    timer.quieten();
    expect(waited(0)).toEqual([]);
  });

  it("is readable again after each interval", () => {
    timer.set(1, 1);
    for (let times = 0; times < 3; times += 1) {
      expect(waited(-1)).toEqual([timer.fd]);
      timer.quieten();
    }
  });

  it("takes times of more than a second", () => {
    timer.set(1999.5);
    const left = new BigInt64Array(4);
    const TIMERFD_GETTIME = 287;
    expect(syscall(TIMERFD_GETTIME, timer.fd, left)).toBe(0);
    const milliseconds = Number(left[2]) * 1000 + Number(left[3]) / 1e6;
    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThanOrEqual(1999.5);
    expect(left[0]).toBe(0n);
  });

  it("is close-on-exec", () => {
    expect(readFileSync(`/proc/self/fdinfo/${timer.fd}`, "utf8")).toMatch(/^flags:\t02\d*2$/m);
  });

  it("is closed with the rest", () => {
    const other = new TimerFd();
    other.close();
    expect(syscall(NR.close, other.fd)).toBeLessThan(0);
  });
});

describe("an alarm", () => {
  /** Time-outs of this thread do not end, as root inside can have it (PR_SET_TIMERSLACK of prctl(2)). */
  const setSlack = (nanoseconds: bigint) => syscall(NR.prctl, 29, nanoseconds);
  let alarm: LoopAlarm;

  beforeEach(() => {
    alarm = new LoopAlarm();
    setSlack(4_000_000_000_000_000_000n);
  });
  afterEach(() => {
    setSlack(0n);
    alarm.close();
  });

  const slept = (milliseconds: number) => new Promise<void>((done) => alarm.setTimeout(done, milliseconds));

  it("wakes the event loop for a timer that was set with it", async () => {
    for (const milliseconds of [1, 5, 20]) await slept(milliseconds);
  });

  it("wakes it again for a timer that is not due at the first wake", async () => {
    const late = sleep(30);
    await slept(1);
    await late;
  });

  it("wakes it again and again", async () => {
    alarm.repeat(5);
    for (const milliseconds of [1, 7, 23]) await sleep(milliseconds);
  });

  it("does nothing once it is closed", () => {
    alarm.close();
    clearTimeout(alarm.setTimeout(() => {}, 1));
    alarm.repeat(1);
    alarm.close();
  });
});
