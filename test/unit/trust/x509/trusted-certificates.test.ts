/**
 * A certificate that is itself in `trust` can be revoked in every way in which one below an anchor can: every kind of
 * certificate, with its authority beside it or not, by every kind of list and by the block list.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verdictName } from "../../../../src/errno.js";
import { element, identifier, identifierOf, integer, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../../../../src/trust/asn1/oid.js";
import { writePem } from "../../../../src/trust/asn1/pem.js";
import { context } from "../../../../src/trust/asn1/tag.js";
import {
  Authority,
  distinguishedName,
  extension,
  type Issued,
  type RevocationListRequest,
} from "../../../../src/trust/issuing/authority.js";
import { signKernel, signModule, signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { localStamper, stamped } from "../../../../src/trust/issuing/time-stamp-maker.js";
import type { Keyring, KeyringRules } from "../../../../src/trust/keyring.js";
import { KeyringReport } from "../../../../src/trust/keyring-report.js";
import { Sigstore } from "../../../support/sigstore.js";
import { file, trusting } from "../../../support/trust.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const PERIOD = { notBefore: NOW - 100 * DAY, notAfter: NOW + 300 * DAY };
const data = Buffer.from("instructions");

const crlIssuerName = distinguishedName("List issuer");
const delegation = extension(
  EXTENSION.crlDistributionPoints,
  sequence(sequence(element(context(2, true), element(context(4, true), crlIssuerName)))),
);
const root = Authority.create({ subject: "Root", ...PERIOD });
const other = Authority.create({ subject: "Other", ...PERIOD });
const serial = 7n;
const inFile = (keys: readonly Issued[]): string => keys.map(({ pem }) => pem.certificate).join("");
const stampUsage = extension(
  EXTENSION.extendedKeyUsage,
  sequence(identifierOf(KEY_PURPOSE.timeStamping as string)),
  true,
);

/** One kind of certificate that a keyring trusts as itself, with what a signature by it is. */
interface Kind {
  readonly trusted: Issued;
  /** `anchors`: what stands where this kind of certificate is trusted. */
  readonly verdict: (anchors: readonly Issued[], rules?: Partial<KeyringRules>) => string;
}

const signer = root.issue({ subject: "Signer", serial, extensions: [delegation], ...PERIOD });
/** As the kernel build makes it: no extended key usage. */
const plain = root.issue({ subject: "Plain", serial, usage: null, extensions: [delegation], ...PERIOD });
const between = root.subordinate({ subject: "Between", serial, extensions: [delegation], ...PERIOD });
const below = between.issue({ subject: "Below", ...PERIOD });
const clock = root.issue({ subject: "Clock", serial, usage: null, extensions: [stampUsage, delegation], ...PERIOD });
const timeRoot = root.subordinate({ subject: "Time", serial, extensions: [delegation], ...PERIOD });
const clockBelow = timeRoot.issue({ subject: "Clock below", usage: null, extensions: [stampUsage], ...PERIOD });

const answer = (
  keyring: Keyring,
  signature: Buffer | null,
  type: "PKCS7" | "MODSIG" = "PKCS7",
  over: Uint8Array = data,
): string => verdictName(keyring.verify(over, signature, type, NOW).verdict);
const signed =
  (signature: Buffer | null, type: "PKCS7" | "MODSIG", over: Uint8Array): Kind["verdict"] =>
  (anchors, rules) =>
    answer(trusting([inFile(anchors)], rules), signature, type, over);

const someone = other.issue({ subject: "Someone", ...PERIOD });
const stampedBy = async (by: Issued): Promise<Kind["verdict"]> => {
  const signature = await stamped(
    signPkcs7(data, someone, { at: NOW }),
    localStamper(by, () => NOW - DAY),
  );
  return (anchors, rules) =>
    answer(
      trusting([other.pem.certificate], { timestamps: { trust: [file("t.pem", inFile(anchors))] }, ...rules }),
      signature,
    );
};

const KINDS: Readonly<Record<string, Kind>> = {
  "a leaf, carried": { trusted: signer, verdict: signed(signPkcs7(data, signer), "PKCS7", data) },
  "a leaf with its authority carried": {
    trusted: signer,
    verdict: signed(signPkcs7(data, { ...signer, chain: [root.certificate] }), "PKCS7", data),
  },
  "a leaf, kernel style": { trusted: signer, verdict: signed(signKernel(data, signer), "PKCS7", data) },
  "a leaf without a purpose, kernel style": { trusted: plain, verdict: signed(signKernel(data, plain), "PKCS7", data) },
  "a leaf, appended": { trusted: signer, verdict: signed(null, "MODSIG", signModule(data, signer)) },
  "an intermediate": { trusted: between, verdict: signed(signPkcs7(data, below), "PKCS7", data) },
  "a time-stamping certificate": { trusted: clock, verdict: await stampedBy(clock) },
  "a time-stamping authority": { trusted: timeRoot, verdict: await stampedBy(clockBelow) },
};

/**
 * What else is in the keyring: the authority in `trust`, in the file of its list, in the other place of trust, or
 * nowhere.
 */
const PLACES: Readonly<Record<string, { beside: readonly Issued[]; withList: readonly Issued[] }>> = {
  "beside its authority": { beside: [root], withList: [] },
  "its authority in the file of its list": { beside: [], withList: [root] },
  alone: { beside: [], withList: [] },
};

const critical = extension("\x2a\x03", integer(1), true);
const delta = (base: number): Buffer => extension(EXTENSION.deltaCrlIndicator, integer(base), true);
const current = { thisUpdate: NOW - DAY, nextUpdate: NOW + DAY };
const list = (who: bigint, more: RevocationListRequest = {}): Buffer =>
  root.revocationList({ ...current, entries: [{ serial: who, at: NOW - 50 * DAY }], ...more });
const pem = (...crls: readonly Buffer[]): string => crls.map((crl) => writePem("X509 CRL", crl)).join("");

const listIssuer = new Authority(root.issue({ subject: "List issuer", keyUsage: [6], usage: null, ...PERIOD }));
const flag = (tag: number): Buffer =>
  extension(EXTENSION.issuingDistributionPoint, sequence(element(context(tag, false), Buffer.of(0xff))), true);
const entryOf = extension(
  EXTENSION.certificateIssuer,
  sequence(
    element(context(2, false), Buffer.from("host")),
    element(context(4, true), root.certificate.subject.element.whole),
  ),
  true,
);

/** Lists that name a serial number, each in its own way. */
const LISTS: Readonly<Record<string, (who: bigint) => string>> = {
  "a list": (who) => pem(list(who)),
  "an expired list": (who) => pem(list(who, { thisUpdate: NOW - 40 * DAY, nextUpdate: NOW - 30 * DAY })),
  "a list that is not yet in its time": (who) => pem(list(who, { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY })),
  "a delta alone": (who) => pem(list(who, { number: 9, extensions: [delta(8)] })),
  "a delta over a list": (who) => pem(list(99n), list(who, { number: 9, extensions: [delta(1)] })),
  "a delta beyond its base": (who) => pem(list(99n), list(who, { number: 9, extensions: [delta(8)] })),
  "an expired delta": (who) =>
    pem(
      list(99n, { thisUpdate: NOW - 40 * DAY, nextUpdate: NOW - 20 * DAY }),
      list(who, { number: 9, thisUpdate: NOW - 39 * DAY, nextUpdate: NOW - 38 * DAY, extensions: [delta(1)] }),
    ),
  "a delta that is not yet in its time": (who) =>
    pem(list(99n), list(who, { number: 9, thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY, extensions: [delta(1)] })),
  "an indirect list by somebody else": (who) =>
    pem(
      listIssuer.revocationList({
        ...current,
        extensions: [flag(4)],
        entries: [{ serial: who, extensions: [entryOf] }],
      }),
    ) + listIssuer.pem.certificate,
};

const revoking = (rules: Partial<KeyringRules["revoked"]>): Partial<KeyringRules> => ({
  revoked: { crls: [], certificates: [], digests: [], ...rules },
});
const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe.each(Object.entries(KINDS))("%s that is trusted as itself", (_kind, { trusted, verdict }) => {
  it.each(Object.entries(PLACES))("%s is good where nothing is known against it", (_place, { beside }) => {
    expect(verdict([trusted, ...beside])).toBe("0");
  });

  describe.each(Object.entries(PLACES))("%s", (_place, { beside, withList }) => {
    it.each(Object.entries(LISTS))("is revoked by %s that names it, and by none that names another", (_list, crl) => {
      const judge = (who: bigint): string =>
        verdict([trusted, ...beside], revoking({ crls: [file("crl", crl(who) + inFile(withList))] }));
      expect(judge(serial)).toBe("-EKEYREVOKED");
      expect(judge(8n)).toBe("0");
    });

    it("is revoked with a list that has an unknown critical extension, and not known to be good without", () => {
      const judge = (who: bigint): string =>
        verdict(
          [trusted, ...beside],
          revoking({ crls: [file("crl", pem(list(who, { extensions: [critical] })) + inFile(withList))] }),
        );
      expect(judge(serial)).toBe("-EKEYREVOKED");
      expect(judge(8n)).toBe(beside.length + withList.length > 0 ? "-EKEYREJECTED" : "0");
    });

    it.each<[string, KeyringRules["revoked"]["certificates"] | readonly string[]]>([
      ["its own certificate", [file("r.pem", trusted.pem.certificate)]],
      ["the digest of its certificate", [`tbs:${digest(trusted.certificate.tbs.whole)}`]],
      ["the digest of its key", [`key:${digest(trusted.certificate.publicKey.spki.whole)}`]],
      ["its authority's certificate", [file("r.pem", root.pem.certificate)]],
      ["its authority's key", [file("r.pem", writePem("PUBLIC KEY", root.certificate.publicKey.spki.whole))]],
    ])("is revoked by the block list with %s", (_what, entries) => {
      const digests = entries.filter((entry) => typeof entry === "string");
      const certificates = entries.filter((entry) => typeof entry !== "string");
      expect(verdict([trusted, ...beside], revoking({ digests, certificates }))).toBe("-EKEYREVOKED");
    });
  });

  it("is revoked by its authority's digest, where a file of the keyring has the authority's certificate", () => {
    const digests = [`tbs:${digest(root.certificate.tbs.whole)}`];
    expect(verdict([trusted, root], revoking({ digests }))).toBe("-EKEYREVOKED");
    const crls = [file("crl", pem(list(8n)) + inFile([root]))];
    expect(verdict([trusted], revoking({ digests, crls }))).toBe("-EKEYREVOKED");
  });
});

describe("with `freshness: require`", () => {
  const LEAVES = {
    "a leaf": KINDS["a leaf, carried"]!,
    "a time-stamping certificate": KINDS["a time-stamping certificate"]!,
  };
  const by = other.revocationList(current);

  it.each(Object.entries(LEAVES))(
    "%s without any authority keeps a keyring from opening",
    (_kind, { trusted, verdict }) => {
      const open = () =>
        verdict([trusted], revoking({ crls: [file("crl", list(8n)), file("o", by)], freshness: "require" }));
      expect(open).toThrow(expect.objectContaining({ code: "KEYRING_INVALID" }));
      expect(open).toThrow(/is not an authority, and no file of the keyring has its issuer/);
    },
  );

  it("nor does one that is signed by itself, and is no authority", () => {
    const alone = Authority.create({
      subject: "Alone",
      authority: false,
      keyUsage: [0],
      usage: ["codeSigning"],
      ...PERIOD,
    });
    const judge = signed(signPkcs7(data, alone), "PKCS7", data);
    expect(judge([alone])).toBe("0");
    expect(() => judge([alone], revoking({ freshness: "require" }))).toThrow(
      expect.objectContaining({ code: "KEYRING_INVALID" }),
    );
  });

  it.each(Object.entries(KINDS))("%s needs a list in its time", (_kind, { trusted, verdict }) => {
    const judge = (crls: string): string =>
      verdict(
        [trusted, root],
        revoking({ crls: [file("crl", crls), file("other", by), file("b", belows)], freshness: "require" }),
      );
    expect(judge(pem(list(8n)))).toBe("0");
    expect(judge(pem(list(serial)))).toBe("-EKEYREVOKED");
    expect(judge(pem(list(8n, { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY })))).toBe("-EKEYREJECTED");
  });
});

/** Lists of the authorities in between, which name nobody. */
const belows = pem(between.revocationList(current), timeRoot.revocationList(current));

describe("the authority of a certificate in `trust`", () => {
  const trust = (...anchors: readonly Issued[]): string => inFile(anchors);
  const judge = (pems: string, rules: Partial<KeyringRules>, by: Issued = below): string =>
    answer(trusting([pems], rules), signPkcs7(data, by));

  it("is judged by its own authority in turn", () => {
    const crls = [file("crl", pem(list(serial)) + trust(between, root))];
    expect(judge(trust(below, between, root), revoking({ crls: [file("crl", pem(list(serial)))] }))).toBe(
      "-EKEYREVOKED",
    );
    expect(judge(trust(below), revoking({ crls }))).toBe("-EKEYREVOKED");
    expect(
      judge(
        trust(below),
        revoking({ certificates: [file("r", trust(root))], crls: [file("c", pem(list(8n)) + trust(between))] }),
      ),
    ).toBe("-EKEYREVOKED");
  });

  it("binds it with its policies, its path length and its names", () => {
    const policies = ["1.2.3"];
    expect(judge(trust(signer), { policies }, signer)).toBe("-EKEYREJECTED");
    expect(judge(trust(signer, root), { policies }, signer)).toBe("-EKEYREJECTED");
    const certificatePolicies = extension(EXTENSION.certificatePolicies, sequence(sequence(identifier("1.2.3"))));
    const held = root.issue({ subject: "Held", extensions: [certificatePolicies], ...PERIOD });
    for (const anchors of [trust(held), trust(held, root)]) expect(judge(anchors, { policies }, held)).toBe("0");
    const short = Authority.create({ subject: "Short", authority: 0, ...PERIOD });
    const tooMuch = short.subordinate({ subject: "Too much", ...PERIOD });
    expect(judge(trust(tooMuch), {}, tooMuch.issue({ subject: "Leaf", ...PERIOD }))).toBe("0");
    expect(judge(trust(tooMuch, short), {}, tooMuch.issue({ subject: "Leaf", ...PERIOD }))).toBe("-EKEYREJECTED");
  });

  it("that has ended ends it; one that was renewed with the same key does not", () => {
    const ended = Authority.create({ subject: "Ended", notBefore: NOW - 9 * DAY, notAfter: NOW - DAY });
    const renewed = Authority.create({ subject: "Ended", key: ended.key, ...PERIOD });
    const leaf = ended.issue({ subject: "Leaf", ...PERIOD });
    expect(judge(trust(leaf, ended), {}, leaf)).toBe("-EKEYEXPIRED");
    expect(judge(trust(leaf, ended, renewed), {}, leaf)).toBe("0");
  });

  it("and two authorities that certify each other do not go round in circles", () => {
    const cross = new Authority(
      between.issue({ subject: "Root", key: root.key, authority: true, usage: null, ...PERIOD }),
    );
    expect(judge(trust(below, between, cross), {})).toBe("0");
    expect(judge(trust(below, between, cross), revoking({ crls: [file("crl", list(serial))] }))).toBe("-EKEYREVOKED");
  });

  it("shows in the report on the keyring", () => {
    const rules = (serialOf: bigint): KeyringRules => ({
      trust: [file("t.pem", trust(signer, root))],
      revoked: { crls: [file("crl", list(serialOf))], certificates: [], digests: [] },
      usage: ["codeSigning"],
      validity: "now",
    });
    const first = (who: bigint) => new KeyringReport(rules(who)).entries(NOW)[0];
    expect(first(serial)?.refusal).toMatchObject({ rule: "RFC 5280 6.3.3 (j)" });
    expect(first(8n)?.refusal).toBeNull();
    const stamps = (who: bigint) =>
      new KeyringReport({ ...rules(who), timestamps: { trust: [file("time.pem", trust(clock, timeRoot))] } })
        .entries(NOW)
        .filter(({ kind }) => kind === "time-stamping authority")
        .map(({ refusal }) => refusal?.rule ?? null);
    expect(stamps(serial)).toEqual(["RFC 5280 6.3.3 (j)", "RFC 5280 6.3.3 (j)"]);
    expect(stamps(8n)).toEqual([null, null]);
  });
});

interface Bundle {
  readonly verificationMaterial: object;
  readonly messageSignature: { readonly signature: string };
}

describe("what a root of Sigstore trusts", () => {
  const sigstore = new Sigstore();
  const at = NOW / 1000 - 3600;
  const me = { subject: "release@example.org", issuer: "https://accounts.example.org" };
  const by = sigstore.certificate(me, at);
  const bundle = Buffer.from(JSON.stringify(sigstore.bundle({ data, at: at + 60, by })));
  const judge = (revoked: Partial<KeyringRules["revoked"]>) => {
    const rules = { root: file("root.json", JSON.stringify(sigstore.root)), identities: [me] };
    return verdictName(
      trusting([], { sigstore: rules, ...revoking(revoked) }).verify(data, bundle, "SIGSTORE", NOW).verdict,
    );
  };
  const spki = sigstore.log.publicKey.export({ type: "spki", format: "der" });
  const revokes = (who: bigint): Buffer =>
    sigstore.authority.revocationList({ ...current, entries: [{ serial: who, at: NOW - DAY }] });
  const own = BigInt(`0x${by.certificate.serial.contents.toString("hex")}`);

  it.each<[string, Partial<KeyringRules["revoked"]>]>([
    ["a log by its key's digest", { digests: [`key:${digest(spki)}`] }],
    ["a log by its key", { certificates: [file("log.pem", writePem("PUBLIC KEY", spki))] }],
    ["the authority by its certificate", { certificates: [file("ca.pem", sigstore.authority.pem.certificate)] }],
    ["the signer by its authority's list", { crls: [file("crl", revokes(own))] }],
    [
      "the signer by its authority's list, where lists are required",
      { crls: [file("crl", revokes(own))], freshness: "require" },
    ],
  ])("is revoked: %s", (_what, revoked) => {
    expect(judge(revoked)).toBe("-EKEYREVOKED");
  });

  it("is revoked: a time-stamping authority, by the block list and by its authority's list", async () => {
    const stamper = sigstore.authority.issue({
      subject: "Clock",
      serial,
      usage: null,
      extensions: [stampUsage],
      ...PERIOD,
    });
    const claim = sigstore.bundle({ data, at: at + 60, by }) as unknown as Bundle;
    const value = Buffer.from(claim.messageSignature.signature, "base64");
    const token = await localStamper(stamper, () => (at + 60) * 1000)(value);
    const signedTimestamp = sequence(sequence(integer(0)), token).toString("base64");
    const material = {
      ...claim.verificationMaterial,
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] },
    };
    const stampedBundle = Buffer.from(JSON.stringify({ ...claim, verificationMaterial: material }));
    const certificates = [stamper, sigstore.authority].map(({ certificate }) => ({
      rawBytes: certificate.der.toString("base64"),
    }));
    const validFor = { start: new Date(PERIOD.notBefore).toISOString() };
    const json = JSON.stringify({
      ...sigstore.root,
      timestampAuthorities: [{ uri: "https://tsa.example.org", certChain: { certificates }, validFor }],
    });
    const verdict = (revoked: Partial<KeyringRules["revoked"]>) => {
      const rules = { root: file("root.json", json), identities: [me] };
      const keyring = trusting([], { sigstore: rules, ...revoking(revoked) });
      const { verdict: answered, rule } = keyring.verify(data, stampedBundle, "SIGSTORE", NOW);
      return { errno: verdictName(answered), rule };
    };
    expect(verdict({})).toEqual({ errno: "0", rule: null });
    expect(verdict({ crls: [file("crl", revokes(8n))] })).toEqual({ errno: "0", rule: null });
    const refused = { errno: "-EKEYREJECTED", rule: "sigstore TIMESTAMP_ERROR" };
    expect(verdict({ crls: [file("crl", revokes(serial))] })).toEqual(refused);
    expect(verdict({ certificates: [file("tsa.pem", stamper.pem.certificate)] })).toEqual(refused);
    expect(verdict({ digests: [`key:${digest(stamper.certificate.publicKey.spki.whole)}`] })).toEqual(refused);
  });

  it("stays good where another is revoked", () => {
    expect(judge({ crls: [file("crl", revokes(1n))], digests: [`key:${"0".repeat(64)}`] })).toBe("0");
  });
});
