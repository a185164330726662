/** `strict`: below an anchor, certificates and lists are held to what RFC 5280 asks of authorities as well. */
export type Profile = "strict" | "compatible";
