import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import { bootOnce, GUEST_CONFIGURATION, partsOf } from "./boot.js";

/** `gate.program_releases` unless it is set. */
const LIMIT = 200;
const SECONDS = amount(3, 60);
/** Until the guest is ended. Four storms of 60 seconds are more than 1,000 on an idle machine. */
const PATIENCE = amount(850, 3500);
const STAY = amount(500, 5000);
/** Programs that are closed at once, again and again. */
const HELD = 1000;
/** How each storm of test/system/attack/storm.c closes its programs, and with how many processes or programs. */
const STORMS = ["close:8", "close:1", "kill:8"].slice(0, amount(1, 3));
const AT_ONCE = [`hold:${HELD}`].slice(0, amount(0, 1));
/** What would be released behind a gate that has no limit. */
const UNLIMITED = ["close:1"].slice(0, amount(0, 1));

/** Outside of the gate, in a folder of its own: counts what is released while each storm runs. */
const COUNT = `seconds=$1; shift
for storm; do
  while ! [ -e "begun-$storm" ]; do sleep 0.1; done
  storm count $((seconds + 2)) > "count-$storm"
done`;
/** Behind the gate, which has warmed up by then. */
const BEHIND = `seconds=$1; shift
for storm; do
  touch "begun-$storm"; sleep 1
  storm \${storm%:*} $seconds \${storm#*:}
  sleep 2
done`;
const SCRIPT = `
gate() { config=$1; shift; node /countersign/bin/countersign.js run --config /site/$config.yaml -- "$@"; }
storms() {
  config=$1; shift
  mkdir -p /tmp/$config; cd /tmp/$config
  sh /lib/count.sh "$@" &
  echo "PART $config"; gate $config sh /lib/behind.sh "$@" 2>&1
  wait
}
echo "PART stay"; gate limited storm stay ${STAY} 2>&1
${UNLIMITED.map((storm) => `storms unlimited 4 ${storm}`).join("\n")}
storms limited ${SECONDS} ${[...STORMS, ...AT_ONCE].join(" ")}
for file in /tmp/*/count-*; do echo "PART $file"; cat $file; done
`;

describe("a storm of loads and closes in a guest, whose kernel may dead-lock", () => {
  const ran = bootOnce(
    ["gcc"],
    (guest) => {
      const folder = mkdtempSync(join(tmpdir(), "storm-"));
      const program = join(folder, "storm");
      execFileSync("gcc", ["-O2", "-static", "-o", program, own("test/system/attack/storm.c")]);
      guest.program(program, "bin/storm");
      rmSync(folder, { recursive: true });
      guest.file("site/limited.yaml", GUEST_CONFIGURATION);
      guest.file("site/unlimited.yaml", GUEST_CONFIGURATION.replace("gate: {", "gate: { program_releases: 1000000,"));
      guest.file("site/policy.js", "export const bpf_prog_load = () => 0;");
      guest.file("lib/count.sh", COUNT);
      guest.file("lib/behind.sh", BEHIND);
      // the guest's time is that of its instructions, so that other work of this machine slows no storm down
      return guest.run(SCRIPT, { icount: true, seconds: PATIENCE });
    },
    PATIENCE + 50,
  );

  const released = (config: string, storm: string) => {
    const part = partsOf(ran())[`/tmp/${config}/count-${storm}`] ?? "";
    const [, most, all] = /^(\d+) in a second, (\d+) in all$/m.exec(part) ?? [];
    return { most: Number(most), all: Number(all) };
  };

  it("is none if the programs stay: no load waits", () => {
    expect(partsOf(ran()).stay, ran().console.slice(-2000)).toContain("stay: done");
    expect(partsOf(ran()).stay).toContain(`countersign: ${STAY} allowed, 0 denied\n`);
  });

  it.each(UNLIMITED)("would release more programs than the limit: %s", (storm) => {
    expect(released("unlimited", storm).most, ran().output).toBeGreaterThan(LIMIT);
  });

  it.each(STORMS)("releases no more than the limit in any second: %s", (storm) => {
    const { most } = released("limited", storm);
    expect(most, ran().output).toBeGreaterThan(LIMIT / 4);
    expect(most, ran().output).toBeLessThanOrEqual(LIMIT);
    expect(partsOf(ran()).limited).toMatch(/[1-9]\d* loads waited/);
  });

  it.each(AT_ONCE)("releases no more than the limit on average: %s", (storm) => {
    const { all } = released("limited", storm);
    expect(all, ran().output).toBeGreaterThanOrEqual(HELD);
    expect(all, ran().output).toBeLessThanOrEqual(LIMIT * SECONDS + HELD);
  });
});
