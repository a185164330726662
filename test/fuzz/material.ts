/** Well-made certificates, CRLs and messages for fuzzers to damage. Keys are fresh, so that only the shapes are the same each time. */
import { Authority } from "../../src/trust/authority.js";
import type { Certificate } from "../../src/trust/certificate.js";
import { signKernel, signPkcs7 } from "../../src/trust/sign.js";

export interface FuzzMaterial {
  readonly root: Certificate;
  readonly data: Buffer;
  readonly certificates: readonly Buffer[];
  readonly crls: readonly Buffer[];
  readonly messages: readonly Buffer[];
  readonly all: readonly Buffer[];
}

export function material(): FuzzMaterial {
  const root = Authority.create({ subject: "Root" });
  const middle = root.subordinate({
    subject: [
      ["2.5.4.10", "Example"],
      ["2.5.4.3", "Middle"],
    ],
    authority: 2,
  });
  const signers = (["p-256", "rsa-2048", "ed25519"] as const).map((key) =>
    middle.issue({ subject: `Signer ${key}`, key }),
  );
  const data = Buffer.from("what is signed");
  const chain = [middle.certificate];
  const certificates = [root.certificate, middle.certificate, ...signers.map(({ certificate }) => certificate)].map(
    ({ der }) => der,
  );
  const crls = [root.revocationList(), middle.revocationList({ entries: [{ serial: 5n }, { serial: 6n }] })];
  const messages = signers.flatMap((signer) => [signPkcs7(data, { ...signer, chain }), signKernel(data, signer)]);
  return { root: root.certificate, data, certificates, crls, messages, all: [...certificates, ...crls, ...messages] };
}
