import type { Reads } from "../reads/reads.js";

/** Asks again for what was asked for before: an archive has the results of each round. */
export function inRound(reads: Reads, round: number): Reads {
  return {
    isLive: reads.isLive,
    get missing() {
      return reads.missing;
    },
    bytes: (name, read) => reads.bytes(`@round/${round}/${name}`, read),
    live: (act) => reads.live(act),
    stored: () => reads.stored(),
  };
}
