import { describe, expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";

describe("an error", () => {
  it("is one line with the place, the code and the remedy", () => {
    const error = new CountersignError("ELF_MALFORMED", "section 3 ends at 900, past the file's 512 bytes", {
      place: "a.o: section .maps",
      remedy: "compile the object again",
    });
    expect(error.toString()).toBe(
      "a.o: section .maps: section 3 ends at 900, past the file's 512 bytes [ELF_MALFORMED]; compile the object again",
    );
  });

  it("cannot be made to print a second line or move the cursor by a file's name", () => {
    const error = new CountersignError("FILE_UNREADABLE", "`a\nallowed\u001b[2J`", { place: "b\r\nc\u2028d" });
    expect(error.toString()).toMatch(/^[ -~]+$/);
  });

  it("keeps code, remedy and cause when an outer place is added", () => {
    const cause = new Error("inner");
    const inner = new CountersignError("BTF_MALFORMED", "type 7 is missing", {
      place: ".BTF",
      remedy: "strip it",
      cause,
    });
    const outer = inner.within("a.o");
    expect([outer.code, outer.place, outer.remedy, outer.cause]).toEqual([
      "BTF_MALFORMED",
      "a.o: .BTF",
      "strip it",
      cause,
    ]);
  });
});
