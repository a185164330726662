import { CountersignError } from "./error.js";

/** The places (`file:line:column`) of the paths of `signatures` and `log` in a configuration, by absolute path. */
export type PathPlaces = Readonly<Record<string, string>>;

/** Calls `use`. An error about one of the paths gets the place where the configuration names it in front of its own. */
export function placing<Result>({ pathPlaces }: { readonly pathPlaces: PathPlaces }, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    throw placed(pathPlaces, error);
  }
}

/** {@link placing} for an operation that returns a promise. */
export async function placingAsync<Result>(
  { pathPlaces }: { readonly pathPlaces: PathPlaces },
  use: () => Promise<Result>,
): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    throw placed(pathPlaces, error);
  }
}

function placed(places: PathPlaces, error: unknown): unknown {
  if (!(error instanceof CountersignError) || error.place === undefined) return error;
  const place = places[error.place];
  return place === undefined ? error : error.within(place);
}
