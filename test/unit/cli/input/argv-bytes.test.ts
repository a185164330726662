import { describe, expect, it } from "vitest";
import { argvBytes } from "../../../../src/cli/input/argv-bytes.js";

const hex = (bytes: readonly Uint8Array[]) => bytes.map((each) => Buffer.from(each).toString("hex"));
const given = (...words: readonly string[]) => words.map((word) => Buffer.from(word, "latin1"));
/** What node makes of them. */
const words = (bytes: readonly Uint8Array[]) => bytes.map((each) => Buffer.from(each).toString());

describe("words of the command line", () => {
  it("have the bytes of their characters", () => {
    const unread = () => {
      throw new Error("is not needed");
    };
    expect(hex(argvBytes(["a", "", "ü"], unread))).toEqual(["61", "", "c3bc"]);
  });

  it("have the bytes that were given where those are no UTF-8, each its own", () => {
    const all = given("node", "\xfd", "--config", "x\xff", "x\xfe", "plain", "x\xff");
    expect(hex(argvBytes(words(all.slice(4)), () => all))).toEqual(["78fe", "706c61696e", "78ff"]);
    // an option that stands among the files is left out
    expect(hex(argvBytes(words([all[1]!, all[4]!, all[6]!]), () => all))).toEqual(["fd", "78fe", "78ff"]);
  });

  it("have the bytes of the string where nothing like it was given", () => {
    expect(hex(argvBytes(["\uFFFD"], () => given("node", "a")))).toEqual(["efbfbd"]);
  });
});
