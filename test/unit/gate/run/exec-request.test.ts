import { describe, expect, it } from "vitest";
import { decodeExecRequest, encodeExecRequest } from "../../../../src/gate/run/exec-request.js";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("a request to the launcher", () => {
  const request = { words: [bytes("printf"), bytes(""), bytes("\xff\n")], environment: [bytes("A=\xfe"), bytes("B")] };

  it("arrives as it was sent, byte for byte", () => {
    expect(decodeExecRequest(encodeExecRequest(request))).toEqual(request);
    const without = { words: [bytes("true")], environment: [] };
    expect(decodeExecRequest(encodeExecRequest(without))).toEqual(without);
  });

  it("is null if a part is missing, or another message comes", () => {
    const message = encodeExecRequest(request);
    for (let length = 0; length < message.length; length += 1)
      expect(decodeExecRequest(message.subarray(0, length)), String(length)).toBeNull();
    expect(decodeExecRequest(Buffer.concat([message, bytes("C=D\0")]))).toBeNull();
    for (const other of ["go", "go 1 2", "stop 1 5\ntrue\0", "go -1 5\ntrue\0"])
      expect(decodeExecRequest(bytes(other))).toBeNull();
  });
});
