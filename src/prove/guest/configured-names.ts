import { beginning, type ConfiguredNames } from "./path.js";

let known: ConfiguredNames = beginning;

/** The names that the policy that is asked now can give to helpers. */
export function configuredNames(): ConfiguredNames {
  return known;
}

/** Calls a function while the names of a configuration are known. */
export function withNames<T>(names: ConfiguredNames, act: () => T): T {
  const before = known;
  known = names;
  try {
    return act();
  } finally {
    known = before;
  }
}
