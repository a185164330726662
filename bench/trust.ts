import { createPublicKey, type KeyObject, verify } from "node:crypto";
import * as pkijs from "pkijs";
import { element } from "../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../src/trust/asn1/oid.js";
import { writePem } from "../src/trust/asn1/pem.js";
import { TAG } from "../src/trust/asn1/tag.js";
import { MAX_EFFORT } from "../src/trust/base/effort.js";
import { readSignedData } from "../src/trust/cms/cms.js";
import { Authority, extension, type KeyKind } from "../src/trust/issuing/authority.js";
import { type SigningIdentity, signKernel, signPkcs7 } from "../src/trust/issuing/sign-cms.js";
import { type Keyring, openKeyring } from "../src/trust/keyring.js";
import type { Certificate } from "../src/trust/x509/certificate.js";
import { COSTLY_MESSAGES } from "../test/support/costly-messages.js";
import { numbers } from "../test/support/damage.js";
import { type HostileSignature, hunt, recordOf } from "../test/support/hostile-signatures.js";
import { METERED_LOOPS } from "../test/support/metered-loops.js";
import { spending } from "../test/support/spent-effort.js";
import type { Figure, Row } from "./row.js";

export const title = "Signatures";

/** A small program's instructions. */
const SIZE = 800;
/** More than a keyring remembers, so that each is new again when its turn comes. */
const UNSEEN = 5_000;
/** More than a keyring keeps of the certificates that signatures carry. */
const STRANGERS = 2_500;
const NOW = Date.now();
const KINDS: readonly (readonly [kind: KeyKind, name: string])[] = [
  ["rsa-2048", "RSA-2048"],
  ["p-256", "P-256"],
];

export async function rows(): Promise<(Row | Figure)[]> {
  const all: (Row | Figure)[] = [];
  for (const [kind, name] of KINDS) {
    const root = Authority.create({ subject: "Root", key: kind });
    const signer = root.issue({ subject: "Signer", key: kind });
    all.push(...unseen(name, root, signer), ...unseenCertificate(name, root, signer), ...sizes(name, root, signer));
    all.push(seen(name, root, signer), await pkijsFigure(name, root, signer));
  }
  all.push(await worstMessage(), ...fuzzed(), worstLoop(), largeList());
  return all;
}

/**
 * Each kind of message that is made to take long, new to its keyring: the slowest kind, by the best of some tries at
 * it.
 */
async function worstMessage(): Promise<Figure> {
  let worst = { name: "", time: 0 };
  for (const [name, make] of Object.entries(COSTLY_MESSAGES)) {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < TRIES; round++) {
      const { keyring, data, message } = await make();
      const judge = keyring();
      const start = performance.now();
      judge.verify(data, message, "PKCS7", NOW);
      best = Math.min(best, performance.now() - start);
    }
    if (best > worst.time) worst = { name, time: best };
  }
  return { name: "the worst message of 256 KiB", figure: worst.time, unit: "ms", limit: 20, note: worst.name };
}

const TRIES = 5;
/** Below this, what has no loop takes most of the time. */
const MANY_UNITS = 1_000;

/** How long a new keyring takes to judge a signature, by the best of some tries, and the units that it charges. */
function judged({ keyring, bytes }: Pick<HostileSignature, "keyring" | "bytes">, tries: number) {
  const data = Buffer.from("instructions");
  let time = Number.POSITIVE_INFINITY;
  let { result, units } = { result: null as ReturnType<Keyring["verify"]> | null, units: 0 };
  for (let round = 0; round < tries; round++) {
    const judge = keyring();
    const start = performance.now();
    ({ result, units } = spending(() => judge.verify(data, bytes, "PKCS7", NOW)));
    time = Math.min(time, performance.now() - start);
  }
  return { time, units: Math.min(units, MAX_EFFORT), record: recordOf(result!) };
}

/** The worst of 10,000 signatures of at most 64 KiB that are hunted for what they cost. */
function fuzzed(): Figure[] {
  const worst = hunt(10_000, numbers(1), (signature) => {
    const { time, units, record } = judged(signature, 1);
    return { time, units, record, ratio: units < MANY_UNITS ? 0 : time / units };
  });
  const again = (measure: string) => judged(worst.get(measure)!.signature, TRIES);
  const name = "the worst of 10,000 fuzzed signatures of 64 KiB";
  const { time, units, ratio } = { time: again("time"), units: again("units"), ratio: again("ratio") };
  return [
    { name, figure: time.time, unit: "ms", limit: 20, note: `${Math.round(time.units)} units` },
    {
      name: `${name}, in units`,
      figure: units.units,
      unit: "units",
      limit: MAX_EFFORT,
      note: `${units.time.toFixed(2)} ms`,
    },
    {
      name: `${name}, for a unit, of those of ${MANY_UNITS} and more`,
      figure: (1_000 * ratio.time) / ratio.units,
      unit: "µs",
      limit: 4,
      note: `${ratio.time.toFixed(2)} ms, ${Math.round(ratio.units)} units`,
    },
    { name: `${name}: its record`, figure: worst.get("record")!.value, unit: "characters", limit: 16_384, note: "" },
  ];
}

/** The loop whose length a message chooses that takes longest for the effort it is charged. */
function worstLoop(): Figure {
  let worst = { name: "", ratio: 0, time: 0, units: 0 };
  for (const [name, { keyring, data, content, message, type }] of Object.entries(METERED_LOOPS)) {
    const bytes = message(60_000);
    const over = content?.(60_000) ?? data;
    let time = Number.POSITIVE_INFINITY;
    let units = 0;
    for (let round = 0; round < TRIES; round++) {
      const judge = keyring();
      const start = performance.now();
      units = Math.min(spending(() => judge.verify(over, bytes, type, NOW)).units, MAX_EFFORT);
      time = Math.min(time, performance.now() - start);
    }
    if (units >= MANY_UNITS && time / units > worst.ratio) worst = { name, ratio: time / units, time, units };
  }
  const note = `${worst.name}; ${worst.time.toFixed(2)} ms, ${Math.round(worst.units)} units`;
  return {
    name: "the slowest of all loops that are metered, for a unit",
    figure: 1_000 * worst.ratio,
    unit: "µs",
    limit: 4,
    note,
  };
}

/**
 * A keyring with a revocation list as a large authority has it, each entry with a reason, from its files to being open.
 */
function largeList(): Figure {
  const root = Authority.create({ subject: "Root" });
  const extensions = [extension(EXTENSION.crlReason, element(TAG.enumerated, Buffer.of(1)))];
  const entries = Array.from({ length: 100_000 }, (_, index) => ({ serial: (4n << 124n) + BigInt(index), extensions }));
  const bytes = Buffer.from(writePem("X509 CRL", root.revocationList({ entries })));
  const times = Array.from({ length: TRIES }, () => {
    const start = performance.now();
    openKeyring("bench", {
      trust: [{ path: "bench", bytes: Buffer.from(pem(root.certificate)) }],
      revoked: { crls: [{ path: "list", bytes }], certificates: [], digests: [] },
      usage: ["codeSigning"],
      validity: "now",
    });
    return performance.now() - start;
  });
  return {
    name: "a list of 100,000 entries, until the keyring is open",
    figure: Math.min(...times),
    unit: "ms",
    limit: 500,
  };
}

/** Data, a signature over it, and what OpenSSL would be given to verify it. */
interface Sample {
  readonly data: Buffer;
  readonly signature: Buffer;
  readonly signed: Uint8Array;
  readonly value: Buffer;
}

function sample(index: number, sign: (data: Buffer) => Buffer): Sample {
  const data = Buffer.alloc(SIZE, index);
  data.writeUInt32LE(index);
  const signature = sign(data);
  const [info] = readSignedData(signature).signers;
  if (info === undefined) throw new Error("a signature without a signer");
  return { data, signature, signed: info.signedAttributes?.signedBytes ?? data, value: info.signature };
}

const samples = (count: number, sign: (data: Buffer, index: number) => Buffer): readonly Sample[] =>
  Array.from({ length: count }, (_, index) => sample(index, (data) => sign(data, index)));

/** Goes round and round. */
function cycle<T>(list: readonly T[]): () => T {
  let index = 0;
  return () => list[index++ % list.length] as T;
}

function keyringOf(...certificates: readonly Certificate[]): Keyring {
  return openKeyring("bench", {
    trust: [{ path: "bench", bytes: Buffer.from(certificates.map(pem).join("")) }],
    revoked: { crls: [], certificates: [], digests: [] },
    usage: ["codeSigning"],
    validity: "now",
  });
}

const pem = ({ der }: Certificate): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;

const keyOf = ({ publicKey }: Certificate): KeyObject =>
  createPublicKey({ key: publicKey.spki.whole, format: "der", type: "spki" });

function good(keyring: Keyring, { data, signature }: Sample): void {
  if (keyring.verify(data, signature, "PKCS7", NOW).verdict !== 0) throw new Error("a good signature is rejected");
}

function unseen(name: string, root: Authority, signer: SigningIdentity): Row[] {
  const key = keyOf(signer.certificate);
  const attributed = samples(UNSEEN, (data) => signPkcs7(data, signer));
  const kernel = samples(UNSEEN, (data) => signKernel(data, signer));
  const byRoot = keyringOf(root.certificate);
  const direct = keyringOf(signer.certificate);
  const [one, two, three, four] = [cycle(attributed), cycle(attributed), cycle(kernel), cycle(kernel)];
  const bare = (next: () => Sample) => () => {
    const { signed, value } = next();
    return verify("sha256", signed, key, value);
  };
  return [
    { name: `${name}: node:crypto alone, over signed attributes`, run: bare(one) },
    {
      name: `${name}: verify_signature, not seen before, its certificate seen, chain of two`,
      run: () => good(byRoot, two()),
      asked: [{ of: `${name}: node:crypto alone, over signed attributes`, atMost: 1.3 }],
    },
    { name: `${name}: node:crypto alone, over ${SIZE} bytes`, run: bare(three) },
    {
      name: `${name}: verify_signature, not seen before, as the kernel's`,
      run: () => good(direct, four()),
      asked: [{ of: `${name}: node:crypto alone, over ${SIZE} bytes`, atMost: 1.3 }],
    },
  ];
}

function unseenCertificate(name: string, root: Authority, { key }: SigningIdentity): Row[] {
  const issuer = keyOf(root.certificate);
  const strangers = Array.from({ length: STRANGERS }, () => root.issue({ subject: "Stranger", key }));
  const signed = samples(STRANGERS, (data, index) => signPkcs7(data, strangers[index] as SigningIdentity));
  const parts = strangers.map(({ certificate }, index) => {
    const outer = certificate.element.open();
    const tbs = outer.next().whole;
    outer.next();
    const value = outer.next().contents.subarray(1);
    return { spki: certificate.publicKey.spki.whole, tbs, value, sample: signed[index] as Sample };
  });
  const keyring = keyringOf(root.certificate);
  const [one, two] = [cycle(parts), cycle(signed)];
  const bare = `${name}: node:crypto alone: import a key, verify its certificate and its signature`;
  return [
    {
      name: bare,
      run: () => {
        const { spki, tbs, value, sample } = one();
        const imported = createPublicKey({ key: spki, format: "der", type: "spki" });
        return verify("sha256", tbs, issuer, value) && verify("sha256", sample.signed, imported, sample.value);
      },
    },
    {
      name: `${name}: verify_signature by a certificate not seen before`,
      run: () => good(keyring, two()),
      asked: [{ of: bare, atMost: 1.3 }],
    },
  ];
}

/** A keyring of ten certificates and one of ten thousand. */
function sizes(name: string, root: Authority, signer: SigningIdentity): Row[] {
  const others = Array.from({ length: 10_000 }, (_, index) =>
    Authority.create({ subject: `Other ${index}`, key: signer.key }),
  ).map(({ certificate }) => certificate);
  const signed = samples(UNSEEN, (data) => signPkcs7(data, signer));
  const small = keyringOf(root.certificate, ...others.slice(1, 10));
  const large = keyringOf(root.certificate, ...others.slice(1));
  const [one, two] = [cycle(signed), cycle(signed)];
  const few = `${name}: not seen before, by a keyring of 10 certificates`;
  return [
    { name: few, run: () => good(small, one()) },
    {
      name: `${name}: not seen before, by a keyring of 10,000 certificates`,
      run: () => good(large, two()),
      asked: [{ of: few, atMost: 1.2 }],
    },
  ];
}

function seen(name: string, root: Authority, signer: SigningIdentity): Figure {
  const keyring = keyringOf(root.certificate);
  const next = cycle(samples(500, (data) => signPkcs7(data, signer)));
  const us = median(25, () => {
    for (let count = 0; count < 500; count++) good(keyring, next());
  });
  return { name: `${name}: verify_signature, seen`, figure: us / 500, unit: "µs", limit: 2 };
}

/** What pkijs takes to parse and verify one with its chain, for the record: it decides no trust here. */
async function pkijsFigure(name: string, root: Authority, signer: SigningIdentity): Promise<Figure> {
  const { data, signature } = sample(1, (bytes) => signPkcs7(bytes, signer));
  const trusted = pkijs.Certificate.fromBER(root.certificate.der);
  const once = async (): Promise<number> => {
    const start = performance.now();
    const { content } = pkijs.ContentInfo.fromBER(signature);
    const message = new pkijs.SignedData({ schema: content });
    const result = await message.verify({
      signer: 0,
      data: arrayBuffer(data),
      trustedCerts: [trusted],
      checkChain: true,
    });
    if (result !== true) throw new Error("pkijs rejects it");
    return performance.now() - start;
  };
  const times: number[] = [];
  for (let count = 0; count < 120; count++) times.push(await once());
  const ms = times.slice(20).sort((a, b) => a - b)[50] as number;
  return { name: `${name}: pkijs, parse and verify`, figure: ms * 1000, unit: "µs", note: "for the record" };
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** Microseconds that one run takes: the median, the first few left out. */
function median(times: number, run: () => void): number {
  const taken: number[] = [];
  for (let count = 0; count < times + 5; count++) {
    const start = performance.now();
    run();
    if (count >= 5) taken.push((performance.now() - start) * 1000);
  }
  return taken.sort((a, b) => a - b)[taken.length >> 1] as number;
}
