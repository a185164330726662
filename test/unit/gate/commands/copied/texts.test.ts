import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../../src/errno.js";
import { CallFailure } from "../../../../../src/gate/call/failure.js";
import { MAX_PROBES } from "../../../../../src/gate/commands/copied/fields.js";
import { copyTexts } from "../../../../../src/gate/commands/copied/texts.js";
import { NOWHERE } from "../../../../support/fake-gate.js";
import { FakeTask } from "../../../../support/fake-task.js";

const PAGE = 4096;
const pointersTo = (task: FakeTask, addresses: readonly bigint[]) =>
  task.place(new Uint8Array(BigUint64Array.from(addresses).buffer));
const copied = (task: FakeTask, addresses: readonly bigint[]) =>
  copyTexts(task, pointersTo(task, addresses), addresses.length)?.texts.map((text) => Buffer.from(text).toString());
function failureOf(copy: () => unknown): CallFailure {
  try {
    copy();
  } catch (failure) {
    if (failure instanceof CallFailure) return failure;
    throw failure;
  }
  throw new Error("did not fail");
}

describe("the list of symbols of a call", () => {
  it.skipIf(process.platform !== "linux")("is copied in its order, with pointers to the copies", () => {
    const task = new FakeTask();
    const [one, two] = [task.place("vfs_read"), task.place("")];
    const { texts, pointers, held } = copyTexts(task, pointersTo(task, [one, two, one]), 3)!;
    expect(texts.map((text) => Buffer.from(text).toString())).toEqual(["vfs_read", "", "vfs_read"]);
    expect([pointers[1]! - pointers[0]!, pointers[2]! - pointers[0]!]).toEqual([9n, 10n]);
    expect(Buffer.from(held[0] as Uint8Array).toString()).toBe("vfs_read\0\0vfs_read\0");
    expect(copied(task, [])).toEqual([]);
  });

  it("may have a text that goes on in the next page", () => {
    const task = new FakeTask();
    const pages = Buffer.alloc(2 * PAGE);
    pages.write("x".repeat(300), PAGE - 100);
    expect(copied(task, [task.place(pages) + BigInt(PAGE - 100)])).toEqual(["x".repeat(300)]);
  });

  it("may have a text that ends with the last page that is mapped", () => {
    const task = new FakeTask();
    const page = Buffer.alloc(PAGE);
    page.write("at the end", PAGE - 11);
    expect(copied(task, [task.place(page) + BigInt(PAGE - 11)])).toEqual(["at the end"]);
  });

  it("may have texts of 511 bytes, and none that is longer", () => {
    const task = new FakeTask();
    expect(copied(task, [task.place("x".repeat(511))])).toEqual(["x".repeat(511)]);
    for (const length of [512, 600, 2 * PAGE])
      expect(failureOf(() => copied(task, [task.place("x".repeat(length))]))).toEqual(new CallFailure(ERRNO.E2BIG));
  });

  it("is not copied if it is too long or not mapped", () => {
    const task = new FakeTask();
    expect(copyTexts(task, task.place(Buffer.alloc(PAGE)), MAX_PROBES + 1)).toBeNull();
    expect(copyTexts(task, NOWHERE, 1)).toBeNull();
    expect(copied(task, [task.place("a"), NOWHERE])).toBeUndefined();
    const unended = task.place(Buffer.alloc(PAGE, "x"));
    expect(copied(task, [unended + BigInt(PAGE - 10)])).toBeUndefined();
  });

  it("is denied if it lies on too many pages", () => {
    const task = new FakeTask();
    const addresses = Array.from({ length: 16_385 }, (_, index) => BigInt(index * PAGE) + 2n ** 40n);
    const { errno, denial } = failureOf(() => copied(task, addresses));
    expect([errno, denial?.rule]).toEqual([ERRNO.E2BIG, "too_large"]);
    expect(denial?.reason).toContain("more than the gate copies, 16384");
  });
});
