/**
 * Hunts for signatures of at most 64 KiB that cost much: elements of honest messages are repeated, made long, moved and
 * damaged. What a verification takes, and what it leaves in a record, is bounded by the message's size.
 */
import { describe, expect, it } from "vitest";
import { factsOfSigners } from "../../src/engine/decision/helpers.js";
import { MAX_EFFORT } from "../../src/trust/base/effort.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { numbers, seedOf } from "../support/damage.js";
import { type DerNode, derBytes, derChanged, derNodes, derPaths } from "../support/der-tree.js";
import { shareOf } from "../support/share.js";
import { trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const MOST = 64 * 1024;
const ROUNDS = shareOf(10_000);
const seed = seedOf();
const data = Buffer.from("instructions");

const root = Authority.create({ subject: "Root" });
const between = root.subordinate({ subject: "Between" });
const below = between.subordinate({ subject: "Below" });
const signers = [below.issue({ subject: "Signer" }), between.issue({ subject: "Second" })];
const MESSAGES = [
  signPkcs7(data, { ...signers[0]!, chain: [below.certificate, between.certificate] }),
  signPkcs7(data, { ...signers[1]!, chain: [between.certificate] }),
].map((message) => derNodes(Buffer.from(message))[0]!);

type Next = (below: number) => number;

/** Changes of one element. `room`: how many bytes the message may grow by. */
const CHANGES: readonly ((node: DerNode, next: Next, room: number) => readonly DerNode[])[] = [
  // Repeated: names, attributes, certificates, extensions, signers
  (node, next, room) => {
    const { length } = derBytes(node);
    return new Array<DerNode>(1 + next(Math.max(1, Math.min(400, Math.floor(room / length))))).fill(node);
  },
  // Long contents
  ([tag, content], next, room) =>
    content instanceof Buffer
      ? [[tag, Buffer.alloc(next(Math.max(1, room)), content.length > 0 ? content : "a")]]
      : [[tag, content]],
  // Text of characters that are escaped when it is printed
  ([tag, content], next, room) =>
    content instanceof Buffer && content.length > 0
      ? [[0x0c, Buffer.from("\u200b".repeat(next(Math.max(1, Math.floor(room / 3)))))]]
      : [[tag, content]],
  // Many different elements
  ([tag, content], next, room) =>
    Array.from({ length: 1 + next(Math.max(1, Math.min(300, room >> 6))) }, (_, index) =>
      content instanceof Buffer
        ? ([tag, Buffer.concat([content, Buffer.from([index >> 8, index & 0xff])])] as const)
        : ([tag, content] as const),
    ),
  // Nested
  (node, next) => {
    let outer = node;
    for (let depth = next(40); depth > 0; depth--) outer = [0x30, [outer]];
    return [outer];
  },
  // Gone
  ([tag]) => [[tag, Buffer.of()]],
];

function hostile(next: Next): Buffer {
  let tree = MESSAGES[next(MESSAGES.length)]!;
  for (let rounds = 1 + next(3); rounds > 0; rounds--) {
    const room = MOST - derBytes(tree).length;
    const paths = [...derPaths(tree)].filter(([path]) => path.length > 0);
    const [path] = paths[next(paths.length)]!;
    tree = derChanged(tree, path, (node) => CHANGES[next(CHANGES.length)]!(node, next, Math.floor(room / 2)));
  }
  const bytes = derBytes(tree);
  return bytes.length <= MOST ? bytes : bytes.subarray(0, MOST);
}

describe(`hostile signatures (seed ${seed}, ${ROUNDS} rounds)`, () => {
  it("take work and leave records in proportion to their size", () => {
    const next = numbers(seed);
    const keyring = trusting([root.pem.certificate]);
    const worst = { blocks: 0, record: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const signature = hostile(next);
      const { result, blocks } = worked(() => keyring.verify(data, signature, "PKCS7", Date.now()));
      const record = JSON.stringify([result.reason, result.rule, factsOfSigners(result)]).length;
      const about = `round ${round}, ${signature.length} bytes: ${result.reason}`;
      if (result.verdict === 0) continue;
      expect(result.reason.length, about).toBeLessThanOrEqual(256 + " (65536 characters)…".length);
      expect(record, about).toBeLessThan(16_384);
      expect(blocks, about).toBeLessThan(100 * MAX_EFFORT + 20 * signature.length);
      worst.blocks = Math.max(worst.blocks, blocks);
      worst.record = Math.max(worst.record, record);
    }
    // Something was found that costs more than honest messages do
    expect(worst.blocks).toBeGreaterThan(10_000);
    if (process.env.COUNTERSIGN_COMPLETE === "1")
      process.stdout.write(`worst of ${ROUNDS}: ${JSON.stringify(worst)}\n`);
  }, 600_000);
});
