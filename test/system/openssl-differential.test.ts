/**
 * Messages and chains damaged in named ways, judged here and by OpenSSL: what `openssl cms -verify -purpose any` and
 * `openssl verify` refuse is never taken here, and what they take and is refused here breaks a rule of this project
 * that is on the list below.
 *
 * OpenSSL's calls are made by a program of our own (openssl/judge.c), since twenty thousand processes would take the
 * day; that it says what the commands say is tried on some cases of every kind.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writePem } from "../../src/trust/asn1/pem.js";
import { judgePath } from "../../src/trust/path-case.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { trusting } from "../support/trust.js";
import { amount } from "./nightly.js";
import { AT, CHAIN_DAMAGES, type ChainDamage, makeChain } from "./openssl/chains.js";
import { MESSAGE_DAMAGES, type MessageDamage, makeMessage } from "./openssl/messages.js";
import { askOpenSsl, buildJudge, type Question } from "./openssl/openssl.js";

const CHAINS = amount(100, 10_000);
const MESSAGES = amount(140, 14_000);
const PATIENCE = amount(600_000, 3_600_000);

/** Rules by which this project refuses what OpenSSL takes, and why it is right to. */
const STRICTER: Readonly<Record<string, string>> = {
  DER_MALFORMED: "one value has one encoding (X.690 10 and 11), and nothing is behind it; OpenSSL reads BER",
  "RFC 5652 5.2": "a message with content of its own says nothing about the caller's data",
  "RFC 5652 5.3": "a signer is named by the bytes of its certificate; OpenSSL does not mind the case of letters",
  "RFC 5652 5.4": "signed attributes are not to be passed off as the data that was signed",
  "RFC 5652 11.1": "the signed content type has to be that of the message",
  "RFC 5280 4.1.2.2": "a serial number has 20 octets at most; OpenSSL does not count them",
  "RFC 5280 4.1.2.4": "an issuer has a name; OpenSSL asks for it with -x509_strict",
  "RFC 5280 4.1.2.6":
    "a certificate without a subject has critical alternative names, and an authority a subject; OpenSSL asks for less",
  "RFC 5280 4.2.1.1": "below an anchor the authority's key is named; OpenSSL asks for it with -x509_strict",
  "RFC 5280 4.2.1.2": "an authority's key has an identifier; OpenSSL asks for it with -x509_strict",
  "RFC 5280 4.2.1.9":
    "keyCertSign is for authorities, whose basic constraints are critical; OpenSSL looks at the latter with -x509_strict",
  "RFC 5280 4.2.1.10": "name constraints are critical and of authorities; OpenSSL does not ask for either",
  "RFC 5280 4.2.1.11": "policy constraints are critical; OpenSSL does not ask for it",
  "RFC 5280 4.2.1.14": "a limit on anyPolicy is critical; OpenSSL does not ask for it",
  "RFC 5280 4.2.1.3": "a key that is limited to other usages is not for signing data; `-purpose any` does not look",
  "RFC 5280 6.1.3 (f)": "policies that an authority asks for are asked for; OpenSSL looks where it is told to",
  "RFC 5280 6.1.4 (a)": "anyPolicy cannot be mapped; OpenSSL looks where it is told to check policies",
  "RFC 3279 2.3.1": "an RSA key has parameters of NULL; OpenSSL does not look at them",
  "RFC 4055 3.1": "RSASSA-PSS has the parameters that its standard says",
  "RFC 4055 5": "RSA has parameters of NULL or none; OpenSSL does not look at them",
  "RFC 4056 3": "the digest of RSASSA-PSS is the one that the signer names",
  "RFC 5754 2": "digests have parameters of NULL or none; OpenSSL does not look at them",
  "RFC 5758 3.2": "ECDSA has no parameters; OpenSSL does not look at them",
  "key allow-list": "RSA below 2,048 bits or with a small exponent is too weak, above 8,192 too slow",
  "algorithm allow-list": "curves and digests that are not listed are not supported",
};

/** The same for a rule that both have: after which damage this project refuses by it, and why it is right to. */
const STRICTER_AFTER: readonly { readonly damage: string; readonly rule: string; readonly why: string }[] = [
  {
    damage: "excluded, equal by string preparation alone",
    rule: "RFC 5280 6.1.3 (c)",
    why: "RFC 5280 7.1 compares names by RFC 4518; OpenSSL knows the case of ASCII and spaces alone",
  },
];

/**
 * What this project takes and OpenSSL refuses: after which damage, with which words, and the rule by which it is right
 * to.
 */
const LAXER: readonly { readonly damage: string; readonly openssl: string; readonly rule: string }[] = [
  {
    damage: "honest, an authority without key usage",
    openssl: "CA cert does not include key usage extension",
    rule: "RFC 5280 6.1.4 (n): a key usage limits a key where it is there; the profile strict does not ask for one",
  },
  {
    damage: "leaf expires this second",
    openssl: "certificate has expired",
    rule: "RFC 5280 4.1.2.5: the validity period includes the moment that notAfter names",
  },
  {
    damage: "honest, and certified by another root too",
    openssl: "unable to get local issuer certificate",
    rule: "RFC 4158 2.3: where one way up does not reach an anchor another is tried",
  },
];

const folder = mkdtempSync(join(tmpdir(), "countersign-openssl-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const judge = buildJudge(folder);
const seed = seedOf();
const next = numbers(seed);

interface Case {
  readonly damage: string;
  readonly question: Question;
}

interface Difference {
  readonly damage: string;
  readonly openssl: string;
  readonly rule: string | null;
  readonly reason: string | null;
}

/** Judges every case twice. What differs is counted by how it differs. */
function compare(cases: readonly Case[]): {
  laxer: Map<string, Difference>;
  stricter: Map<string, Difference>;
  taken: number;
} {
  const answers = askOpenSsl(
    judge as string,
    cases.map(({ question }) => question),
  );
  const laxer = new Map<string, Difference>();
  const stricter = new Map<string, Difference>();
  let taken = 0;
  for (const [index, { damage, question }] of cases.entries()) {
    const ours = judgeHere(question);
    const openssl = answers[index] as string;
    if (ours.ok) taken += 1;
    if (ours.ok === (openssl === "ok")) continue;
    const difference = { damage, openssl, rule: ours.rule, reason: ours.reason };
    if (ours.ok) laxer.set(`${damage}: ${openssl}`, difference);
    else stricter.set(`${damage}: ${ours.rule}`, difference);
  }
  return { laxer, stricter, taken };
}

function judgeHere(question: Question): { ok: boolean; rule: string | null; reason: string | null } {
  const { at, anchor } = question;
  if (question.kind === "chain") {
    const base64 = (der: Buffer): string => der.toString("base64");
    const untrusted = question.untrusted.map(base64);
    return judgePath({
      trust: [base64(anchor)],
      untrusted,
      leaf: base64(question.leaf),
      at,
      crls: [],
      usage: [],
      policies: [],
      freshness: null,
      profile: question.strict ? "strict" : "compatible",
    });
  }
  const { verdict, rule, reason } = trusting([anchor], { usage: ["any"] }).verify(
    question.data,
    question.signature,
    "PKCS7",
    at,
  );
  return { ok: verdict === 0, rule, reason };
}

const chainDamages = Object.keys(CHAIN_DAMAGES) as ChainDamage[];
const messageDamages = Object.keys(MESSAGE_DAMAGES) as MessageDamage[];

/** Each damage comes in its turn, so that a short run has every one of them. */
function chainCase(strict: boolean, turn: number): Case {
  const damage = chainDamages[turn % chainDamages.length] as ChainDamage;
  const chain = makeChain(damage, next);
  const bytes = [chain.leaf.certificate, ...chain.untrusted].map(({ der }) => der);
  const broken = next(3) === 0 ? next(bytes.length) : -1;
  const [leaf, ...untrusted] = bytes.map((der, index) => (index === broken ? damaged(der, next) : der)) as [
    Buffer,
    ...Buffer[],
  ];
  const name = broken < 0 ? damage : `${damage}, and bytes of a certificate`;
  return { damage: name, question: { kind: "chain", at: AT, anchor: chain.anchor.der, leaf, untrusted, strict } };
}

/** Two of three cases are damaged messages; the third has a damaged chain. */
function messageCase(turn: number): Case {
  const third = Math.floor(turn / 3);
  const byMessage = turn % 3 > 0;
  const message = messageDamages[(turn - third - 1) % messageDamages.length] as MessageDamage;
  const damage = byMessage ? message : "honest";
  const chainDamage = byMessage ? "honest" : (chainDamages[third % chainDamages.length] as ChainDamage);
  const chain = makeChain(chainDamage, next, "usual");
  const data = Buffer.from(Array.from({ length: 1 + next(200) }, () => next(256)));
  const made = makeMessage(damage, { data, chain, next });
  return {
    damage: byMessage ? damage : chainDamage,
    question: { kind: "message", at: AT, anchor: chain.anchor.der, ...made },
  };
}

function covers(known: (typeof LAXER)[number], { damage, openssl }: Difference): boolean {
  return (damage === known.damage || damage.startsWith(`${known.damage}, and`)) && openssl.endsWith(known.openssl);
}

function isExplained({ damage, rule }: Difference): boolean {
  if (rule === null) return false;
  return STRICTER[rule] !== undefined || STRICTER_AFTER.some((known) => damage === known.damage && rule === known.rule);
}

const KINDS = {
  chains: { count: CHAINS, make: (turn: number) => chainCase(false, turn) },
  "strict chains": { count: CHAINS, make: (turn: number) => chainCase(true, turn) },
  messages: { count: MESSAGES, make: messageCase },
} as const;

describe("OpenSSL and this project", () => {
  it.for(["chains", "strict chains", "messages"] as const)(
    "judge %s alike, but for rules that have a name",
    { timeout: PATIENCE },
    (kind, context) => {
      if (judge === null) return context.skip("needs a C compiler and libssl-dev");
      console.log(`seed ${seed}`);
      const { count, make } = KINDS[kind];
      const { laxer, stricter, taken } = compare(Array.from({ length: count }, (_, turn) => make(turn)));
      expect(taken).toBeGreaterThan(count / 20);
      expect([...laxer.values()].filter((difference) => !LAXER.some((known) => covers(known, difference)))).toEqual([]);
      expect([...stricter.values()].filter((difference) => !isExplained(difference))).toEqual([]);
    },
  );

  it.for(["chains", "strict chains", "messages"] as const)(
    "are asked about %s as the commands would be",
    { timeout: PATIENCE },
    (kind, context) => {
      if (judge === null) return context.skip("needs a C compiler and libssl-dev");
      const cases = Array.from({ length: 150 }, (_, turn) => KINDS[kind].make(turn));
      const answers = askOpenSsl(
        judge,
        cases.map(({ question }) => question),
      );
      for (const [index, { damage, question }] of cases.entries())
        expect({ damage, good: command(question) }).toEqual({ damage, good: answers[index] === "ok" });
    },
  );
});

/** Whether the openssl command takes a message or chain. */
function command(question: Question): boolean {
  const put = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const anchor = put("anchor.pem", writePem("CERTIFICATE", question.anchor));
  const time = ["-attime", String(question.at / 1000), "-CAfile", anchor, "-no-CAstore", "-no-CApath"];
  if (question.kind === "message") {
    const files = [
      "-in",
      put("message", question.signature),
      "-content",
      put("data", question.data),
      "-out",
      join(folder, "out"),
    ];
    return (
      spawnSync("openssl", ["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", ...time, ...files])
        .status === 0
    );
  }
  const untrusted = question.untrusted.map((der) => writePem("CERTIFICATE", der)).join("");
  const others = untrusted === "" ? [] : ["-untrusted", put("untrusted.pem", untrusted)];
  return (
    spawnSync("openssl", [
      "verify",
      ...(question.strict ? ["-x509_strict"] : []),
      ...time,
      ...others,
      put("leaf.pem", writePem("CERTIFICATE", question.leaf)),
    ]).status === 0
  );
}
