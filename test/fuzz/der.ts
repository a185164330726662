/**
 * What the DER reader takes is written anew by an encoder that shares nothing with it: the bytes must come out as they
 * went in, or there were two encodings of one value.
 */
import { CountersignError } from "../../src/error.js";
import { Cursor, checkDer, type Element } from "../../src/trust/asn1/der.js";
import { damaged } from "../support/damage.js";
import { material } from "./material.js";
import type { FuzzTarget } from "./target.js";

type Next = (below: number) => number;

const well: readonly Buffer[] = [...material().all, ...values()];

/** Damaged certificates, CRLs and messages, and elements of every kind put together at random. */
export const target: FuzzTarget = {
  rounds: 1_000_000,
  round: (next) => check(damaged(well[next(well.length)] as Buffer, next), next),
};

function check(input: Buffer, random: Next): string {
  // Half of the inputs are made of elements, so that more than the first header is reached
  const bytes = random(2) === 0 ? input : compose(input, random, 0);
  try {
    checkDer(bytes, 0, bytes.length);
  } catch (error) {
    if (error instanceof CountersignError && error.code === "DER_MALFORMED") return "refused";
    throw error;
  }
  const written = rewrite(new Cursor(bytes, 0, bytes.length));
  if (!written.equals(bytes)) throw new Error(`accepted what is written otherwise as ${written.toString("hex")}`);
  return "accepted";
}

/** Small elements of every kind, well made and not. */
function values(): readonly Buffer[] {
  const text = [
    "020100 0201ff 020200ff 0202ff7f 02020001 0202ffff 0200 0a0101 010100 0101ff 010101 0100",
    "030100 03020780 03020781 030108 0300 0500 050100 0400 040100 06012a 06032a0301 06032a8001 06022a80 0600",
    "0c0161 0c02c3a9 0c02c328 130161 1301ff 160161 1e020061 1e0161 1c0400000061 120131 1a0161 140161",
    "170d3236303130313030303030305a 170d3236303133313030303030305a 170b323630313031303030305a 18113230323630313031303030302e305a",
    "180f32303236303130313030303030305a 181132303236303130313030303030302e355a 181232303236303130313030303030302e35305a",
    "3000 3100 3003020101 3106020101020102 3106020102020101 308103020101 3080020101000 a003020101 8000 810161 1f8100",
  ];
  return text
    .join(" ")
    .split(" ")
    .map((hex) => Buffer.from(hex, "hex"));
}

/** An element around pieces of the input and of other elements. */
function compose(input: Buffer, random: Next, depth: number): Buffer {
  const parts: Buffer[] = [];
  for (let count = random(4); count >= 0; count--) {
    const known = PIECES[random(PIECES.length)] as Buffer;
    if (random(3) === 0 && depth < 6) parts.push(compose(input, random, depth + 1));
    else parts.push(random(8) === 0 ? input.subarray(0, random(64)) : known);
  }
  const contents = Buffer.concat(parts);
  return Buffer.concat([
    Buffer.of(TAGS[random(TAGS.length)] as number),
    header(contents.length, random(16) === 0),
    contents,
  ]);
}

const PIECES = values();
const TAGS = [0x30, 0x30, 0x31, 0xa0, 0xa1, 0x24, 0x80] as const;

/** A length as DER has it, or one octet longer. */
function header(length: number, padded: boolean): Buffer {
  if (length < 0x80 && !padded) return Buffer.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  if (padded) octets.unshift(0);
  return Buffer.of(0x80 | octets.length, ...octets);
}

/** Canonical DER of what was read, from its values. */
function rewrite(cursor: Cursor): Buffer {
  const parts: Buffer[] = [];
  while (!cursor.done) {
    const element = cursor.next();
    const contents = (element.tag & 0x20) !== 0 ? rewriteInside(element) : value(element);
    parts.push(Buffer.of(element.tag), header(contents.length, false), contents);
  }
  return Buffer.concat(parts);
}

function rewriteInside(element: Element): Buffer {
  const inside = element.open();
  if (element.tag !== 0x31) return rewrite(inside);
  const members: Buffer[] = [];
  while (!inside.done) {
    const { whole } = inside.next();
    members.push(rewrite(new Cursor(whole, 0, whole.length)));
  }
  return Buffer.concat(members.sort(Buffer.compare));
}

function value({ tag, contents }: Element): Buffer {
  if (tag >= 0x80) return contents;
  if (tag === 0x01) return Buffer.of(contents.some((octet) => octet !== 0) ? 0xff : 0);
  if (tag === 0x02 || tag === 0x0a) return twosComplement(contents);
  if (tag === 0x03) return bits(contents);
  if (tag === 0x05) return Buffer.alloc(0);
  if (tag === 0x06) return identifier(contents);
  if (tag === 0x0c) return Buffer.from(new TextDecoder("utf-8", { ignoreBOM: true }).decode(contents));
  if (tag === 0x17 || tag === 0x18) return time(contents.toString("latin1"), tag === 0x17 ? 2 : 4);
  return contents;
}

function twosComplement(contents: Buffer): Buffer {
  let number = BigInt.asIntN(contents.length * 8, BigInt(`0x${contents.toString("hex")}`));
  const octets: number[] = [];
  for (;;) {
    octets.unshift(Number(BigInt.asUintN(8, number)));
    const sign = ((octets[0] as number) & 0x80) !== 0;
    number >>= 8n;
    if ((number === 0n && !sign) || (number === -1n && sign)) return Buffer.from(octets);
  }
}

function bits(contents: Buffer): Buffer {
  const text = [...contents.subarray(1)].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const used = text.slice(0, text.length - (contents[0] as number));
  const whole = used.padEnd(Math.ceil(used.length / 8) * 8, "0");
  const octets = whole.match(/.{8}/g) ?? [];
  return Buffer.of(whole.length - used.length, ...octets.map((octet) => Number.parseInt(octet, 2)));
}

function identifier(contents: Buffer): Buffer {
  const parts: bigint[] = [];
  let part = 0n;
  for (const octet of contents) {
    part = part * 128n + BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    parts.push(part);
    part = 0n;
  }
  const octets = parts.flatMap((number) => {
    const digits: number[] = [];
    for (let rest = number; digits.length === 0 || rest > 0n; rest /= 128n)
      digits.unshift(Number(rest % 128n) | (digits.length > 0 ? 0x80 : 0));
    return digits;
  });
  return Buffer.from(octets);
}

/** Through a Date and back; a fraction is kept as the number that it is. */
function time(text: string, yearDigits: 2 | 4): Buffer {
  const [, year = "", rest = "", fraction] = /^(\d{2,4})(\d{10})(?:\.(\d+))?Z$/.exec(text) ?? [];
  const full = yearDigits === 2 ? `${Number(year) < 50 ? "20" : "19"}${year}` : year;
  const [, month, day, hour, minute, second] = /^(..)(..)(..)(..)(..)$/.exec(rest) ?? [];
  const date = new Date(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const digits = date.toISOString().replace(/[-:T]|\.\d+Z/g, "");
  const behind = fraction === undefined ? "" : String(Number(`0.${fraction}`)).slice(1);
  return Buffer.from(`${digits.slice(4 - yearDigits)}${behind}Z`, "latin1");
}
