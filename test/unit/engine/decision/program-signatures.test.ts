import { describe, expect, it } from "vitest";
import type { Mismatch, ProgramSubject, Statement } from "../../../../src/bpf/model/facts.js";
import { parseStatement, statementOf } from "../../../../src/bpf/statement.js";
import { ProgramSignatures } from "../../../../src/engine/decision/program-signatures.js";
import { rememberExtended } from "../../../../src/engine/statements/extended-statements.js";
import type { StatementToVerify } from "../../../../src/engine/statements/verify-statement.js";
import { verdictName } from "../../../../src/errno.js";
import { CountersignError } from "../../../../src/error.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import type { Keyring } from "../../../../src/trust/keyring.js";
import { example } from "../../../support/examples.js";
import { sshIdentity } from "../../../support/ssh.js";
import { trusting } from "../../../support/trust.js";

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const PERIOD = { notBefore: NOW - DAY, notAfter: NOW + 30 * DAY };

const root = Authority.create({ subject: "Root", ...PERIOD, notAfter: NOW + 60 * DAY });
const signer = root.issue({ subject: "Signer", ...PERIOD });
const short = root.issue({ subject: "Short", notBefore: NOW - DAY, notAfter: NOW + DAY });
const stranger = Authority.create({ subject: "Others", ...PERIOD }).issue({ subject: "Stranger", ...PERIOD });
const ssh = sshIdentity("ssh-ed25519");
const revoking = (...digests: string[]) =>
  trusting([root.pem.certificate], { revoked: { crls: [], certificates: [], digests } });
const keyring = trusting([root.pem.certificate, `release@example.org ${ssh.line}`]);

type Sign = (bytes: Uint8Array) => StatementToVerify["signatures"][number];
const by =
  (who: typeof signer): Sign =>
  (bytes) => ({ type: "PKCS7", bytes: signPkcs7(Buffer.from(bytes), who) });
const bySsh =
  (namespace: string): Sign =>
  (bytes) => ({ type: "SSHSIG", bytes: ssh.sign(Buffer.from(bytes), { namespace }) });

/** A statement of an example with its signatures, and how a program that matches it sees it. */
function stated(name: string, ...signatures: readonly Sign[]) {
  const { bytes, statement } = statementOf(example(name));
  const { sha256, content } = parseStatement(bytes);
  const { object, programs } = content.program;
  const facts: Statement = {
    ...{ sha256, object_sha256: object.sha256, name: programs[0]!.name, type: "xdp", settings: [] },
  };
  const signed: StatementToVerify = {
    ...{ bytes, objectSha256: object.sha256, signatures: signatures.map((sign) => sign(bytes)) },
  };
  expect(statement.sha256).toBe(sha256);
  return { facts, signed, sha256 };
}

type Stated = ReturnType<typeof stated>;

interface Program {
  readonly matches?: readonly Stated[];
  readonly differs?: readonly Stated[];
  /** In which each of these differs. */
  readonly properties?: readonly string[];
  readonly signature?: Uint8Array | null;
  /** Statements that the source has; by default those above. */
  readonly has?: readonly Stated[];
}

const DIGEST = "dd".repeat(32);

function verify({
  matches = [],
  differs = [],
  properties = differs.map((_, index) => `property ${index}`),
  signature = null,
  has = [...matches, ...differs],
}: Program) {
  const found = new Map(has.map(({ sha256, signed }) => [sha256, signed]));
  const signatures = new ProgramSignatures({ ofSha256: (sha256) => found.get(sha256) ?? null });
  const mismatches = differs.map(({ sha256 }, index): Mismatch => {
    return { statement: sha256, property: properties[index]!, expected: "a", found: "b" };
  });
  const program: Pick<ProgramSubject, "digest" | "signature" | "statements" | "mismatches"> = {
    ...{ digest: DIGEST, signature, statements: matches.map(({ facts }) => facts), mismatches },
  };
  return (ring: Keyring = keyring, at = NOW) => {
    const { verdict, reason, statement, signers } = signatures.verify(program, ring, at);
    return {
      ...{ verdict: verdictName(verdict), reason, statement: program.statements[statement]?.sha256 ?? null },
      ...{ signer: signers[0]?.subject ?? null },
    };
  };
}

const none = { statement: null, signer: null };

describe("a program is what was signed", () => {
  it("if it extends a program that a signer of the keyring signed as well", () => {
    const [one, other] = [stated("drop-telnet", by(signer)), stated("rate-limit", by(stranger))];
    const both = [one, other, stated("exec-guard", bySsh("countersign-statement"))] as const;
    const extending = (...target: readonly Stated[]) => {
      const extension = { ...one, facts: { ...one.facts } };
      const facts = target.map((each) => each.facts);
      rememberExtended([extension.facts], facts);
      return verify({ matches: [extension], has: both })();
    };
    const reason = "no signer of the keyring signed a statement that the program matches which it extends";
    expect(extending(other)).toEqual({ ...none, verdict: "-EKEYREJECTED", reason });
    expect(extending()).toEqual({ ...none, verdict: "-EKEYREJECTED", reason });
    expect(extending(both[2])).toMatchObject({ verdict: "0", signer: "CN=Signer" });
    expect(extending(other, both[2])).toMatchObject({ verdict: "0", signer: "CN=Signer" });
  });

  it("if a signer of the keyring signed a statement that it matches", () => {
    const one = stated("drop-telnet", by(signer));
    expect(verify({ matches: [one] })()).toMatchObject({
      ...{ verdict: "0", statement: one.sha256, signer: "CN=Signer" },
      reason: `signed by \`CN=Signer\` (statement ${one.sha256})`,
    });
  });

  it("if an SSH key signed it in the namespace of statements", () => {
    const good = stated("drop-telnet", bySsh("countersign-statement"));
    expect(verify({ matches: [good] })()).toMatchObject({ verdict: "0", signer: "release@example.org" });
    const file = stated("drop-telnet", bySsh("file"));
    expect(verify({ matches: [file] })()).toMatchObject({ verdict: "-EKEYREJECTED", ...none });
  });

  it("if one of several signatures over it is the keyring's, in any order", () => {
    for (const signs of [
      [by(stranger), by(signer)],
      [by(signer), by(stranger)],
      [by(stranger), bySsh("file"), bySsh("countersign-statement")],
    ])
      expect(verify({ matches: [stated("drop-telnet", ...signs)] })().verdict).toBe("0");
  });

  it("by the statement with the lowest SHA-256 of those that are signed", () => {
    const all = ["drop-telnet", "rate-limit", "switch-watch"].map((name) => stated(name, by(signer)));
    const lowest = [...all].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    for (const matches of [all, [...all].reverse()])
      expect(verify({ matches })()).toMatchObject({ verdict: "0", statement: lowest[0]!.sha256 });
    const unsigned = { ...lowest[0]!, signed: { ...lowest[0]!.signed, signatures: [] } };
    expect(verify({ matches: [...lowest.slice(1), unsigned] })().statement).toBe(lowest[1]!.sha256);
  });

  it("whatever other statements it does not match", () => {
    const match = stated("drop-telnet", by(signer));
    expect(verify({ matches: [match], differs: [stated("rate-limit", by(signer))] })().verdict).toBe("0");
  });
});

describe("a program is not what was signed", () => {
  it("if it matches no statement", () => {
    expect(verify({})()).toMatchObject({
      ...{ verdict: "-ENODATA", ...none },
      reason: "it matches no statement in the folders of signatures: sign its object with `sign --programs`",
    });
  });

  it("if only its instructions are signed: it has to be signed again", () => {
    expect(verify({ signature: Uint8Array.of(1) })()).toMatchObject({
      verdict: "-ENODATA",
      reason: "it was signed before relocation: sign its object again with `sign --programs`",
    });
  });

  it("if the statement has no signature, or is no longer there", () => {
    expect(verify({ matches: [stated("drop-telnet")] })()).toMatchObject({
      ...{ verdict: "-ENODATA", ...none },
      reason: "there is no signature over the statement",
    });
    expect(verify({ matches: [stated("drop-telnet"), stated("rate-limit", by(stranger))] })().verdict).toBe("-ENOKEY");
    expect(verify({ matches: [stated("drop-telnet", by(signer))], has: [] })()).toMatchObject({
      ...{ verdict: "-ENODATA", ...none },
      reason: expect.stringContaining("it matches no statement"),
    });
  });

  it("by a signature whose file cannot be used, which keeps no other statement from being used", () => {
    const broken = stated("drop-telnet", by(signer));
    Object.defineProperty(broken.signed, "signatures", {
      get() {
        throw new CountersignError("FILE_TOO_LARGE", "is larger", { place: "signatures/x.p7s", remedy: "remove it" });
      },
    });
    expect(verify({ matches: [broken] })()).toMatchObject({
      ...{ verdict: "-EBADMSG", ...none },
      reason: "a signature cannot be used: signatures/x.p7s: is larger [FILE_TOO_LARGE]; remove it",
    });
    expect(verify({ matches: [broken, stated("rate-limit", by(signer))] })().verdict).toBe("0");
  });

  it("if it differs from a statement that the keyring takes, with the property", () => {
    const differs = [stated("rate-limit", by(stranger)), stated("drop-telnet", by(signer))];
    expect(verify({ differs })()).toMatchObject({
      ...{ verdict: "-EKEYREJECTED", ...none },
      reason: `it is not what was signed: \`property 1\` is \`b\`, not \`a\` (statement ${differs[1]!.sha256})`,
    });
    const matches = [stated("switch-watch", by(stranger))];
    expect(verify({ matches, differs })().verdict).toBe("-EKEYREJECTED");
  });

  it("with the statement that differs least, whatever the order of their digests", () => {
    const differs = [stated("rate-limit", by(signer)), stated("drop-telnet", by(signer))];
    for (const [properties, named] of [
      [["btf", "sessions.btf"], 1],
      [["sessions.btf", "btf"], 0],
      [["insns", "btf"], 0],
    ] as const)
      expect(verify({ differs, properties })().reason).toBe(
        `it is not what was signed: \`${properties[named]}\` is \`b\`, not \`a\` (statement ${differs[named]!.sha256})`,
      );
  });

  it("if it differs from statements of other signers: they say nothing about it", () => {
    expect(verify({ differs: [stated("rate-limit", by(stranger))] })().verdict).toBe("-ENODATA");
  });

  it("with the errno of the signature, and rather that of the keyring's own signer", () => {
    const one = (...signs: Sign[]) => verify({ matches: [stated("drop-telnet", ...signs)] });
    expect(one(by(stranger))()).toMatchObject({
      verdict: "-ENOKEY",
      reason: expect.stringContaining("Stranger"),
      ...none,
    });
    expect(one(by(short))(keyring, NOW + 2 * DAY).verdict).toBe("-EKEYEXPIRED");
    for (const signs of [
      [by(stranger), by(short)],
      [by(short), by(stranger)],
    ])
      expect(one(...signs)(keyring, NOW + 2 * DAY).verdict).toBe("-EKEYEXPIRED");
    const two = [stated("drop-telnet", by(stranger)), stated("rate-limit", bySsh("file"))];
    for (const matches of [two, [...two].reverse()]) expect(verify({ matches })().verdict).toBe("-EKEYREJECTED");
    expect(one((bytes) => ({ type: "PKCS7", bytes: bytes.subarray(0, 40) }))().verdict).toBe("-EBADMSG");
  });

  it("if the statement, its object or the program's own digest is revoked", () => {
    const one = stated("drop-telnet", by(signer));
    for (const digest of [one.sha256, one.facts.object_sha256, DIGEST])
      expect(verify({ matches: [one] })(revoking(digest)), digest).toMatchObject({ verdict: "-EKEYREVOKED", ...none });
    expect(verify({ matches: [one] })(revoking("ee".repeat(32))).verdict).toBe("0");
  });

  it("by a statement of another object that was passed off as its own", () => {
    const one = stated("drop-telnet", by(signer));
    const other = stated("rate-limit", by(stranger));
    const forged = { ...other, signed: { ...other.signed, signatures: one.signed.signatures } };
    expect(verify({ matches: [forged] })().verdict).toBe("-EKEYREJECTED");
  });
});

describe("a result that is kept", () => {
  it("ends with the certificate, and with the keyring's version", () => {
    const asked = verify({ matches: [stated("drop-telnet", by(short))] });
    const ring = trusting([root.pem.certificate]);
    expect([NOW, NOW + DAY - 1, NOW + DAY + 1001, NOW].map((at) => asked(ring, at).verdict)).toEqual([
      ...["0", "0", "-EKEYEXPIRED", "0"],
    ]);
    ring.replace(RULES(stranger.pem.certificate));
    expect(asked(ring).verdict).toBe("-ENOKEY");
    ring.replace(RULES(root.pem.certificate));
    expect(asked(ring).verdict).toBe("0");
  });

  it("does not hold before the time for which it was found", () => {
    const future = root.issue({ subject: "Future", notBefore: NOW + DAY, notAfter: NOW + 9 * DAY });
    const asked = verify({ matches: [stated("drop-telnet", by(future))] });
    expect([NOW + 2 * DAY, NOW, NOW + 2 * DAY].map((at) => verdictNameOf(asked(keyring, at).verdict))).toEqual([
      ...["0", "-E", "0"],
    ]);
  });

  it("is of one keyring", () => {
    const asked = verify({ matches: [stated("drop-telnet", by(signer))] });
    const other = trusting([stranger.pem.certificate]);
    expect([keyring, other, keyring, other].map((ring) => asked(ring).verdict)).toEqual([
      "0",
      "-ENOKEY",
      "0",
      "-ENOKEY",
    ]);
  });
});

const verdictNameOf = (name: string) => (name === "0" ? name : name.slice(0, 2));
const RULES = (certificate: string) => ({
  trust: [{ path: "trust.pem", bytes: Buffer.from(certificate) }],
  revoked: { crls: [], certificates: [], digests: [] },
  usage: ["codeSigning"],
  validity: "now" as const,
});
