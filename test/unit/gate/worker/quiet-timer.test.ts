import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { QuietTimer } from "../../../../src/gate/worker/quiet-timer.js";
import { close } from "../../../../src/sys/pidfd.js";
import { Poll } from "../../../../src/sys/poll.js";

describe("a timer of quiet", () => {
  let timer: QuietTimer;
  let poll: Poll;

  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    timer = new QuietTimer();
    poll = new Poll(1);
    poll.add(timer.fd);
  });
  afterEach(() => {
    close(timer.fd);
    poll.close();
  });

  /** Waits until the timer is readable, and asks it. */
  const expired = () => {
    let isQuiet = false;
    poll.wait(-1, () => (isQuiet = timer.expired()));
    return isQuiet;
  };
  const isReadable = () => poll.wait(0, () => undefined) > 0;

  it("is quiet when no call came after the first", () => {
    timer.served();
    expect(expired()).toBe(true);
    expect(isReadable()).toBe(false);
  });

  it("waits once more after each time in which a call came", () => {
    timer.served();
    for (let times = 0; times < 3; times += 1) {
      timer.served();
      expect(expired()).toBe(false);
    }
    expect(expired()).toBe(true);
  });

  it("can be used again", () => {
    timer.served();
    expect(expired()).toBe(true);
    timer.served();
    expect(expired()).toBe(true);
  });
});
