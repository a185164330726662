import { CountersignError } from "../../src/error.js";

/** The error with which `act` rejects its input. */
export function rejection(act: () => unknown): CountersignError {
  try {
    act();
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
  throw new Error("nothing was rejected");
}
