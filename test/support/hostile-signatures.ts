/**
 * Hunts for signatures that cost much: elements of messages are repeated, made long, moved and damaged, inside of
 * extensions too. Those that cost most for their size, and those that leave the longest records, are changed further.
 */
import { factsOfSigners } from "../../src/engine/decision/helpers.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import type { Keyring } from "../../src/trust/keyring.js";
import type { Verification } from "../../src/trust/model/verification.js";
import { type DerNode, derBytes, derChanged, derNodes, derPaths } from "./der-tree.js";
import { METERED_LOOPS } from "./metered-loops.js";
import { trusting } from "./trust.js";

/** The most bytes of a signature. */
export const MOST = 64 * 1024;

type Next = (below: number) => number;

export interface HostileSignature {
  readonly tree: DerNode;
  readonly keyring: () => Keyring;
  readonly bytes: Buffer;
}

const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const between = root.subordinate({ subject: "Between" });
const below = between.subordinate({ subject: "Below" });
const signers = [below.issue({ subject: "Signer" }), between.issue({ subject: "Second" })];

/** Honest messages, and the short forms of those that are made to be long. */
const SEEDS: readonly HostileSignature[] = [
  signPkcs7(data, { ...signers[0]!, chain: [below.certificate, between.certificate] }),
  signPkcs7(data, { ...signers[1]!, chain: [between.certificate] }),
]
  .map((message) => ({ message, keyring: () => trusting([root.pem.certificate]) }))
  .concat(
    Object.values(METERED_LOOPS)
      .filter(({ type, content }) => type === "PKCS7" && content === undefined)
      .map(({ keyring, message }) => ({ message: message(500), keyring })),
  )
  .map(({ message, keyring }) => ({ tree: derNodes(message)[0]!, keyring, bytes: message }));

/** Changes of one element. `room`: how many bytes the message may grow by. */
const CHANGES: readonly ((node: DerNode, next: Next, room: number) => readonly DerNode[])[] = [
  // Repeated: names, attributes, certificates, extensions, signers
  (node, next, room) => {
    const { length } = derBytes(node);
    return new Array<DerNode>(1 + next(Math.max(1, Math.min(400, Math.floor(room / length))))).fill(node);
  },
  // Repeated inside of an OCTET STRING: names, policies, points
  ([tag, content], next, room) => {
    if (tag !== 0x04 || !(content instanceof Buffer) || content[0] !== 0x30) return [[tag, content]];
    const children = insideOf(content);
    if (children.length === 0) return [[tag, content]];
    const child = children[next(children.length)]!;
    const count = next(Math.max(1, Math.floor(room / derBytes(child).length)));
    return [[tag, derBytes([0x30, [...children, ...new Array<DerNode>(count).fill(child)]])]];
  },
  // Long contents
  ([tag, content], next, room) =>
    content instanceof Buffer
      ? [[tag, Buffer.alloc(next(Math.max(1, room)), content.length > 0 ? content : "a")]]
      : [[tag, content]],
  // Text of characters that are escaped when it is printed, or put in order when it is compared
  ([tag, content], next, room) =>
    content instanceof Buffer && content.length > 0
      ? [[0x0c, Buffer.from(["\u200b", "\u0344\u0327"][next(2)]!.repeat(next(Math.max(1, Math.floor(room / 4)))))]]
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

function insideOf(octets: Buffer): readonly DerNode[] {
  try {
    const [, content] = derNodes(octets)[0]!;
    return content instanceof Buffer ? [] : (content as readonly DerNode[]);
  } catch {
    return [];
  }
}

function changed({ tree: from, keyring }: HostileSignature, next: Next): HostileSignature {
  let tree = from;
  for (let rounds = 1 + next(3); rounds > 0; rounds--) {
    const room = Math.max(0, MOST - derBytes(tree).length);
    const paths = [...derPaths(tree)].filter(([path]) => path.length > 0);
    if (paths.length === 0) break;
    const [path] = paths[next(paths.length)]!;
    tree = derChanged(tree, path, (node) => CHANGES[next(CHANGES.length)]!(node, next, Math.floor(room / 2)));
  }
  const bytes = derBytes(tree);
  return { tree, keyring, bytes: bytes.length <= MOST ? bytes : bytes.subarray(0, MOST) };
}

/** Characters of what a decision's record says of a verification. */
export function recordOf(verification: Verification): number {
  return JSON.stringify([verification.reason, verification.rule, factsOfSigners(verification)]).length;
}

/** What the hunt looks for; each is a number of which more is worse. */
export type Measures = Readonly<Record<string, number>>;

/** The most that was found of each measure, with the signature that had it. */
export type Worst = Map<string, { readonly value: number; readonly signature: HostileSignature }>;

/**
 * Tries `rounds` signatures, the same ones for the same numbers as long as the measures are the same: every second is
 * a change of one that was the worst so far.
 */
export function hunt(
  rounds: number,
  next: Next,
  measure: (signature: HostileSignature, round: number) => Measures,
): Worst {
  const worst: Worst = new Map();
  for (let round = 0; round < rounds; round++) {
    const found = [...worst.values()];
    const from = next(2) === 0 && found.length > 0 ? found[next(found.length)]!.signature : SEEDS[next(SEEDS.length)]!;
    const signature = changed(from, next);
    for (const [name, value] of Object.entries(measure(signature, round)))
      if (value > (worst.get(name)?.value ?? 0)) worst.set(name, { value, signature });
  }
  return worst;
}
