/** How an attack ended (test/system/seal/attacks/attack.h). */
export interface AttackResult {
  readonly outcome: "held" | "broken" | "skipped" | "failed";
  /** What the attack says about it. */
  readonly text: string;
  /** The reasons for which the guard denied something meanwhile, by number (enum guard_reason). */
  readonly reasons: readonly number[];
}

/** The results in what the program with the attacks wrote, by the attacks' names. */
export function attackResults(output: string): ReadonlyMap<string, AttackResult> {
  const results = new Map<string, AttackResult>();
  for (const [, name = "", outcome, text = ""] of output.matchAll(/^([\w-]+): (held|broken|skipped|failed) (.*)$/gm)) {
    const reasons = new RegExp(`^${name}: reasons(( \\d+)*)$`, "m").exec(output)?.[1] ?? "";
    const numbers = reasons.split(" ").filter((each) => each !== "");
    results.set(name, { outcome: outcome as AttackResult["outcome"], text, reasons: numbers.map(Number) });
  }
  return results;
}
