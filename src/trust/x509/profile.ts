/**
 * `strict`: certificates and CRLs below an anchor must also meet what RFC 5280 requires of the authorities that issue
 * them.
 */
export type Profile = "strict" | "compatible";
