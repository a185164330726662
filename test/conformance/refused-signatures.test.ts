/**
 * Signatures that each break one rule and are valid in every other respect: each must be refused, and for that rule.
 * The files were made elsewhere; `cases.json` names the rule of each.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/config.js";
import { rulesOf } from "../../src/config/keyring-files.js";
import { verdictName } from "../../src/errno.js";
import { CountersignError } from "../../src/error.js";
import { type Keyring, openKeyring } from "../../src/trust/keyring.js";
import type { Verification } from "../../src/trust/model/verification.js";
import { spending } from "../support/spent-effort.js";
import { file, trusting } from "../support/trust.js";
import cases from "./refused-signatures/cases.json" with { type: "json" };

type Case = (typeof cases)[number] & { readonly keyring?: string };

const folder = join(import.meta.dirname, "refused-signatures");
const read = (name: string): Buffer => readFileSync(join(folder, name));
const AT = Date.UTC(2026, 0, 31, 12);

/**
 * What a case is refused with, by the name of its rule in `cases.json`: the answer, its rule, and a part of its reason.
 */
const REFUSALS: Readonly<Record<string, { errno: RegExp; rule: RegExp; reason: RegExp }>> = {
  "revoked: a certificate of `trust` is named by a list of its authority": revoked(/is revoked since|is not current/),
  "revoked: issuer of the list equal after RFC 4518 preparation": revoked(/is revoked since/),
  "revoked: indirect list, certificateIssuer in another string type, or not the first name":
    revoked(/is revoked since/),
  "revoked: named by a delta list that stands alone, is beyond its base, expired or early": revoked(/is revoked since/),
  "revoked: the newest list has an unknown critical extension; an older one does not decide": revoked(
    /is revoked since|an unknown critical extension/,
  ),
  "name constraints: excluded directory name, another string type": constrained(),
  "name constraints: excluded directory name, equal after RFC 4518 preparation": constrained(),
  "name constraints: excluded directory name, value that is no string": constrained(),
  "name constraints: certificate with an empty subject and no name": malformed(/empty/),
  "certificate: empty subject without a critical subjectAltName": malformed(/empty/),
  "name constraints: other forms of names": constrained(),
  "time stamp: key usage other than digitalSignature or nonRepudiation": {
    errno: /^-EKEYREJECTED$/,
    rule: /^RFC 5280 4\.2\.1\.(3|12)$/,
    reason: /key usage .* is not limited to signing data/,
  },
  "certificate: an extension that is understood is not decodable": malformed(/./),
  "signers: 2 by one key": { errno: /^-EKEYREJECTED$/, rule: /^number of signers$/, reason: /1 of the 2 signers/ },
  "signed attributes contradict (RFC 6211, RFC 5035, RFC 5652 11.3)": {
    errno: /^-(EKEYREJECTED|EBADMSG)$/,
    rule: /RFC 6211|RFC 5035|RFC 5652 11\.3/,
    reason: /./,
  },
  "Ed25519 key of small order": { errno: /^-(EKEYREJECTED|EBADMSG)$/, rule: /./, reason: /small order/ },
};

describe("signatures that break one rule", () => {
  it("are all here", () => {
    expect(cases).toHaveLength(54);
  });

  it("cost the same on every machine and with every version of node", { tags: ["deep"] }, () => {
    expect(cases.reduce((sum, one) => sum + spending(() => judge(one)).units, 0)).toBeCloseTo(13_232.803, 3);
  });

  for (const one of cases) {
    it(`${one.case} is refused: ${one.rule}`, () => {
      const wanted = REFUSALS[one.rule]!;
      const { verdict, rule, reason } = judge(one);
      expect(verdictName(verdict)).toMatch(wanted.errno);
      expect(rule).toMatch(wanted.rule);
      expect(reason).toMatch(wanted.reason);
    });
  }
});

function revoked(reason: RegExp): { errno: RegExp; rule: RegExp; reason: RegExp } {
  return { errno: /^-(EKEYREVOKED|EKEYREJECTED)$/, rule: /^RFC 5280 6\.3\.3/, reason };
}

function constrained(): { errno: RegExp; rule: RegExp; reason: RegExp } {
  return { errno: /^-EKEYREJECTED$/, rule: /^RFC 5280 (6\.1\.3 \([bc]\)|4\.2\.1\.10)/, reason: /name/ };
}

/**
 * A certificate that cannot be used as it stands: in the message (a verdict), or in the keyring (an error when it
 * opens).
 */
function malformed(reason: RegExp): { errno: RegExp; rule: RegExp; reason: RegExp } {
  return {
    errno: /^-(EBADMSG|EKEYREJECTED)$/,
    rule: /^(DER_MALFORMED|CERTIFICATE_MALFORMED|RFC 5280 4\.[12])/,
    reason,
  };
}

/** A keyring that does not open refuses everything, with its error as the rule. */
function judge(one: Case): Pick<Verification, "verdict" | "rule" | "reason"> {
  const data = read(one.files.data);
  const signature = "p7s" in one.files ? read(one.files.p7s as string) : null;
  try {
    return keyringOf(one).verify(data, signature, signature === null ? "MODSIG" : "PKCS7", AT);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { verdict: -129, rule: error.code, reason: error.message };
  }
}

function keyringOf({ keyring, files }: Case): Keyring {
  if (keyring !== undefined) {
    const config = parseConfig(join(folder, "countersign.yaml"), keyring).keyrings[0]!;
    return openKeyring(config.name, rulesOf(config));
  }
  const crls = "crl" in files ? [file(files.crl as string, read(files.crl as string))] : [];
  return trusting([read(files.trust)], { revoked: { crls, certificates: [], digests: [] } });
}
