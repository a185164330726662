import { expect, it } from "vitest";
import { comparesAsNumber } from "../../../../src/prove/texts/numeric-text.js";

it.each([
  ["20", ">= 20", true],
  ["19", ">= 20", false],
  [" 0x15 ", "> 20", true],
  ["", "<= 0", true],
  ["", "< 0", false],
  ["Infinity", "> 1e+300", true],
  ["-Infinity", "< 0.5", true],
  ["x", "< 20", false],
  ["x", ">= 20", false],
  ["1e3", "<= 1000", true],
])("%j %s: %s", (text, comparison, is) => expect(comparesAsNumber(text, comparison)).toBe(is));
