/**
 * A damaged certificate is read or refused by name, and never counts as signed by its authority unless it is what was
 * signed.
 */
import { CountersignError } from "../../src/error.js";
import { Certificate } from "../../src/trust/x509/certificate.js";
import { damaged } from "../support/damage.js";
import { material } from "./material.js";
import type { FuzzTarget } from "./target.js";

const { certificates } = material();
const [root, middle] = certificates.slice(0, 2).map((der) => new Certificate(der)) as [Certificate, Certificate];
const honest = new Set(certificates.map((der) => new Certificate(der).tbs.key));

export const target: FuzzTarget = {
  rounds: 200_000,
  round: (next) => check(damaged(certificates[next(certificates.length)] as Buffer, next)),
};

function check(input: Buffer): string {
  try {
    const certificate = new Certificate(input);
    void [certificate.issuer.key, certificate.subject.toString(), certificate.selfIssued, certificate.unknownCritical];
    const signed = [root, middle].some(({ publicKey }) => certificate.signedBy(publicKey) === null);
    if (signed && !honest.has(certificate.tbs.key)) throw new Error("a signature over something else is taken");
    return signed ? "signed" : "read";
  } catch (error) {
    if (error instanceof CountersignError && error.code === "DER_MALFORMED") return "refused";
    throw error;
  }
}
