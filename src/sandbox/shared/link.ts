/**
 * The arguments of a linked policy, which is called once for each runtime; policy/linker/assemble.ts uses these names
 * for its parameters.
 */
export const LINK = [
  "integers",
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
  "reached",
  "library",
] as const;

export type Linked = (typeof LINK)[number];
