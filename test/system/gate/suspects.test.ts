import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { needs, needsGate, Site, UNTHROTTLED } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

const TRIES = amount(150, 3000);
/** SHA-256 of `r0 = 1; exit`, its first 8 bytes: the program that is forbidden. */
const FORBIDDEN = "b11459a0e11ca14c";
/** Every hook is asked, so that all of a call is decided on copies. */
const POLICY = `
import { deny, note } from "countersign";
const about = (subject) => { note(subject.name); return 0; };
export function bpf_prog_load(prog) {
  if (prog.tag === "${FORBIDDEN}") return deny("is the forbidden program");
  return prog.maps.some((map) => map.value_size === 16) ? deny("uses the forbidden map") : about(prog);
}
export const bpf_prog = about;
export const bpf_map_create = about;
export const bpf_map = about;
export const bpf = about;
`;

describe("a command that has kept the gate waiting", () => {
  let site: Site;
  const cgroup = cgroupForTests();

  beforeAll(() => {
    site = new Site(POLICY, `gate: { ${UNTHROTTLED} }\n`);
    site.write("file", readFileSync("/bin/true"));
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
    site.forgetLog();
  });

  const env = () => ({
    BPFFS: site.bpffs,
    FILE: join(site.folder, "file"),
    CGROUP: cgroup.folder,
    SOCKET: join(site.folder, "socket"),
    GATED: "1",
    OWN_PIN: join(site.bpffs, "own"),
  });
  /** What comes of an attack, once its like are suspect or before. */
  const attack = (name: string, words: readonly string[], suspect: boolean) => {
    const line = [site.attack(name), ...words].join(" ");
    const before = suspect ? `${site.attack("traps")} stall; ` : "";
    const { stdout } = site.runWith([], env(), "sh", "-c", `${before}exec ${line}`);
    return stdout.split("\n").filter((line) => line !== "stalled: killed" && !line.startsWith("  gives 0, 0 bytes"));
  };

  it.each(["fds", "rewrite", "capabilities", "shapes", "loaders", "callers"].slice(0, amount(2, 6)))(
    "is answered as any other one: %s",
    (name) => {
      expect(attack("traps", [name], true)).toEqual(attack("traps", [name], false));
    },
  );

  it.for(["attachments", "runs", "links", "tracepoints", "pins", "types"].slice(0, amount(2, 6)))(
    "has its commands carried out as any other one: %s",
    (name, context) => {
      cgroup.needed(context);
      expect(attack("commands", [name], true)).toEqual(attack("commands", [name], false));
    },
  );

  it("has each of its decisions made once, however many turns a call takes", () => {
    const decided = (suspect: boolean) => {
      site.forgetLog();
      attack("traps", ["rewrite"], suspect);
      const lines = site.log.filter(({ denied_by }) => denied_by?.code !== "DENIED_BY_GATE");
      return lines.map(({ hook, subject, answers }) => [hook, subject.name, answers?.flatMap(({ notes }) => notes)]);
    };
    const plain = decided(false);
    expect(plain.length).toBeGreaterThan(2);
    // before: what the task that stalled asked with registers alone
    expect(decided(true).slice(-plain.length)).toEqual(plain);
  });

  it.each(["insns", "pointer", "fd"])(
    `never gets what the policy refuses in ${TRIES} tries that change its %s`,
    (kind) => {
      const line = attack("race", [kind, String(TRIES), FORBIDDEN], true).find((one) => one.startsWith("tries"));
      const [, tries, loaded, forbidden] = /^tries (\d+) loaded (\d+) forbidden (\d+)$/.exec(line ?? "") ?? [];
      expect([tries, forbidden]).toEqual([String(TRIES), "0"]);
      expect(Number(loaded)).toBeGreaterThan(TRIES / 50);
      expect(TRIES - Number(loaded)).toBeGreaterThan(TRIES / 50);
    },
  );
});
