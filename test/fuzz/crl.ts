/** A damaged CRL is read or refused by name, and never counts as signed unless it is what was signed. */
import { CountersignError } from "../../src/error.js";
import { Certificate } from "../../src/trust/x509/certificate.js";
import { Crl } from "../../src/trust/x509/crl.js";
import { damaged } from "../support/damage.js";
import { material } from "./material.js";
import type { FuzzTarget } from "./target.js";

const { certificates, crls } = material();
const keys = certificates.slice(0, 2).map((der) => new Certificate(der).publicKey);

export const target: FuzzTarget = {
  rounds: 200_000,
  round: (next) => check(damaged(crls[next(crls.length)] as Buffer, next)),
};

function check(input: Buffer): string {
  try {
    const crl = new Crl(input);
    const signed = keys.some((key) => crl.signedBy(key) === null);
    if (signed && !crls.some((honest) => honest.equals(input)))
      throw new Error("a signature over something else is taken");
    return signed ? "signed" : "read";
  } catch (error) {
    if (error instanceof CountersignError && error.code === "DER_MALFORMED") return "refused";
    throw error;
  }
}
