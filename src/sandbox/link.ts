/** What a linked policy is called with once for each runtime, in this order; policy/assemble.ts names its parameters so. */
export const LINK = [
  "box",
  "current",
  "subjects",
  "guest",
  "moreSteps",
  "unused",
  "dropping",
  "metered",
  "answered",
  "threw",
  "freeze",
] as const;

export type Linked = (typeof LINK)[number];
