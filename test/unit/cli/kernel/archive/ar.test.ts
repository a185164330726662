import { describe, expect, it } from "vitest";
import { isAr, memberOf } from "../../../../../src/cli/kernel/archive/ar.js";
import { MemorySource } from "../../../../../src/cli/kernel/source/byte-source.js";
import { arOf } from "../../../../support/kernel-files.js";

const archive = arOf({ odd: Buffer.from("abc"), "data.tar": Buffer.from("contents") });
const find = (bytes: Uint8Array, name: string) => memberOf(new MemorySource("a.deb", bytes), (each) => each === name);

describe("memberOf", () => {
  it("finds a member after one of odd size", () => {
    const member = find(archive, "data.tar");
    expect([member?.place, member?.size]).toEqual(["a.deb: data.tar", 8]);
    expect(Buffer.from(member!.read(2, 3)).toString()).toBe("nte");
  });

  it("returns null if there is none of the name", () => expect(find(archive, "control.tar")).toBe(null));

  it("reads GNU's names, which end in a slash", () => {
    const gnu = Buffer.from(archive.toString("latin1").replace("data.tar ", "data.tar/"), "latin1");
    expect(find(gnu, "data.tar")?.size).toBe(8);
  });

  it("tells an archive by its first bytes", () => {
    expect([isAr(archive), isAr(archive.subarray(0, 7)), isAr(Buffer.from("!<thin>\n"))]).toEqual([true, false, false]);
  });
});
