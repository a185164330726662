import { describe, expect, it } from "vitest";
import { orderMessage, readOrder } from "../../../../src/gate/run/order.js";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("an order to the launcher", () => {
  const order = { words: [bytes("printf"), bytes(""), bytes("\xff\n")], environment: [bytes("A=\xfe"), bytes("B")] };

  it("arrives as it was sent, byte for byte", () => {
    expect(readOrder(orderMessage(order))).toEqual(order);
    const without = { words: [bytes("true")], environment: [] };
    expect(readOrder(orderMessage(without))).toEqual(without);
  });

  it("is none where any of it is missing, or something else comes", () => {
    const message = orderMessage(order);
    for (let length = 0; length < message.length; length += 1)
      expect(readOrder(message.subarray(0, length)), String(length)).toBeNull();
    expect(readOrder(Buffer.concat([message, bytes("C=D\0")]))).toBeNull();
    for (const other of ["go", "go 1 2", "stop 1 5\ntrue\0", "go -1 5\ntrue\0"])
      expect(readOrder(bytes(other))).toBeNull();
  });
});
