import { CountersignError } from "../../../error.js";
import { didYouMean } from "../../../nearest.js";

/** The error for a name of the command line that is none of those there are. */
export function unknownName(what: string, name: string, names: readonly string[]): CountersignError {
  return new CountersignError("USAGE", `there is no ${what} \`${name}\`${didYouMean(name, names)}`, {
    remedy: names.length === 0 ? "leave the name out: there are none" : `name one of ${names.join(", ")}`,
  });
}
