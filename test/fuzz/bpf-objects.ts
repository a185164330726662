import { factsOfFile } from "../../src/bpf/embedded.js";
import { programDetailsOf } from "../../src/bpf/report/program-details.js";
import { damaged } from "../support/damage.js";
import { example } from "../support/examples.js";
import { type FuzzTarget, outcome } from "./target.js";

const sources = ["rate-limit", "exec-guard", "switch-watch", "legacy-count", "xdp-steer", "xdp-steer.be"].map(example);

/** Objects of both byte orders with a few bytes changed, anywhere. */
export const target: FuzzTarget = {
  rounds: 100_000,
  round(next) {
    const bytes = damaged(sources[next(sources.length)]!, next);
    return outcome(() => factsOfFile(bytes, (program) => programDetailsOf(program)));
  },
};
