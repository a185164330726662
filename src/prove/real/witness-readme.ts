import { decisionWords } from "../witness/decision-words.js";
import type { CheckedWitness } from "./checked-witness.js";

/** The README of a folder with a witness: what it shows, and the commands that show it. */
export function readmeOf(conditions: readonly string[], checked: readonly CheckedWitness[]): string {
  const commands = checked.map(({ command, found }) => {
    return `    ${command}\n\ndecides: ${decisionWords(found)}\n`;
  });
  return `# A witness

\`countersign prove witness\` made these files. They satisfy:

${conditions.map((one) => `- ${one}`).join("\n") || "- (any would do)"}

${commands.join("\n")}
The policies are those of the configuration that was explored, where they are: after a change of them, the same command
shows what they decide now. The keys in \`keys\` are for this witness only.
`;
}
