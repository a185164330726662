/** Programs that a signature allows which the kernel verified. */
import { beforeAll, describe, expect, it } from "vitest";
import { guardReason } from "../../../src/seal/status/reasons.js";
import { COMMANDS } from "../../../src/seal/status.js";
import { sealedImage } from "./guard/sealed-loads.js";
import { ProgramSigner } from "./guests/program-signer.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues, loaderBinary, valueInsns } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

/** r1 = a map by its fd, which is zero in what is signed. */
const WITH_MAP = Buffer.concat([Buffer.from("18110000000000000000000000000000", "hex"), valueInsns(104)]);
/** Step 1 finds it in the list. */
const LISTED = 105;

const signers = { right: ProgramSigner.make("rsa"), ecdsa: ProgramSigner.make("ecdsa"), other: ProgramSigner.make() };
const [a, b, listed] = [valueInsns(101), valueInsns(102), valueInsns(LISTED)];
const FILES: Readonly<Record<string, Uint8Array>> = {
  ...{ a, b, listed, map: WITH_MAP, nothing: new Uint8Array(0), large: new Uint8Array(8 * 32_769) },
  "a.sig": signers.right.sign(a),
  "b.sig": signers.right.sign(b),
  "listed.sig": signers.right.sign(listed),
  "map.sig": signers.right.sign(WITH_MAP),
  "a.ecdsa": signers.ecdsa.sign(a),
  "a.sha224": signers.right.sign(a, "sha224"),
  "a.sm3": signers.right.sign(a, "sm3"),
  "a.sha1": signers.right.sign(a, "sha1"),
  "a.other": signers.other.sign(a),
  "other.der": signers.other.certificate,
};

/** Results of words of programs/load-signed.c: the name of an errno, and of the guard's reason. */
type Results = readonly string[];
interface Case {
  readonly words: string;
  readonly expected: Results;
}

const UNLISTED = "EPERM unlisted";
const CASES: Readonly<Record<string, Case>> = {
  "by the right key, again and again": { words: "bring a a.sig load a load a", expected: ["done", "loaded", "loaded"] },
  "by an ECDSA key": { words: "bring a a.ecdsa load a", expected: ["done", "loaded"] },
  "with a map": { words: "bring map map.sig load map", expected: ["done", "loaded"] },
  "of several programs": {
    words: "bring a a.sig bring b b.sig load a load b",
    expected: ["done", "done", "loaded", "loaded"],
  },
  "without any": { words: "load a", expected: [UNLISTED] },
  "by another key": { words: "bring a a.other load a", expected: ["ENOKEY signature", UNLISTED] },
  "over other bytes": { words: "bring b a.sig load b", expected: ["EKEYREJECTED signature", UNLISTED] },
  "with SHA-1": { words: "bring a a.sha1 load a", expected: ["ENOPKG signature", UNLISTED] },
  "with SHA-224": { words: "bring a a.sha224 load a", expected: ["done", "loaded"] },
  "with SHA-224, over other bytes": {
    words: "bring b a.sha224 load b",
    expected: ["EKEYREJECTED signature", UNLISTED],
  },
  "with SM3": { words: "bring a a.sm3 load a", expected: ["ENOPKG signature", UNLISTED] },
  "of another program": { words: "bring b b.sig load a", expected: ["done", UNLISTED] },
  "after exec": { words: "bring a a.sig exec load a", expected: ["done", UNLISTED] },
  "of another thread": { words: "bring a a.sig thread load a", expected: ["done", UNLISTED] },
  "brought by a user": { words: "user 1000 bring a a.sig load a", expected: ["EPERM", "EPERM"] },
  "that is none": { words: "bring a b load a", expected: ["EBADMSG signature", UNLISTED] },
  "that is empty": { words: "bring a nothing", expected: ["EBADMSG signature"] },
  "over nothing": { words: "bring nothing a.sig", expected: ["EBADMSG signature"] },
  "over too much": { words: "bring large a.sig", expected: ["E2BIG signature"] },
  "that is too long": { words: "bring a large", expected: ["E2BIG signature"] },
};
/** The kernel rejects what it does not know before it asks the guard: E2BIG. */
const SINCE_6_18: Readonly<Record<string, Case>> = {
  "in bpf_attr": { words: "attr a a.sig", expected: ["loaded"] },
  "in bpf_attr, with SHA-1": { words: "attr a a.sha1", expected: ["loaded"] },
  "in bpf_attr, with SHA-224": { words: "attr a a.sha224", expected: ["loaded"] },
  "in bpf_attr, with SM3": { words: "attr a a.sm3", expected: ["ENOPKG"] },
  "in bpf_attr, by another key": { words: "attr a a.other", expected: ["ENOKEY"] },
  "in bpf_attr, over other bytes": { words: "attr b a.sig", expected: ["EKEYREJECTED"] },
  "in bpf_attr, by a keyring of the task": { words: "own other.der a a.other", expected: [UNLISTED] },
};
/** After `seal require-signatures`. */
const REQUIRED: Readonly<Record<string, Case>> = {
  "listed, and not signed": { words: "load listed", expected: ["EPERM signature"] },
  "listed, and signed": { words: "bring listed listed.sig load listed", expected: ["done", "loaded"] },
  "signed only": { words: "bring a a.sig load a", expected: ["done", "loaded"] },
  neither: { words: "load b", expected: [UNLISTED] },
};

const ERRNO: Readonly<Record<string, string>> = {
  1: "EPERM",
  7: "E2BIG",
  22: "EINVAL",
  65: "ENOPKG",
  74: "EBADMSG",
  114: "EALREADY",
  126: "ENOKEY",
  129: "EKEYREJECTED",
};

function resultOf(line: string): string {
  const [, errno, reason] = /^errno (\d+)(?: reason (\d+))?$/.exec(line) ?? [];
  if (errno === undefined) return line;
  const name = ERRNO[errno] ?? errno;
  return reason === undefined ? name : `${name} ${guardReason(Number(reason)).name}`;
}

const part = (title: string, cases: Readonly<Record<string, Case>>) =>
  Object.entries(cases)
    .map(([name, { words }]) => `echo "PART ${title}: ${name}"; load-signed ${words}`)
    .join("\n");

/** The results of each part of the script in a sealed guest. */
function partsOn(kernel: SealKernel): ReadonlyMap<string, Results> | string {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  try {
    guest.file("bin/loader", loaderBinary(), 0o755);
    guest.file("bin/load-signed", compileProgram("load-signed"), 0o755);
    const keys = { programs: [signers.right.certificate, signers.ecdsa.certificate] };
    guest.file("lib/guard.image", sealedImage({ entries: listOfValues([LISTED]).entries, keys }));
    for (const [name, bytes] of Object.entries(FILES)) guest.file(`lib/${name}`, bytes);
    const { status, output, console } = guest.run(
      `loader /lib/guard.image > /tmp/sealed || { cat /tmp/sealed; exit 1; }
cd /lib
${part("signed", CASES)}
${part("attr", SINCE_6_18)}
echo "PART listed"; load-signed load listed
echo "PART require"; load-signed command ${COMMANDS.requireSignatures} command ${COMMANDS.requireSignatures}
${part("required", REQUIRED)}
echo "PART again"; loader /lib/guard.image | grep -o '"step":"[a-z]*"'; loader --stop | grep -o '"step":"[a-z]*"'
load-signed load listed
`,
      { seconds: 850 },
    );
    expect(status, console.slice(-3000)).toBe(0);
    const found = output.split(/^PART (.*)\n/m).slice(1);
    return new Map(
      found.flatMap((name, at) => (at % 2 === 0 ? [[name, found[at + 1]!.trim().split("\n").map(resultOf)]] : [])),
    );
  } finally {
    guest.remove();
  }
}

describe.each(testedKernels())("a program with a signature, on %s", (kernel) => {
  let parts: ReadonlyMap<string, Results> | string;
  beforeAll(() => {
    parts = partsOn(kernel);
  }, 450_000);

  it.for(Object.entries(CASES))("%s", ([name, { expected }], { skip }) => {
    if (typeof parts === "string") return skip(parts);
    expect(parts.get(`signed: ${name}`)).toEqual(expected);
  });

  it.for(Object.entries(SINCE_6_18))("%s", ([name, { expected }], { skip }) => {
    if (typeof parts === "string") return skip(parts);
    expect(parts.get(`attr: ${name}`)).toEqual(kernel === "6.12" ? ["E2BIG"] : expected);
  });

  it.for(Object.entries(REQUIRED))("once signatures are required: %s", ([name, { expected }], { skip }) => {
    if (typeof parts === "string") return skip(parts);
    expect(parts.get("listed")).toEqual(["loaded"]);
    expect(parts.get("require")).toEqual(["EALREADY", "EALREADY"]);
    expect(parts.get(`required: ${name}`)).toEqual(expected);
  });

  it("cannot be allowed again without one: the guard is neither started again nor stopped", ({ skip }) => {
    if (typeof parts === "string") return skip(parts);
    expect(parts.get("again")).toEqual(['"step":"running"', '"step":"running"', "EPERM signature"]);
  });
});
