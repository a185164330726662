/**
 * Bundles of Sigstore, damaged as text and as JSON: no crash, no errno but those of the list, and never good for other
 * data.
 */
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { ERRNO, verdictName } from "../../src/errno.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { shareOf } from "../support/share.js";
import { Sigstore } from "../support/sigstore.js";
import { file, trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const SIGNED = Date.UTC(2026, 0, 1) / 1000;
const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");
const me = { subject: "release@example.org", issuer: "https://accounts.example.org" };
const sigstore = new Sigstore();
const keyring = trusting([], {
  sigstore: { root: file("root.json", JSON.stringify(sigstore.root)), identities: [me] },
});
const claims = { data, at: SIGNED + 60, by: sigstore.certificate(me, SIGNED) };
const REFUSALS = ["EBADMSG", "EKEYREJECTED", "ENOKEY", "ENOPKG"].map((name) => -ERRNO[name as keyof typeof ERRNO]);
const ROUNDS = shareOf(2_000);

const judge = (text: Uint8Array, over = data): number => keyring.verify(over, text, "SIGSTORE", NOW).verdict;

describe("a damaged bundle of Sigstore", () => {
  const seed = seedOf();

  it(`as text (seed ${seed})`, { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const text = Buffer.from(JSON.stringify(sigstore.bundle(claims)));
    for (let round = 0; round < ROUNDS; round++) check(damaged(text, next), round);
  });

  it(`as JSON: values left out, of another type, or exchanged (seed ${seed})`, { tags: ["deep"] }, () => {
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const bundle = sigstore.bundle(claims);
      const places = placesOf(bundle);
      for (let change = next(3); change >= 0; change--) {
        const [holder, key] = places[next(places.length)] as [Record<string, unknown>, string];
        const [other, from] = places[next(places.length)] as [Record<string, unknown>, string];
        const values = [undefined, null, "", "AAAA", 0, -1, 1e300, [], {}, "9".repeat(400), other[from]];
        holder[key] = values[next(values.length)];
      }
      let text: string;
      try {
        text = JSON.stringify(bundle);
      } catch {
        continue; // a value was put inside itself
      }
      check(Buffer.from(text), round);
    }
  });

  function check(text: Buffer, round: number): void {
    const verdict = judge(text);
    if (verdict !== 0 && !REFUSALS.includes(verdict))
      expect.fail(`seed ${seed}, round ${round}: ${verdictName(verdict)} for ${text.toString("latin1")}`);
    if (judge(text, Buffer.from("other")) === 0) expect.fail(`seed ${seed}, round ${round}: good for other data`);
  }
});

it("a checkpoint whose signer's name is a slow regular expression is refused at once", () => {
  for (const checkpointName of ["(.+)+(.+)+(.+)+X", ".*", "((((((.*)*)*)*)*)*)*$", "["])
    expect(judge(Buffer.from(JSON.stringify(sigstore.bundle({ ...claims, checkpointName }))))).toBe(-ERRNO.EBADMSG);
});

it("deep nesting, endless lists and numbers too large are refused at once", () => {
  const text = JSON.stringify(sigstore.bundle(claims));
  const nested = text.replace('"tlogEntries":[', `"tlogEntries":[${"[".repeat(50_000)}${"]".repeat(50_000)},`);
  const long = text.replace('"tlogEntries":[', `"tlogEntries":[${"{},".repeat(100_000)}`);
  const huge = text
    .replace('"treeSize":"2"', `"treeSize":"${"9".repeat(100_000)}"`)
    .replace("\\n2\\n", `\\n${"9".repeat(1_000)}\\n`);
  for (const bad of [nested, long, huge]) {
    const { result, blocks } = worked(() => judge(Buffer.from(bad)));
    expect(REFUSALS).toContain(result);
    // the bundled library of Sigstore looks at each entry of a list: 4 to 7 blocks for each byte
    expect(blocks).toBeLessThan(5000 + 10 * bad.length);
  }
});

/** Every value in a tree, by what holds it. */
function placesOf(tree: unknown): [Record<string, unknown>, string][] {
  if (typeof tree !== "object" || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) => [
    [tree as Record<string, unknown>, key] as [Record<string, unknown>, string],
    ...placesOf(value),
  ]);
}
