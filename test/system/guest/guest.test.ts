import { expect, it } from "vitest";
import { SealGuest } from "../seal/guests/seal-guest.js";

/** More than the driver of the console has a buffer for. */
const LINES = 400;
const SCRIPT = `
text=${"x".repeat(100)}
for number in $(seq ${LINES}); do echo "$number $text"; done
`;

it("has all that a script wrote until the guest powered off, and the script's status", ({ skip }) => {
  const guest = SealGuest.make("6.12");
  if (typeof guest === "string") return skip(guest);
  try {
    const { status, output, console } = guest.run(SCRIPT);
    expect(status, console.slice(-1000)).toBe(0);
    const numbers = output.split("\n").flatMap((line) => (line === "" ? [] : [Number(line.split(" ")[0])]));
    expect(numbers).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
  } finally {
    guest.remove();
  }
});
