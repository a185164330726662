/** `audit`: what an attachment would refuse is recorded and let through. */
export type Mode = "enforce" | "audit";
