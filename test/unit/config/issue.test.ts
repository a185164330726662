import { describe, expect, it } from "vitest";
import * as z from "zod";
import { Document } from "../../../src/config/document.js";
import { validated } from "../../../src/config/issue.js";

const SCHEMA = z.strictObject({
  mode: z.enum(["audit", "enforce"]),
  steps: z.int().min(1).max(9),
  path: z.string(),
  list: z.array(z.string()).optional(),
  ruled: z.string({ error: "is not a path; write it as `a/b`" }).optional(),
  kind: z.enum(["a", "b"], { error: "is not a kind; take `a`" }).optional(),
});
const RIGHT = { mode: "audit", steps: 1, path: "p" };

/** Each mistake, and what is said about it. */
const MISTAKES: readonly (readonly [given: Readonly<Record<string, unknown>>, message: string])[] = [
  [{ ...RIGHT, mode: undefined }, "`mode` is missing"],
  [{ ...RIGHT, path: undefined }, "`path` is missing"],
  [{ ...RIGHT, mode: "adit" }, "`adit` is not `audit` or `enforce` (did you mean `audit`?)"],
  [{ ...RIGHT, path: 5 }, "`path` should be text, not a number (`5`)"],
  [{ ...RIGHT, list: "x" }, "`list` should be a list, not text (`x`)"],
  [{ ...RIGHT, ruled: 5 }, "`ruled` is not a path"],
  [{ ...RIGHT, kind: "c" }, "`c` is not a kind (did you mean `a`?)"],
  [{ ...RIGHT, steps: 0 }, "`steps` is 0, less than the least, 1"],
  [{ ...RIGHT, steps: 10 }, "`steps` is 10, more than the most, 9"],
  [{ ...RIGHT, pth: "p" }, "unknown key `pth` (did you mean `path`?)"],
];

describe("what is said about a mistake in a document", () => {
  it.each(MISTAKES)("%j", (given, message) => {
    const text = JSON.stringify(given);
    let said = "";
    try {
      validated(new Document("c.yaml", text, "CONFIG_INVALID"), SCHEMA);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toContain(message);
  });
});
