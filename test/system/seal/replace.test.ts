import { describe, expect, it } from "vitest";
import { CLASSES_SIZE, type GuardClasses, NO_CLASSES } from "../../../src/seal/classes/class-table.js";
import { HEADER, HEADER_SIZE } from "../../../src/seal/list/list-header.js";
import { encodeList, NO_FILES, parseList, signedPart } from "../../../src/seal/list.js";
import { type SealOptions, sealImage } from "../../../src/seal/sealing.js";
import { TrustedKey } from "../../../src/seal/trusted-key.js";
import { hash } from "../../../src/trust/base/digest.js";
import { Authority, type Issued } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { kernelBtfOf } from "./guests/kernel-btf.js";
import { ProgramSigner } from "./guests/program-signer.js";
import { SealGuest } from "./guests/seal-guest.js";
import { compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const NIGHTLY = process.env.COUNTERSIGN_NIGHTLY !== undefined;
/** Lists that two processes give the guard at the same time, after the others. */
const RACED = { first: 100, last: NIGHTLY ? 199 : 115 };
const CHANGES = NIGHTLY ? 200 : 20;

const signer = Authority.create({ subject: "Signer", key: "rsa-2048", keyUsage: [0] });
const other = Authority.create({ subject: "Other", key: "rsa-2048", keyUsage: [0] });

/** The bytes of a list with the programs of these values. */
function listFile(
  values: readonly number[],
  generation: number,
  kernelBtf: string,
  { files = NO_FILES, classes = NO_CLASSES }: Rules = {},
): Buffer {
  const { entries, header } = listOfValues(values);
  return encodeList(entries, { ...header, generation: BigInt(generation), kernelBtf, files }, classes);
}

/** What a new list cannot change. */
interface Rules {
  readonly files?: string;
  readonly classes?: GuardClasses;
}

/** Each step in the order in which a guest runs it: what is done, and what it prints. */
interface Step {
  readonly run: string;
  readonly expected: string;
}

class Steps {
  readonly files = new Map<string, Uint8Array>();
  readonly steps: (Step & { readonly title: string })[] = [];

  constructor(private readonly kernelBtf: string) {}

  add(title: string, run: string, expected: string): void {
    this.steps.push({ title, run, expected });
  }

  /** A list is given as file `title`, after `change` of its bytes or of its signature. */
  give(
    title: string,
    expected: string,
    {
      values = [2],
      generation = 2,
      by = signer,
      kernelBtf = this.kernelBtf,
      how = "replace-list give",
      change = (_list: Buffer) => {},
      signature = (signed: Buffer, _header: Uint8Array): Uint8Array => signed,
      ...rules
    }: Rules & {
      values?: readonly number[];
      generation?: number;
      by?: Pick<Issued, "key" | "certificate">;
      kernelBtf?: string;
      how?: string;
      change?: (list: Buffer) => void;
      signature?: (signed: Buffer, header: Uint8Array) => Uint8Array;
    } = {},
  ): void {
    const name = title.replaceAll(" ", "-");
    const list = listFile(values, generation, kernelBtf, rules);
    const signed = signature(signPkcs7(signedPart(list), by), signedPart(list));
    change(list);
    this.files.set(name, list);
    this.files.set(`${name}.p7s`, signed);
    const [command, ...more] = how.split(" # ");
    this.add(title, [command, `/lib/${name} /lib/${name}.p7s`, ...more].join(" "), expected);
  }

  get script(): string {
    return this.steps.map(({ run, title }) => `echo "PART ${title}"; ${run}`).join("\n");
  }
}

/** What the guard says of the list in force. */
function inForce(values: readonly number[], generation: number, rejected: number, kernelBtf: string): string {
  const sha256 = hash("sha256", listFile(values, generation, kernelBtf));
  return `generation ${generation}, ${values.length} entries, ${rejected} rejected, ${sha256}`;
}

function stepsFor(kernelBtf: string): Steps {
  const steps = new Steps(kernelBtf);
  const loads = (title: string, expected: readonly [string, string]) =>
    steps.add(title, "load-value 1 2", `program 1: ${expected[0]}\nprogram 2: ${expected[1]}`);
  loads("loads by the first list", ["loaded", "EPERM"]);
  steps.give("a list of another key", "ENOKEY", { by: other });
  steps.give("no signature", "EBADMSG", { signature: () => new Uint8Array(0) });
  steps.give("a signature that is cut short", "EBADMSG", { signature: (signed) => signed.subarray(0, -1) });
  steps.give("a signature with SHA-1", "ENOPKG", {
    signature: (_, signed) => ProgramSigner.of(signer.pem).sign(signed, "sha1"),
  });
  steps.give("a signature over another list", "EKEYREJECTED", {
    change: flipped(HEADER.configuration, 1),
  });
  steps.give("the same generation", "ESTALE", { generation: 1 });
  steps.give("an older generation", "ESTALE", { generation: 0 });
  steps.give("another kernel", "EXDEV", { kernelBtf: "11".repeat(32) });
  steps.give("a list for any kernel", "EXDEV", { kernelBtf: "00".repeat(32) });
  steps.give("another version", "EBADMSG", { change: flipped(HEADER.version, 2) });
  steps.give("no list", "EBADMSG", { change: (list) => list.fill(0) });
  steps.give("other classes", "EDOM", { classes: { ...NO_CLASSES, mask: { types: [1], helpers: [] } } });
  steps.give("another list of files", "EDOM", { files: "11".repeat(32) });
  steps.give("a changed entry", "EILSEQ", { change: flipped(HEADER_SIZE, 1) });
  steps.give("a changed class", "EILSEQ", { change: flipped(-1, 1) });
  steps.give("a changed record", "EILSEQ", { change: flipped(-1 - CLASSES_SIZE, 1) });
  steps.give("more entries than there is room for", "E2BIG", {
    change: (list) => void list.writeUInt32LE(1 << 20, HEADER.entries),
  });
  steps.give("another number of entries", "EBADMSG", { change: (list) => void list.writeUInt32LE(2, HEADER.entries) });
  steps.give("a list that is cut short", "EFAULT", { how: "replace-list cut", values: range(1000, 1200) });
  steps.give("a user", "EPERM", { how: "as-user replace-list give" });
  steps.give("root without CAP_SYS_ADMIN", "EPERM", { how: "replace-list powerless" });
  loads("loads after all of them", ["loaded", "EPERM"]);
  steps.add("status after all of them", "replace-list status", inForce([1], 1, 19, kernelBtf));
  steps.give("a new list", "EALREADY");
  loads("loads by the new list", ["EPERM", "loaded"]);
  steps.add("status of the new list", "replace-list status", inForce([2], 2, 19, kernelBtf));
  steps.give("the first list again", "ESTALE", { values: [1], generation: 1 });
  steps.give("a list of nothing", "EALREADY", { values: [], generation: 3 });
  loads("loads by a list of nothing", ["EPERM", "EPERM"]);
  steps.give("a long list", "EALREADY", { values: range(1, 2000), generation: 4 });
  loads("loads by a long list", ["loaded", "loaded"]);
  steps.give("a list that a thread changes", "as signed", {
    how: `replace-list change # ${CHANGES}`,
    values: range(1, 2000),
    generation: 5,
  });
  steps.give("a list while another waits", "EBUSY\nprogram 1: loaded\nEILSEQ", {
    how: "replace-list hold # 1",
    values: range(2, 2000),
    generation: 6,
  });
  loads("loads after one that waited", ["loaded", "loaded"]);
  for (let number = RACED.first; number <= RACED.last; number++) {
    const list = listFile(number % 2 === 0 ? [1] : [2, ...range(10, 200)], number, kernelBtf);
    steps.files.set(`raced.${number}`, list);
    steps.files.set(`raced.${number}.p7s`, signPkcs7(signedPart(list), signer));
  }
  const race = `replace-list race /lib/raced ${RACED.first} ${RACED.last}`;
  steps.add("two writers", race, "race: done, 0 loads of what no list has");
  loads("loads after two writers", ["EPERM", "loaded"]);
  return steps;
}

/** Flips bits of one byte; of the last one at -1, of the last one of the records at -1 - CLASSES_SIZE. */
function flipped(at: number, bits: number): (list: Buffer) => void {
  return (list) => {
    const index = at < 0 ? list.length + at : at;
    list.writeUInt8(list.readUInt8(index) ^ bits, index);
  };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function optionsFor(kernelBtf: string, more: Partial<SealOptions> = {}): SealOptions {
  const trustedKey = new TrustedKey({ path: "signer.pem", bytes: Buffer.from(signer.pem.certificate) });
  return { mode: "enforce", list: parseList(listFile([1], 1, kernelBtf)), trustedKey, ...more };
}

function fill(guest: SealGuest, steps: Steps): void {
  guest.file("bin/loader", loaderBinary(), 0o755);
  for (const name of ["load-value", "as-user", "replace-list"]) guest.file(`bin/${name}`, compileProgram(name), 0o755);
  for (const [name, bytes] of steps.files) guest.file(`lib/${name}`, bytes);
}

function partsOf(output: string): readonly (readonly [string, string])[] {
  const found = output.split(/^PART (.*)\n/m).slice(1);
  return found.flatMap((title, at) => (at % 2 === 0 ? [[title, found[at + 1]!.trim()] as const] : []));
}

describe("a new list under a seal", () => {
  it.for(testedKernels())(
    "%s: replaces the one in force if the trusted key signed it, and only then",
    async (kernel, { skip }) => {
      const guest = SealGuest.make(kernel);
      if (typeof guest === "string") return skip(guest);
      const kernelBtf = await kernelBtfOf(guest);
      const steps = stepsFor(kernelBtf);
      fill(guest, steps);
      guest.file("lib/guard.image", sealImage(optionsFor(kernelBtf)));
      const ran = guest.run(`loader /lib/guard.image\n${steps.script}`, { seconds: 850 });
      guest.remove();
      const expected = steps.steps.map(({ title, expected: text }) => [title, text]);
      expect(partsOf(ran.output), ran.console.slice(-2000)).toEqual(expected);
    },
  );

  it("is not taken before the seal, under audit, or without a trusted key", async ({ skip }) => {
    const guest = SealGuest.make(testedKernels()[0]!);
    if (typeof guest === "string") return skip(guest);
    const kernelBtf = await kernelBtfOf(guest);
    const steps = new Steps(kernelBtf);
    steps.give("without a guard", "EINVAL");
    steps.add("audit", "loader /lib/audit.image > /dev/null", "");
    steps.give("under audit", "EPERM");
    steps.add("seal", "loader --stop > /dev/null; sleep 1; loader /lib/guard.image > /dev/null", "");
    steps.give("without a trusted key", "EOPNOTSUPP");
    steps.add("loads", "load-value 1 2", "program 1: loaded\nprogram 2: EPERM");
    fill(guest, steps);
    guest.file("lib/audit.image", sealImage(optionsFor(kernelBtf, { mode: "audit" })));
    guest.file("lib/guard.image", sealImage(optionsFor(kernelBtf, { trustedKey: null })));
    const ran = guest.run(steps.script, { seconds: 850 });
    guest.remove();
    const expected = steps.steps.map(({ title, expected: text }) => [title, text]);
    expect(partsOf(ran.output), ran.console.slice(-2000)).toEqual(expected);
  });
});
