import { readFileSync } from "node:fs";

/** Modules as they are; modules whose work is counted (support/work.ts); or modules some of which are replaced. */
export const KINDS_OF_MODULES = ["plain", "counted", "replaced"] as const;
export type KindOfModules = (typeof KINDS_OF_MODULES)[number];

/** The modules that a file of tests needs. */
export function neededModules(file: string): KindOfModules {
  const text = readFileSync(file, "utf8");
  if (/\bvi\.(?:mock|doMock)\(/.test(text)) return "replaced";
  return text.includes('/support/work.js"') ? "counted" : "plain";
}
