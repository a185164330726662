import { beforeEach, describe, expect, it, vi } from "vitest";
import { ERRNO } from "../../../src/errno.js";
import { TICKET, ticketFailure, withTicket } from "../../../src/sys/tickets.js";

/** What the guard answers, command by command, and what it was given. */
const guard = vi.hoisted(() => ({ answers: [] as number[], given: [] as Buffer[] }));

vi.mock("../../../src/sys/bpf.js", () => ({
  bpf: (command: number, attr: Uint8Array) => {
    expect(command).toBe(0x6705);
    guard.given.push(Buffer.from(attr));
    return guard.answers.shift();
  },
}));

beforeEach(() => {
  guard.answers = [];
  guard.given = [];
});

const ticket = new Uint8Array(TICKET.size).fill(0);
const DONE = -ERRNO.EALREADY;
const isHere = process.platform === "linux" && process.arch === "x64";

describe.skipIf(!isHere)("a load with a ticket", () => {
  it("is made once the guard took the ticket, whose deadline is in the future", () => {
    guard.answers = [DONE];
    const before = process.hrtime.bigint();
    expect(withTicket(ticket, () => 7)).toBe(7);
    expect(ticketFailure(7)).toBeNull();
    expect(guard.given).toHaveLength(1);
    expect(guard.given[0]!.readBigUInt64LE(TICKET.deadline)).toBeGreaterThan(before);
    expect(guard.given[0]!.readUInt32LE(TICKET.flags)).toBe(0);
  });

  it.each([ERRNO.EPERM, ERRNO.EINVAL, ERRNO.ENOSPC])(
    "is not made if the guard rejects the ticket: errno %i",
    (errno) => {
      guard.answers = [-errno];
      const load = vi.fn(() => 7);
      expect(ticketFailure(withTicket(ticket, load))).toEqual({ is: "rejected", errno });
      expect(load).not.toHaveBeenCalled();
    },
  );

  it.each([
    ["the kernel rejected the load before the guard saw it", -ERRNO.EINVAL, DONE, null],
    ["the verifier rejected it", -ERRNO.EACCES, -ERRNO.ENOENT, null],
    ["it was used, and the kernel returned EPERM", -ERRNO.EPERM, -ERRNO.ENOENT, null],
    ["the guard denied it although it had the ticket", -ERRNO.EPERM, DONE, { is: "denied" }],
  ])("takes back what it did not use: %s", (_, result, withdrawn, failure) => {
    guard.answers = [DONE, withdrawn];
    const got = withTicket(ticket, () => result);
    expect(ticketFailure(got)).toEqual(failure);
    if (failure === null) expect(got).toBe(result);
    expect(guard.given[1]!.readUInt32LE(TICKET.flags)).toBe(1);
  });
});
