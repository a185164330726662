import { describe, expect, it } from "vitest";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { message, signerInfo } from "../../../support/cms.js";
import { trusting } from "../../../support/trust.js";

const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const between = root.subordinate({ subject: "Between" });
const signer = between.issue({ subject: "Signer" });
const keyring = trusting([root.pem.certificate]);

const CERTIFICATES = { leaf: signer, between, root };
type Name = keyof typeof CERTIFICATES;
const names = Object.keys(CERTIFICATES) as Name[];
const ORDERS: readonly (readonly Name[])[] = names.flatMap((first) =>
  names
    .filter((name) => name !== first)
    .flatMap((second) => {
      const third = names.find((name) => name !== first && name !== second) as Name;
      return [
        [first, second, third],
        [first, first, second, third],
        [first, second, third, first],
        [first, second, second, third, third],
      ];
    }),
);

describe("certificates of a message", () => {
  it.each(ORDERS.map((order) => [order.join(", "), order] as const))("count in this order: %s", (_, order) => {
    const certificates = order.map((name) => CERTIFICATES[name].certificate.der);
    const cms = message([signerInfo(data, signer)], { certificates });
    expect(keyring.verify(data, cms, "PKCS7", Date.now())).toMatchObject({ verdict: 0, signer: "CN=Signer" });
  });

  it("count as many as there are, those twice included", () => {
    const many = (count: number) => [...Array(count).fill(signer.certificate.der), between.certificate.der];
    const judge = (count: number) =>
      keyring.verify(data, message([signerInfo(data, signer)], { certificates: many(count) }), "PKCS7", Date.now());
    expect(judge(63).verdict).toBe(0);
    expect(judge(64)).toMatchObject({ reason: expect.stringContaining("more than 64 certificates") });
  });
});
