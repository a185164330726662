/** The questions that the prover's solver is asked while something runs. */
import { QUERIES, type Query } from "../../src/prove/solver/solver.js";

/** Calls `each` for each question that `act` leads to. */
export function watchQueries(act: () => void, each: (query: Query) => void): void {
  const listener = (query: unknown) => each(query as Query);
  QUERIES.subscribe(listener);
  try {
    act();
  } finally {
    QUERIES.unsubscribe(listener);
  }
}
