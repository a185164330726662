/**
 * Each command of bpf(2) in several ways, by tasks that lack each capability, or have it alone, as root and as another
 * user: behind a gate the errno is the same as without. Runs a tenth of the family, the same one each time; all of it
 * with COUNTERSIGN_COMPLETE=1, as `npm run test:complete` does.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CAPABILITY_NAMES } from "../../../src/capability.js";
import { numbers } from "../../support/damage.js";
import { amount } from "../nightly.js";
import { BIN, needs, needsGate, Site, UNTHROTTLED } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

const COMPLETE = process.env.COUNTERSIGN_COMPLETE === "1";
const SEED = 0x5eed;
const NOBODY = 65534;

const OBJECTS = ["bpf_prog_load", "bpf_prog", "bpf_map_create", "bpf_map"];
const allowing = (hooks: readonly string[]) => hooks.map((hook) => `export const ${hook} = () => 0;\n`).join("");

/** A set of capabilities, one bit each, and the user who has it. */
interface Having {
  readonly uid: number;
  readonly set: bigint;
}

const bit = (name: string) => 1n << BigInt(CAPABILITY_NAMES.indexOf(name));
const SYS_ADMIN = bit("CAP_SYS_ADMIN");
const BPF = bit("CAP_BPF");
/** What a task needs to become another user, and a gate to read its memory then. */
const CHANGING = bit("CAP_SETUID") | bit("CAP_SETGID") | bit("CAP_SYS_PTRACE");
/** What this machine gives root. */
const ALL = BigInt(`0x${/^CapPrm:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`);

/**
 * Without each capability, with each alone, and both without CAP_SYS_ADMIN, which stands for many, and with CAP_BPF.
 */
const FAMILY: readonly Having[] = [0, NOBODY].flatMap((uid) => {
  const each = CAPABILITY_NAMES.map(bit).filter((one) => (ALL & one) !== 0n);
  const sets = each.flatMap((one) => [ALL & ~one, one, ALL & ~SYS_ADMIN & ~one, BPF | one]);
  return [...new Set([0n, ...sets])].map((set) => ({ uid, set }));
});

/** Gates that a defect once ended, or kept from starting. */
const ALWAYS: readonly Having[] = [
  { uid: NOBODY, set: 0n },
  { uid: NOBODY, set: BPF },
  { uid: NOBODY, set: BPF | bit("CAP_PERFMON") | bit("CAP_NET_ADMIN") },
  ...["CAP_SYS_ADMIN", "CAP_SETGID", "CAP_SYS_CHROOT", "CAP_SETPCAP", "CAP_SYS_PTRACE"].map((name) => ({
    uid: 0,
    set: ALL & ~bit(name),
  })),
];

describe("a command that lacks capabilities", () => {
  const draw = numbers(SEED);
  const cgroup = cgroupForTests();
  let site: Site;
  let cases: readonly string[];

  beforeAll(() => {
    if (process.getuid?.() !== 0) return;
    site = new Site(allowing(OBJECTS), `gate: { existing: allow, ${UNTHROTTLED} }\n`);
    site.write("every.js", allowing([...OBJECTS, "bpf"]));
    site.write(
      "every.yaml",
      readFileSync(join(site.folder, "countersign.yaml"), "utf8").replace("policy.js", "every.js"),
    );
    chmodSync(site.folder, 0o755);
    cases = execFileSync(site.attack("every-command"), ["list"], { encoding: "utf8" }).trim().split("\n");
  });
  afterAll(() => site?.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "unshare");
    cgroup.needed(context);
    site.forgetLog();
    // whoever runs the gate writes it
    writeFileSync(join(site.folder, "log.jsonl"), "");
    chmodSync(join(site.folder, "log.jsonl"), 0o666);
  });

  const mask = (chosen: (name: string) => boolean) => cases.map((name) => (chosen(name) ? "1" : "0")).join("");
  const drawn = () => (COMPLETE ? "all" : mask(() => draw(10) === 0));
  const line = ({ uid, set }: Having, which: string) => `${uid} ${set.toString(16)} ${which}\n`;
  const env = () => ({ BPFFS: site.bpffs, CGROUP: cgroup.folder });
  const variables = () => Object.entries(env()).map(([name, value]) => `${name}=${value}`);
  const everyCommand = () => ["sh", "-c", `exec "$0" < ${join(site.folder, "sets")}`, site.attack("every-command")];
  const gate = (config: string, ...options: readonly string[]) => [
    ...[process.execPath, BIN, "run", "--quiet", ...options, "--config", join(site.folder, config), "--"],
  ];
  const limited = ({ uid, set }: Having) => [site.attack("limited"), String(uid), set.toString(16)];
  const outcome = (...command: readonly string[]) => {
    const done = site.bare("env", ...variables(), ...command);
    for (const folder of ["open", "closed"]) rmSync(join(site.bpffs, folder), { recursive: true, force: true });
    return done;
  };
  const lines = (text: string) => text.trimEnd().split("\n");

  /** The first fault of a policy in the log: a policy that fails denies, whoever the task is. */
  const firstFault = () => {
    const fault = site.log.flatMap(({ answers }) => answers.flatMap((answer) => answer.fault ?? []))[0];
    return fault === undefined ? "no fault of a policy" : JSON.stringify(fault);
  };

  const MODES = [
    ["policies about programs and maps", "countersign.yaml", []],
    ["a policy about every command", "every.yaml", []],
    ["an audit", "every.yaml", ["--audit"]],
  ] as const;

  /** An audit answers as a gate that allows, and takes as long: in the long form. */
  it.each(MODES.slice(0, amount(2, 3)))(
    "gets the errno of every bpf(2) command that it gets without the gate: %s",
    (_, config, options) => {
      site.write("sets", FAMILY.map((having) => line(having, drawn())).join(""));
      const bare = outcome(...everyCommand());
      const gated = outcome(...gate(config, ...options), ...everyCommand());
      expect(lines(gated.stdout), firstFault()).toEqual(lines(bare.stdout));
      expect(gated.stderr).toBe(bare.stderr);
      expect(lines(bare.stdout).length).toBeGreaterThan(FAMILY.length * (COMPLETE ? 250 : 20));
      for (let command = 0; command <= 38; command += 1)
        expect(bare.stdout, `command ${command}`).toMatch(new RegExp(`^\\d+ \\w+ ${command} `, "m"));
    },
  );

  it("is started by a gate that lacks them as well, and gets the same errnos there", (context) => {
    if (site.bare(...limited({ uid: NOBODY, set: 0n }), "test", "-r", BIN).status !== 0)
      context.skip("needs a checkout that everyone can read");
    const others = COMPLETE ? FAMILY : FAMILY.filter(() => draw(100) === 0);
    for (const having of [...ALWAYS, ...others]) {
      const changes = having.uid === 0 && (having.set & CHANGING) === CHANGING;
      const which = drawn();
      const tasks = [having, ...(changes ? [{ ...having, uid: NOBODY }] : [])];
      site.write("sets", tasks.map((task) => line(task, which)).join(""));
      const inside = [
        "sh",
        "-c",
        'grep -E "^(NoNewPrivs|CapEff)" /proc/self/status; exec "$@"',
        "sh",
        ...everyCommand(),
      ];
      const bare = outcome(...limited(having), ...inside);
      const gated = outcome(...limited(having), ...gate("every.yaml"), ...inside);
      const privileges = (having.set & SYS_ADMIN) === 0n ? 1 : 0;
      const who = `uid ${having.uid}, capabilities ${having.set.toString(16)}`;
      expect(lines(gated.stdout), `${who}, ${firstFault()}`).toEqual(
        lines(bare.stdout.replace("NoNewPrivs:\t0", `NoNewPrivs:\t${privileges}`)),
      );
      expect(gated.stderr).toBe(bare.stderr);
    }
  });

  const denials = () =>
    site.log.flatMap(({ verdict, denied_by, subject }) =>
      denied_by === null ? [] : [`${verdict} ${denied_by.rule} ${subject.name}`],
    );

  it("is denied a path in a mount namespace that the gate lacks a capability to enter, and the denial is logged", () => {
    site.write(
      "sets",
      line(
        { uid: 0, set: 0n },
        mask((name) => name === "7 get"),
      ),
    );
    const elsewhere = ["unshare", "--user", "--map-root-user", "--mount", ...everyCommand()];
    const { stdout } = outcome(...limited({ uid: NOBODY, set: 0n }), ...gate("every.yaml"), ...elsewhere);
    expect(stdout).toBe("0 0 7 get: EPERM\n");
    expect(denials()).toContain("-1 out_of_reach BPF_OBJ_GET");
  });

  it("is denied what its memory holds where the gate lacks the capability to read it, and the denial is logged", () => {
    site.write(
      "sets",
      line(
        { uid: NOBODY, set: BPF },
        mask((name) => name === "0 type 2"),
      ),
    );
    const gated = outcome(
      ...limited({ uid: 0, set: ALL & ~bit("CAP_SYS_PTRACE") }),
      ...gate("every.yaml"),
      ...everyCommand(),
    );
    expect(gated.stdout).toBe(`${NOBODY} ${BPF.toString(16)} 0 type 2: EPERM\n`);
    expect(denials()).toEqual(["-1 out_of_reach BPF_MAP_CREATE"]);
  });

  it.each([[16, "E2BIG", "16 Landlock domains"]])(
    "is not started where the kernel takes no more domains than %d, and the error says so",
    (count, errno, remedy) => {
      const { status, stderr } = site.bare(site.attack("domains"), String(count), ...gate("countersign.yaml"), "true");
      expect(status).toBe(2);
      expect(stderr).toContain(`the landlock of the command could not be set up: ${errno} [GATE_UNSUPPORTED]`);
      expect(stderr).toContain(remedy);
    },
  );

  it("is not started by a node that its user cannot read, and the error says so", () => {
    const node = join(site.folder, "node");
    spawnSync("cp", [process.execPath, node]);
    chmodSync(node, 0o711);
    const [, ...words] = gate("countersign.yaml");
    const { status, stderr } = site.bare(...limited({ uid: NOBODY, set: 0n }), node, ...words, "true");
    expect(status).toBe(2);
    expect(stderr).toContain("the gate cannot read `/proc/self/environ` [GATE_UNSUPPORTED]");
    expect(stderr).toContain(`make \`${node}\` readable for this user`);
  });
});
