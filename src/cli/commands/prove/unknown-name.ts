import { CountersignError } from "../../../error.js";
import { didYouMean } from "../../../nearest.js";

/** The error for a name of the command line that is none of those there are. */
export function unknownName(what: string, name: string, names: readonly string[]): CountersignError {
  return new CountersignError("USAGE", `there is no ${what} \`${name}\`${didYouMean(name, names)}`, {
    remedy: `name one of ${names.join(", ")}`,
  });
}
