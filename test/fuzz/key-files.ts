/** Files of a keyring that are text: allowed signers, keys of minisign, PEM, and listings of the kernel's keys. */

import { writePem } from "../../src/trust/asn1/pem.js";
import { readKernelListing } from "../../src/trust/kernel-listing.js";
import { readMaterial } from "../../src/trust/source/source.js";
import { damaged } from "../support/damage.js";
import { MINISIGN_KEY, SSH_LINE } from "../support/foreign-vectors.js";
import { material } from "./material.js";
import { type FuzzTarget, outcome } from "./target.js";

const { root } = material();
const files = [
  SSH_LINE,
  `# who\nme@example.org namespaces="file,g*",valid-after="20200101Z",valid-before="20400101120000Z" ${SSH_LINE}\n`,
  `untrusted comment: minisign public key\n${MINISIGN_KEY}\n`,
  writePem("CERTIFICATE", root.der),
  writePem("PUBLIC KEY", root.publicKey.spki.whole),
].map((text) => Buffer.from(text));
const listing = Buffer.from(
  `Keyring\n 43812345 ---lswrv      0     0   \\_ asymmetric: Root: ${"5b".repeat(20)}
1a39e171 I------     1 perm 1f030000     0     0 asymmetri Root: ${"5b".repeat(20)}: X509.rsa 5b492c14 []\n`,
);

export const target: FuzzTarget = {
  rounds: 100_000,
  round: (next) => {
    if (next(4) === 0) return `${readKernelListing(damaged(listing, next).toString("utf8")).length} listed`;
    const bytes = damaged(files[next(files.length)] as Buffer, next);
    return outcome(() => readMaterial([{ path: "file", bytes }]));
  },
};
