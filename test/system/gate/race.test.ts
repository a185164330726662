import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { needs, needsGate, Site, UNTHROTTLED } from "./site.js";

/** SHA-256 of `r0 = 1; exit`, its first 8 bytes: the program that is forbidden. */
const FORBIDDEN = "b11459a0e11ca14c";
const POLICY = `
import { deny } from "countersign";
export function bpf_prog_load(prog) {
  if (prog.tag === "${FORBIDDEN}") return deny("is the forbidden program");
  if (prog.type === "xdp") return deny("is an xdp program");
  return prog.maps.some((map) => map.value_size === 16) ? deny("uses the forbidden map") : 0;
}
`;
/** What a thread changes back and forth while another one loads; 20,000 tries in all, and 200,000 at night. */
const TRIES = {
  insns: amount(8_000, 80_000),
  pointer: amount(6_000, 60_000),
  type: amount(3_000, 30_000),
  fd: amount(3_000, 30_000),
} as const;
type Kind = keyof typeof TRIES;

describe("a program that changes between the look and the use", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(POLICY);
    site.write(
      "countersign.yaml",
      `version: 1\ngate: { ${UNTHROTTLED} }\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n`,
    );
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  const counts = (stdout: string) => {
    const [, tries, loaded, forbidden] = /^tries (\d+) loaded (\d+) forbidden (\d+)$/m.exec(stdout) ?? [];
    return { tries: Number(tries), loaded: Number(loaded), forbidden: Number(forbidden) };
  };

  for (const kind of Object.keys(TRIES) as Kind[])
    it(`never loads what the policy refuses in ${TRIES[kind]} tries that change its ${kind}`, () => {
      const { tries, loaded, forbidden } = counts(
        site.run(site.attack("race"), kind, String(TRIES[kind]), FORBIDDEN).stdout,
      );
      expect({ tries, forbidden }).toEqual({ tries: TRIES[kind], forbidden: 0 });
      // both states were met: the race was on
      expect(loaded).toBeGreaterThan(tries / 50);
      expect(tries - loaded).toBeGreaterThan(tries / 50);
    });

  for (const kind of ["insns", "pointer", "type"] as const)
    it(`loads it through a naive gate that answers CONTINUE, within as many tries that change its ${kind}`, () => {
      const race = [site.attack("race"), kind, String(TRIES[kind]), FORBIDDEN, "until-forbidden"];
      const { forbidden } = counts(site.bare(site.attack("naive"), ...race).stdout);
      expect(forbidden).toBeGreaterThan(0);
    });
});
