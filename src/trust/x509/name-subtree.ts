import type { Comparison } from "./name.js";
import { prepare } from "./string-preparation.js";

/**
 * Subtrees of names that are text or addresses (RFC 5280 4.2.1.10). Only names in the canonical form of their standard
 * are compared. Software interprets other forms, such as a host with a trailing dot or a quoted mailbox, in different
 * ways, so the answer for them is `unknown`.
 */

/**
 * The subtree is a mailbox, a host, or, with a leading dot, all hosts below a domain (RFC 9598 6 for mailboxes in
 * UTF-8).
 */
export function coversMailbox(subtree: string, name: string): Comparison {
  if (subtree === "") return "yes";
  const mailbox = MAILBOX.exec(name);
  if (mailbox === null) return "unknown";
  const [, local = "", host = ""] = mailbox;
  const at = subtree.indexOf("@");
  const domain = domainCovers(subtree.slice(at + 1), host, false);
  if (at < 0 || domain !== "yes") return domain;
  const wanted = subtree.slice(0, at);
  if (local === wanted) return "yes";
  const prepared = prepare(local);
  // Only the host knows whether the local part is case-sensitive
  return prepared === null || prepared === prepare(wanted) || !LOCAL.test(wanted) ? "unknown" : "no";
}

/** The subtree is a host, with all names that add labels on its left. */
export function coversHost(subtree: string, name: string): Comparison {
  if (subtree === "") return "yes";
  const wildcard = name.startsWith("*.");
  const host = (wildcard ? name.slice(2) : name).toLowerCase();
  const wanted = subtree.toLowerCase();
  // RFC 5280 has no form with a leading dot: some software reads it as the hosts below, some as the host itself
  const base = wanted.startsWith(".") ? wanted.slice(1) : wanted;
  if (!HOST.test(host) || !HOST.test(base)) return "unknown";
  if (host === base) return wanted === base || wildcard ? "yes" : "unknown";
  if (host.endsWith(`.${base}`)) return "yes";
  // One or more of the names that a wildcard matches may lie in the subtree
  return wildcard && base.endsWith(`.${host}`) && !base.slice(0, -host.length - 1).includes(".") ? "unknown" : "no";
}

/**
 * Compares the host of a URI's authority (RFC 3986 3.2.2). The subtree is a host, or, with a leading dot, all hosts
 * below a domain.
 */
export function coversUri(subtree: string, name: string): Comparison {
  const host = URI.exec(name)?.[1]?.replace(/:\d*$/, "");
  if (host === undefined || NUMERIC.test(host)) return "unknown";
  return subtree === "" ? "yes" : domainCovers(subtree, host, true);
}

/** Whether an address lies in a subtree, which is an address and a mask of equal length, 4 or 16 octets. */
export function coversAddress(subtree: Buffer, address: Buffer): Comparison {
  const half = subtree.length / 2;
  const mask = subtree.subarray(half);
  if (!isMask(mask)) return "unknown";
  if (address.length === half) return said(within(subtree, mask, address));
  // ::ffff:0:0/96 holds IPv4 addresses (RFC 4291 2.5.5.2), and an IPv4 subtree may be meant to cover them
  const mapped = half === 4 && address.length === 16 && address.subarray(0, 12).equals(MAPPED);
  return mapped && within(subtree, mask, address.subarray(12)) ? "unknown" : "no";
}

function domainCovers(subtree: string, name: string, numeric: boolean): Comparison {
  const wanted = subtree.toLowerCase();
  const host = name.toLowerCase();
  const below = wanted.startsWith(".");
  const base = below ? wanted.slice(1) : wanted;
  if (!HOST.test(host) || !HOST.test(base) || (numeric && NUMERIC.test(base))) return "unknown";
  return said(below ? host.endsWith(wanted) : host === base);
}

function within(subtree: Buffer, mask: Buffer, address: Buffer): boolean {
  for (let index = 0; index < address.length; index++)
    if ((((address[index] as number) ^ (subtree[index] as number)) & (mask[index] as number)) !== 0) return false;
  return true;
}

/** RFC 4632 3.1: ones followed by zeros. */
function isMask(mask: Buffer): boolean {
  let length = 0;
  while (mask[length] === 0xff) length += 1;
  // The inverse of the first octet that has a zero is one less than a power of two
  const zeros = length === mask.length ? 0 : ~(mask[length] as number) & 0xff;
  if ((zeros & (zeros + 1)) !== 0) return false;
  for (let index = length + 1; index < mask.length; index++) if (mask[index] !== 0) return false;
  return true;
}

function said(yes: boolean): Comparison {
  return yes ? "yes" : "no";
}

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
/** Labels of letters, digits, hyphens, and underscores, which real host names contain; no trailing dot. */
const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
/** Some software reads a host whose last label is a number as an IPv4 address. */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;

const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\u{10ffff}-]+";
/**
 * RFC 5321 4.1.2 and RFC 6531 3.3: a Dot-string. The Quoted-string form is not supported, since it can encode the same
 * mailbox.
 */
const LOCAL = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, "iu");
const MAILBOX = new RegExp(`^(${ATOM}(?:\\.${ATOM})*)@([^@]*)$`, "iu");

/** Scheme, user information, host. Only the user information may be percent-encoded. */
const URI = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9\-._~!$&'()*+,;=:%]*@)?([a-z0-9\-._]+(?::\d*)?)(?:[/?#]|$)/i;

const MAPPED = Buffer.from("00000000000000000000ffff", "hex");
