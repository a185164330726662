import { type Cursor, type Element, malformed } from "../asn1/der.js";
import { context, TAG } from "../asn1/tag.js";
import { Name } from "./name.js";

/** GeneralName (RFC 5280 4.2.1.6), by its context tag. */
export type GeneralName =
  | { readonly kind: "email" | "dns" | "uri"; readonly value: string }
  | { readonly kind: "directory"; readonly value: Name }
  | { readonly kind: "ip"; readonly value: Buffer }
  | { readonly kind: "other"; readonly value: Element };

/** Reads every GeneralName that is left. Throws DER_MALFORMED. */
export function readGeneralNames(from: Cursor): readonly GeneralName[] {
  const names: GeneralName[] = [];
  while (!from.done) names.push(readGeneralName(from.next()));
  return names;
}

/** Throws DER_MALFORMED. */
export function readGeneralName(element: Element): GeneralName {
  const kind = STRINGS[element.tag];
  if (kind !== undefined) return { kind, value: asciiOf(element) };
  if (element.tag === context(4, true)) {
    return { kind: "directory", value: new Name(element.only(TAG.sequence, "a directory name").check()) };
  }
  if (element.tag === context(7, false)) return { kind: "ip", value: element.contents };
  if (!OTHERS.has(element.tag)) throw malformed("a general name of no known kind", element.start);
  return { kind: "other", value: element.check() };
}

/** Whether two names are the same; names that need care (`other`) are compared by their bytes. */
export function sameGeneralName(a: GeneralName, b: GeneralName): boolean {
  if (a.kind === "directory") return b.kind === "directory" && a.value.equals(b.value);
  if (a.kind === "ip") return b.kind === "ip" && a.value.equals(b.value);
  if (a.kind === "other") return b.kind === "other" && a.value.equals(b.value);
  return a.kind === b.kind && a.value === b.value;
}

const STRINGS: Readonly<Record<number, "email" | "dns" | "uri">> = {
  [context(1, false)]: "email",
  [context(2, false)]: "dns",
  [context(6, false)]: "uri",
};

/** otherName, x400Address, ediPartyName, registeredID. */
const OTHERS: ReadonlySet<number> = new Set([context(0, true), context(3, true), context(5, true), context(8, false)]);

/** IA5String contents; a NUL has no place in a name that is compared as text. */
function asciiOf(element: Element): string {
  for (const octet of element.contents)
    if (octet >= 0x80 || octet === 0) throw malformed("a character that is not ASCII", element.start);
  return element.bytes.toString("latin1", element.body, element.end);
}
