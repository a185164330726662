import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { syscall } from "../../../src/sys/libc.js";
import { NR } from "../../../src/sys/numbers.js";
import { EPOLLHUP, eventFd, Poll, quieten, ring } from "../../../src/sys/poll.js";

const EPOLLIN = 1;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

describe("Poll", () => {
  const opened: number[] = [];
  const own = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  const start = () => {
    const poll = new Poll(8);
    own(poll.fd);
    return poll;
  };

  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  afterEach(() => {
    for (const fd of opened.splice(0)) syscall(NR.close, fd);
  });

  it("returns 0 if nothing is ready within the timeout", () => {
    const poll = start();
    poll.addBusy(own(eventFd()));
    expect(readyOf(poll)).toEqual({ count: 0, ready: [] });
  });

  it("reports each fd that is ready, until it is quiet again", () => {
    const [poll, bell, busy] = [start(), own(eventFd()), own(eventFd())];
    poll.add(bell);
    poll.addBusy(busy);
    ring(bell);
    expect(readyOf(poll).ready).toEqual([[bell, EPOLLIN]]);
    ring(busy);
    expect(readyOf(poll).ready).toEqual([
      [bell, EPOLLIN],
      [busy, EPOLLIN],
    ]);
    quieten(bell);
    quieten(busy);
    expect(readyOf(poll).ready).toEqual([]);
  });

  it("waits directly for a busy fd from the second time in a row on", () => {
    const [poll, bell, busy] = [start(), own(eventFd()), own(eventFd())];
    poll.add(bell);
    poll.addBusy(busy);
    ring(busy);
    readyOf(poll);
    expect(inEpoll(poll)).toEqual([bell, busy]);
    readyOf(poll);
    expect(inEpoll(poll)).toEqual([bell]);
    expect(readyOf(poll).ready).toEqual([[busy, EPOLLIN]]);
  });

  it("reports other fds beside the one that it waits for directly", () => {
    const [poll, bell, busy] = [start(), own(eventFd()), own(eventFd())];
    poll.add(bell);
    makeDirect(poll, busy);
    ring(bell);
    expect(readyOf(poll).ready).toEqual([
      [busy, EPOLLIN],
      [bell, EPOLLIN],
    ]);
    quieten(busy);
    expect(readyOf(poll).ready).toEqual([[bell, EPOLLIN]]);
    quieten(bell);
    expect(readyOf(poll)).toEqual({ count: 0, ready: [] });
  });

  it("waits directly for another busy fd once that is ready twice in a row", () => {
    const [poll, first, second] = [start(), own(eventFd()), own(eventFd())];
    makeDirect(poll, first);
    quieten(first);
    poll.addBusy(second);
    ring(second);
    readyOf(poll);
    readyOf(poll);
    expect(inEpoll(poll)).toEqual([first]);
    ring(first);
    expect(readyOf(poll).ready).toEqual([
      [second, EPOLLIN],
      [first, EPOLLIN],
    ]);
  });

  it("never waits directly for an fd that is not busy, nor for two that take turns", () => {
    const [poll, bell, first, second] = [start(), own(eventFd()), own(eventFd()), own(eventFd())];
    poll.add(bell);
    ring(bell);
    readyOf(poll);
    readyOf(poll);
    quieten(bell);
    for (const fd of [first, second]) poll.addBusy(fd);
    for (const fd of [first, second, first, second]) {
      ring(fd);
      expect(readyOf(poll).ready).toEqual([[fd, EPOLLIN]]);
      quieten(fd);
    }
    expect(inEpoll(poll)).toEqual([bell, first, second]);
  });

  it("reports nothing of a removed fd, whether it waited for that directly or not", () => {
    const [poll, first, second] = [start(), own(eventFd()), own(eventFd())];
    makeDirect(poll, first);
    poll.addBusy(second);
    ring(second);
    poll.remove(first);
    poll.remove(second);
    expect(inEpoll(poll)).toEqual([]);
    expect(readyOf(poll)).toEqual({ count: 0, ready: [] });
  });

  it("forgets an fd that was closed while it waited for that directly", () => {
    const [poll, busy] = [start(), eventFd()];
    makeDirect(poll, busy);
    syscall(NR.close, busy);
    expect(readyOf(poll).ready).toEqual([]);
    expect(readyOf(poll)).toEqual({ count: 0, ready: [] });
  });

  it("lets `ready` remove the fd that it is called for", () => {
    const [poll, busy] = [start(), own(eventFd())];
    makeDirect(poll, busy);
    poll.wait(0, (fd) => poll.remove(fd));
    expect(readyOf(poll)).toEqual({ count: 0, ready: [] });
  });

  it("reports that the other end is closed, also for an fd that it waits for directly", () => {
    const [poll, socket] = [start(), own(syscall(NR.socket, AF_UNIX, SOCK_STREAM, 0))];
    poll.addBusy(socket);
    for (let times = 0; times < 3; times += 1) {
      const [[fd, events] = []] = readyOf(poll).ready;
      expect([fd, events! & EPOLLHUP]).toEqual([socket, EPOLLHUP]);
    }
    expect(inEpoll(poll)).toEqual([]);
  });
});

/** Makes an fd ready, and the one that is waited for directly. */
function makeDirect(poll: Poll, fd: number): void {
  poll.addBusy(fd);
  ring(fd);
  readyOf(poll);
  readyOf(poll);
}

function readyOf(poll: Poll): { count: number; ready: [number, number][] } {
  const ready: [number, number][] = [];
  const count = poll.wait(0, (fd, events) => ready.push([fd, events]));
  return { count, ready };
}

/** The fds of its epoll instance (proc_pid_fdinfo(5)). */
function inEpoll(poll: Poll): number[] {
  const text = readFileSync(`/proc/self/fdinfo/${poll.fd}`, "utf8");
  return [...text.matchAll(/^tfd:\s+(\d+)/gm)].map(([, fd]) => Number(fd)).sort((a, b) => a - b);
}
