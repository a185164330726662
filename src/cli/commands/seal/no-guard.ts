import { CountersignError } from "../../../error.js";

export function noGuard(): CountersignError {
  return new CountersignError("SEAL_NOT_RUNNING", "no guard runs on this machine", {
    remedy: "start one with `countersign seal start`",
  });
}
