/** Files with the signatures of several signers, one after the other, of each format that can have them. */
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { SIGNATURE_TYPES } from "../../../../src/policy/model/signature-types.gen.js";
import { MAX_EFFORT } from "../../../../src/trust/base/effort.js";
import type { SignatureFormat } from "../../../../src/trust/formats/format.js";
import { FORMATS, type SignatureType } from "../../../../src/trust/formats/formats.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { signKernel, signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { minisignLine, signMinisign } from "../../../../src/trust/issuing/sign-minisign.js";
import { signSshsig, sshLine } from "../../../../src/trust/issuing/sign-sshsig.js";
import { PublicKey } from "../../../../src/trust/key/key.js";
import type { KeyringRules } from "../../../../src/trust/keyring.js";
import { trusting } from "../../../support/trust.js";
import { worked } from "../../../support/work.js";

const data = Buffer.from("instructions");
const other = Buffer.from("of another version");

/** A signer: what a keyring trusts of it, and its signature over data. */
interface Party {
  readonly trust: string;
  readonly sign: (over: Uint8Array) => Buffer;
}

const ed25519 = (): KeyObject => generateKeyPairSync("ed25519").privateKey;

const PARTIES: Readonly<Record<string, () => Party>> = {
  "PKCS7 below an authority": () => {
    const root = Authority.create({ subject: `Root ${randomBytes(4).toString("hex")}` });
    const signer = root.issue({ subject: "Signer" });
    return { trust: root.pem.certificate, sign: (over) => signPkcs7(over, signer) };
  },
  "PKCS7 below an intermediate authority": () => {
    const root = Authority.create({ subject: `Root ${randomBytes(4).toString("hex")}` });
    const between = root.subordinate({ subject: "Between" });
    const signer = between.issue({ subject: "Signer" });
    return {
      trust: root.pem.certificate,
      sign: (over) => signPkcs7(over, { ...signer, chain: [between.certificate] }),
    };
  },
  "PKCS7 by a trusted certificate, as the kernel takes it": () => {
    const signer = Authority.create({ subject: "Signer", keyUsage: [0] });
    return { trust: signer.pem.certificate, sign: (over) => signKernel(over, signer, {}) };
  },
  SSHSIG: () => {
    const key = ed25519();
    return { trust: sshLine(key), sign: (over) => signSshsig(over, key, "file") };
  },
  MINISIGN: () => {
    const identity = { key: ed25519(), id: randomBytes(8) };
    return { trust: minisignLine(identity), sign: (over) => signMinisign(over, identity, "a comment") };
  },
};
const typeOf = (name: string) => name.split(" ")[0] as SignatureType;

afterEach(() => vi.restoreAllMocks());

it("each format that can have several signatures has a party here", () => {
  const several = SIGNATURE_TYPES.filter((type) => (FORMATS[type] as SignatureFormat).several !== null);
  expect([...new Set(Object.keys(PARTIES).map(typeOf))].sort()).toEqual([...several].sort());
});

describe.each(Object.entries(PARTIES))("signatures of several signers: %s", (name, make) => {
  const type = typeOf(name);
  const [a, b, foreign] = [make(), make(), make()];
  const verify = (trust: readonly Party[], signature: Uint8Array, rules: Partial<KeyringRules> = {}) =>
    trusting(
      trust.map((party) => party.trust),
      rules,
    ).verify(data, signature, type, Date.now());
  const joined = (...parts: readonly Buffer[]) => Buffer.concat(parts);
  const both = joined(a.sign(data), b.sign(data));

  it("are valid if the keyring trusts one of them, in either order", () => {
    for (const file of [both, joined(b.sign(data), a.sign(data))]) {
      for (const party of [a, b]) {
        const alone = verify([party], party.sign(data));
        expect(verify([party], file)).toMatchObject({ verdict: 0, signer: alone.signer });
      }
      expect(verify([a, b], file).verdict).toBe(0);
    }
  });

  it("are by nobody whom the keyring knows if it trusts none of them", () => {
    expect(verify([foreign], both)).toMatchObject({
      verdict: -ERRNO.ENOKEY,
      reason: expect.stringContaining("none of 2 signatures is by the keyring"),
    });
  });

  it("count together if the keyring requires several signers", () => {
    const two = { signers: 2 };
    const all = verify([a, b], both, two);
    expect([all.verdict, all.signers.length]).toEqual([0, 2]);
    expect(verify([a], both, two)).toMatchObject({ verdict: -ERRNO.EKEYREJECTED, rule: "number of signers" });
    const twice = joined(a.sign(data), a.sign(data));
    expect(verify([a, b], twice, two)).toMatchObject({ verdict: -ERRNO.EKEYREJECTED, rule: "number of signers" });
  });

  it("are valid if one of them is over other data, and not if all of the keyring's are", () => {
    expect(verify([a, b], joined(a.sign(other), b.sign(data))).verdict).toBe(0);
    expect(verify([a], joined(a.sign(other), b.sign(data))).verdict).toBe(-ERRNO.EKEYREJECTED);
    expect(verify([a], joined(b.sign(data), a.sign(other))).verdict).toBe(-ERRNO.EKEYREJECTED);
  });

  it("are malformed as a whole if one is", () => {
    const mine = a.sign(data);
    for (const file of [
      joined(mine, Buffer.from("x")),
      joined(mine, Buffer.of(0x30, 0)),
      joined(mine, b.sign(data).subarray(0, -9)),
      joined(Buffer.of(5, 0), mine),
    ])
      expect(verify([a], file).verdict).toBe(-ERRNO.EBADMSG);
  });

  it("of other keyrings cost no arithmetic", () => {
    const one = foreign.sign(data);
    const many = Array.from({ length: 60 }, () => one);
    const arithmetic = vi.spyOn(PublicKey.prototype, "verify");
    const keyring = trusting([a.trust]);
    expect(keyring.verify(data, joined(...many), type, Date.now()).verdict).toBe(-ERRNO.ENOKEY);
    expect(arithmetic).not.toHaveBeenCalled();
    const alone = trusting([a.trust]);
    expect(alone.verify(data, a.sign(data), type, Date.now()).verdict).toBe(0);
    const needed = arithmetic.mock.calls.length;
    arithmetic.mockClear();
    expect(trusting([a.trust]).verify(data, joined(...many, a.sign(data)), type, Date.now()).verdict).toBe(0);
    expect(arithmetic).toHaveBeenCalledTimes(needed);
  });

  it("of the keyring's own signers share one limit of effort", () => {
    const wrong = Array.from({ length: 17 }, () => a.sign(other));
    const { result, blocks } = worked(() => verify([a], joined(...wrong)));
    expect(result).toMatchObject({ verdict: -ERRNO.EKEYREJECTED, rule: "effort limit" });
    expect(blocks).toBeLessThan(100 * MAX_EFFORT);
    expect(verify([a], joined(...wrong.slice(2), a.sign(data))).verdict).toBe(0);
  });
});
