/** What an answer of the prover assumes, as text and as Markdown. */
export function assumptionsText(assumptions: readonly string[]): string {
  return ["Assumed:", ...assumptions.map((one) => `- ${one}`)].join("\n");
}
