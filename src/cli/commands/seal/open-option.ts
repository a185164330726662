import { CountersignError } from "../../../error.js";
import type { OpenUntil } from "../../../seal/sealing.js";

export const OPEN_OPTION = "--open-until-lock [seconds]";
export const OPEN_HELP =
  "record loads that would be denied, and allow them, until `seal lock`, or at most for so many seconds";

/** What help says about the option. */
export const OPEN_TEXT = `\
With --open-until-lock, programs can be loaded while the machine starts: those that would be denied are recorded. The
guard protects itself from the beginning, and denies what could undo it. \`seal lock\` then denies every load until the
next boot. Root can put off \`seal lock\`: with a number of seconds, the guard locks by itself after that time, and
nobody can prolong it.`;

/** A year. */
const MOST = 366 * 86_400;

/** Until when loads are only recorded; null without the option. Throws USAGE. */
export function openUntil(text: string | true | undefined, audit: boolean): OpenUntil | null {
  if (text === undefined) return null;
  if (audit)
    throw new CountersignError("USAGE", "--audit and --open-until-lock exclude each other", {
      remedy: "give one of them; under --audit nothing is denied at all",
    });
  if (text === true) return "lock";
  const seconds = Number(text);
  if (/^\d{1,8}$/.test(text) && seconds >= 1 && seconds <= MOST) return seconds;
  throw new CountersignError("USAGE", `\`${text}\` is not a number of seconds from 1 to ${MOST}`, {
    remedy: "write `--open-until-lock 300`, or leave the number out",
  });
}
