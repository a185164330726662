import type { DecisionRequest } from "../../engine/decision/request.js";
import { CountersignError } from "../../error.js";
import { RequestReader } from "./request-reader.js";

/** Contents of maps are part of an engine's state: another decision of the same engine would see them. */
const NO_MAPS = {
  requireContents(): never {
    throw new CountersignError("USAGE", "`maps` cannot be given to an open engine", {
      remedy: "write the contents to the files of the maps, or use `countersign check --request`",
    });
  },
};

/**
 * The request for a decision that an object describes, in the form of a line of `countersign check --request`, such as
 * `{ command: { name: "BPF_OBJ_PIN", path: "/sys/fs/bpf/x" }, uid: 1000 }`: all kinds of subjects, described or
 * recorded. Throws CONFIG_INVALID for what such a line cannot have, with `place` and column, and USAGE for `maps`.
 */
export function describedRequest(request: object, place = "request"): DecisionRequest {
  const question = new RequestReader(place, { programs: null }, NO_MAPS).question(1, JSON.stringify(request));
  if (question instanceof CountersignError) throw question;
  return question;
}
