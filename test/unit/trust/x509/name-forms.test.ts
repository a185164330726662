/** Forms of names besides directory names: subtree by name by form, permitted and excluded. */
import { describe, expect, it } from "vitest";
import { element, identifier, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { context } from "../../../../src/trust/asn1/tag.js";
import { Authority, extension } from "../../../../src/trust/issuing/authority.js";
import { judgePath, type PathVerdict } from "../../../../src/trust/path-case.js";
import type { Comparison } from "../../../../src/trust/x509/name.js";
import { nameOfValues, utf8 } from "../../../support/names.js";

const AT = Date.UTC(2026, 5, 1);
const PERIOD = { notBefore: AT - 1000, notAfter: AT + 1000 };
const { key } = Authority.create({ subject: "Key", ...PERIOD });

type Form = "email" | "dns" | "uri" | "ip" | "mailbox" | "other";
const text =
  (tag: number) =>
  (value: string): Buffer =>
    element(context(tag, false), Buffer.from(value, "latin1"));
const otherName = (type: string, value: Buffer): Buffer =>
  element(context(0, true), identifier(type), element(context(0, true), value));

const FORMS: Readonly<Record<Form, (value: string) => Buffer>> = {
  email: text(1),
  dns: text(2),
  uri: text(6),
  ip: (value) => element(context(7, false), Buffer.from(value, "hex")),
  mailbox: (value) => otherName("1.3.6.1.5.5.7.8.9", utf8(value)),
  other: (value) => otherName("1.3.6.1.4.1.311.20.2.3", utf8(value)),
};

type Row = readonly [subtree: Form, limit: string, form: Form, name: string, covered: Comparison | "apart"];

const mailboxes = (form: "email" | "mailbox"): readonly Row[] => [
  ["email", "good.example", form, "a@good.example", "yes"],
  ["email", "good.example", form, "a@GOOD.example", "yes"],
  ["email", "good.example", form, "a.b+c@good.example", "yes"],
  ["email", "good.example", form, "a@www.good.example", "no"],
  ["email", "good.example", form, "a@evil.example", "no"],
  ["email", ".good.example", form, "a@www.good.example", "yes"],
  ["email", ".good.example", form, "a@good.example", "no"],
  ["email", ".good.example", form, "a@notgood.example", "no"],
  ["email", "a@good.example", form, "a@good.example", "yes"],
  ["email", "a@good.example", form, "A@good.example", "unknown"],
  ["email", "a@good.example", form, "b@good.example", "no"],
  ["email", "a@good.example", form, "a@evil.example", "no"],
  ["email", '"a"@good.example', form, "a@good.example", "unknown"],
  ["email", "", form, "a@good.example", "yes"],
  ...[
    '"a"@good.example',
    '"a@evil.example"@good.example',
    "a@evil.example@good.example",
    "a@b@good.example",
    "a@good.example.",
    "a@.good.example",
    "a@good..example",
    "a@",
    "@good.example",
    "good.example",
    ".a@good.example",
    "a..b@good.example",
    "a b@good.example",
    "a(b)@good.example",
    "<a@good.example>",
    "a@[10.0.0.1]",
    "a@good%2eexample",
    "a@good.example ",
    "a@good.example\n",
    "a,b@good.example",
  ].map((name): Row => ["email", "good.example", form, name, "unknown"]),
  ["email", "good.example.", form, "a@good.example", "unknown"],
  ["email", "good..example", form, "a@good.example", "unknown"],
  ["email", "a@b@good.example", form, "a@good.example", "unknown"],
];

const ROWS: readonly Row[] = [
  ...mailboxes("email"),
  ...mailboxes("mailbox"),
  ["email", "good.example", "mailbox", "m\u00fcller@good.example", "yes"],
  ["email", "good.example", "mailbox", "m\u00fcller@evil.example", "no"],
  ["email", "a@good.example", "mailbox", "m\u00fcller@good.example", "no"],
  ["email", "k@good.example", "mailbox", "\u212a@good.example", "unknown"],
  ["email", "good.example", "mailbox", "a@g\u00f6od.example", "unknown"],
  ["email", "good.example", "mailbox", "a@good\u3002example", "unknown"],
  ["email", "good.example", "mailbox", "a\u00a0b@good.example", "yes"],
  ["email", "good.example", "dns", "evil.example", "apart"],
  ["other", "a@good.example", "other", "a@good.example", "unknown"],
  ["other", "a@good.example", "mailbox", "a@good.example", "unknown"],
  ["other", "a@good.example", "email", "a@good.example", "apart"],
  ["dns", "good.example", "dns", "good.example", "yes"],
  ["dns", "good.example", "dns", "GOOD.example", "yes"],
  ["dns", "good.example", "dns", "a.b.good.example", "yes"],
  ["dns", "good.example", "dns", "_a.good.example", "yes"],
  ["dns", "good.example", "dns", "notgood.example", "no"],
  ["dns", "good.example", "dns", "example", "no"],
  ["dns", "", "dns", "good.example", "yes"],
  ["dns", ".good.example", "dns", "a.good.example", "yes"],
  ["dns", ".good.example", "dns", "good.example", "unknown"],
  ["dns", ".good.example", "dns", "evil.example", "no"],
  ["dns", "good.example", "dns", "*.good.example", "yes"],
  ["dns", "good.example", "dns", "*.a.good.example", "yes"],
  ["dns", "a.good.example", "dns", "*.good.example", "unknown"],
  ["dns", "b.a.good.example", "dns", "*.good.example", "no"],
  ["dns", "evil.example", "dns", "*.good.example", "no"],
  ["dns", "good.example", "dns", "*.example", "unknown"],
  ...[
    "good.example.",
    "a.good.example.",
    "good..example",
    ".good.example",
    "*",
    "a*.good.example",
    "a.*.good.example",
    "*.*.good.example",
    "good.example:1",
    "good.example/",
    "good example",
    "good%2eexample",
    "-a.good.example",
    "a-.good.example",
    "",
    " ",
    "good.example\n",
    `${"a".repeat(64)}.good.example`,
    `${"a.".repeat(130)}good.example`,
  ].map((name): Row => ["dns", "good.example", "dns", name, "unknown"]),
  ["dns", "good.example.", "dns", "good.example", "unknown"],
  ["dns", "*.good.example", "dns", "a.good.example", "unknown"],
  ["uri", "good.example", "uri", "https://good.example/path", "yes"],
  ["uri", "good.example", "uri", "https://user:p%40ss@GOOD.example:443?q#f", "yes"],
  ["uri", "good.example", "uri", "https://good.example@evil.example/", "no"],
  ["uri", "good.example", "uri", "https://evil.example/@good.example", "no"],
  ["uri", "good.example", "uri", "https://a.good.example", "no"],
  ["uri", ".good.example", "uri", "https://a.good.example", "yes"],
  ["uri", ".good.example", "uri", "https://good.example", "no"],
  ["uri", "", "uri", "https://good.example", "yes"],
  ...[
    "https://good.example./",
    "https://good%2eexample/",
    "https://%67ood.example",
    "https://good.example\\@evil.example",
    "https://good.example:x/",
    "https://a@b@good.example/",
    "https://10.0.0.1/",
    "https://0x7f.1/",
    "https://good.0x1/",
    "https://[::1]/",
    "urn:good.example",
    "https:good.example",
    "https:///good.example",
    "//good.example",
    "good.example",
    "https://",
    "",
    "https://good.example \n",
    " https://good.example",
    "https://go\tod.example/",
    "https://good..example/",
  ].map((name): Row => ["uri", "good.example", "uri", name, "unknown"]),
  ["uri", "good.example.", "uri", "https://good.example", "unknown"],
  ["uri", "10.0.0.1", "uri", "https://good.example", "unknown"],
  ["ip", "0a000000ff000000", "ip", "0a010101", "yes"],
  ["ip", "0a000000ff000000", "ip", "0b010101", "no"],
  ["ip", "0a000000ff000000", "ip", "20010db8000000000000000000000001", "no"],
  ["ip", "0a000000ff000000", "ip", "00000000000000000000ffff0a010101", "unknown"],
  ["ip", "0a000000ff000000", "ip", "00000000000000000000ffff0b010101", "no"],
  ["ip", "0a000000ff00ff00", "ip", "0a010101", "unknown"],
  ["ip", "0a00000000ffffff", "ip", "0b000001", "unknown"],
  [
    "ip",
    "20010db8000000000000000000000000ffffffff000000000000000000000000",
    "ip",
    "20010db8000000000000000000000001",
    "yes",
  ],
  [
    "ip",
    "20010db8000000000000000000000000ffffffff000000000000000000000000",
    "ip",
    "20010db9000000000000000000000001",
    "no",
  ],
  ["ip", "20010db8000000000000000000000000ffffffff000000000000000000000000", "ip", "0a010101", "no"],
];

function judge(list: 0 | 1, [subtree, limit, form, name]: Row, critical = false): PathVerdict {
  const limits = sequence(element(context(list, true), sequence(FORMS[subtree](limit))));
  const constraints = extension(EXTENSION.nameConstraints, limits, true);
  const names = extension(EXTENSION.subjectAltName, sequence(FORMS[form](name)), critical);
  return verdict(Authority.create({ subject: "Root", key, extensions: [constraints], ...PERIOD }), "Signer", [names]);
}

function verdict(root: Authority, subject: string | Buffer, extensions: readonly Buffer[]): PathVerdict {
  const leaf = root.issue({ subject, key, extensions, ...PERIOD });
  const rules = { usage: [], policies: [], freshness: null, crls: [], untrusted: [], at: AT };
  return judgePath({ trust: [root.pem.certificate], leaf: leaf.pem.certificate, ...rules });
}

const GOOD = { ok: true, rule: null };

describe("name constraints", () => {
  it.each(ROWS)("of %s %j: %s %j is covered: %s", (...row) => {
    const covered = row[4];
    expect(judge(0, row)).toMatchObject(
      covered === "yes" || covered === "apart" ? GOOD : { errno: "EKEYREJECTED", rule: "RFC 5280 6.1.3 (b)" },
    );
    expect(judge(1, row)).toMatchObject(
      covered === "no" || covered === "apart" ? GOOD : { errno: "EKEYREJECTED", rule: "RFC 5280 6.1.3 (c)" },
    );
  });

  it.each(ROWS.filter(([, , form]) => form === "email"))(
    "of %s %j hold for emailAddress in the subject, %s %j: %s",
    (...row) => {
      const [, limit, , name, covered] = row;
      const subject = nameOfValues(["1.2.840.113549.1.9.1", utf8(name)]);
      const outcome = [0, 1].map((list) => {
        const limits = sequence(element(context(list, true), sequence(FORMS[row[0]](limit))));
        const extensions = [extension(EXTENSION.nameConstraints, limits, true)];
        return verdict(Authority.create({ subject: "Root", key, extensions, ...PERIOD }), subject, []).ok;
      });
      expect(outcome).toEqual([covered === "yes" || covered === "apart", covered === "no" || covered === "apart"]);
    },
  );
});
