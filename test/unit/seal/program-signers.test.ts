import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { programSigners } from "../../../src/seal/program-signers.js";

/** A certificate in PEM with a key of this type. */
function certificate(...type: readonly string[]): Buffer {
  return execFileSync(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        "-newkey",
        ...type,
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=Signer",
        "-days",
        "36500",
      ],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
}

describe("the signers of programs", () => {
  const rsa = certificate("rsa:2048");
  const ecdsa = certificate("ec", "-pkeyopt", "ec_paramgen_curve:P-256");

  it("are the certificates of a file, in DER", () => {
    const found = programSigners({ path: "signers.pem", bytes: Buffer.concat([rsa, ecdsa]) });
    const expected = [rsa, ecdsa].map((pem) => execFileSync("openssl", ["x509", "-outform", "DER"], { input: pem }));
    expect(found.map((each) => Buffer.from(each))).toEqual(expected);
  });

  it.each([
    ["has no certificate", Buffer.from("-----BEGIN NOTHING-----\n-----END NOTHING-----\n")],
    ["has a key that the kernel does not know", Buffer.concat([rsa, certificate("ed25519")])],
  ])("cannot be read from a file that %s", (_, bytes) => {
    expect(() => programSigners({ path: "signers.pem", bytes })).toThrow(
      expect.objectContaining({ place: expect.stringContaining("signers.pem") }),
    );
  });

  it("must have keys whose signatures the kernel verifies", () => {
    expect(() => programSigners({ path: "signers.pem", bytes: certificate("ed25519") })).toThrow(
      expect.objectContaining({ code: "SEAL_KEY_UNSUPPORTED" }),
    );
  });
});
