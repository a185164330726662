import { expect, it } from "vitest";
import type { SymbolDomain } from "../../../../src/prove/shared/atom.js";
import type { Condition } from "../../../../src/prove/solver/condition.js";
import { Effort } from "../../../../src/prove/solver/effort.js";
import { solve } from "../../../../src/prove/solver/solver.js";
import { findTexts } from "../../../../src/prove/solver/texts.js";

const HEX = { kind: "text", names: null, hex: 2 } as const;
const knowledge = {
  ...{ symbols: new Map<string, SymbolDomain>([["h", HEX]]), origins: new Map(), clauses: [] },
  ...{ argument: "prog", namesOf: () => [] },
};
const condition = (kind: "matches" | "starts", text: string, is: boolean): Condition => ({
  atom: { kind, of: "h", text },
  is,
});

it("ends a search that finds nothing as unknown, never as unsatisfiable", () => {
  expect(solve([condition("matches", "*", false)], knowledge)).toBe("unknown");
  const spent = new Effort();
  while (spent.spend());
  const among = [{ of: "h", among: true, texts: ["0a0b"] }];
  expect(
    findTexts(
      [],
      among,
      () => HEX,
      () => [],
      spent,
    ),
  ).toBe("unknown");
  expect(
    findTexts(
      [],
      among,
      () => HEX,
      () => [],
      new Effort(),
    ),
  ).toEqual(new Map([["h", "0a0b"]]));
});

it("refutes parts that no text of hexadecimal digits has", () => {
  expect(solve([condition("starts", "\ud83d", true)], knowledge)).toBe("unsatisfiable");
  expect(solve([condition("starts", "0a0b0", true)], knowledge)).toBe("unsatisfiable");
  expect(solve([condition("starts", "0a0b", true)], knowledge)).toMatchObject({ texts: new Map([["h", "0a0b"]]) });
});
