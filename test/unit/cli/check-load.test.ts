import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HOOK_NAMES, HOOKS, type HookName, LOAD_HOOKS } from "../../../src/hooks/catalogue.js";
import { runCommand } from "../../support/command-line.js";
import { own, Workplace } from "../../support/workplace.js";

const PEEK = own("examples/peek-tc.o");
const SWITCH = own("examples/switch-watch.o");

const check = (place: Workplace, ...words: string[]) => runCommand("check", "--config", place.config, ...words);

function workplace(policy: string, more = ""): Workplace {
  const place = new Workplace("  - policy: policy.js", more);
  place.write("policy.js", `import { deny, note, verify_signature } from "countersign";\n${policy}`);
  return place;
}

/** What a gate asks while peek-tc.o is loaded, in its order. */
const PEEK_LOAD = [
  ["bpf", "BPF_MAP_CREATE"],
  ["bpf_map_create", "stolen"],
  ["bpf_map", "stolen"],
  ["bpf", "BPF_PROG_LOAD"],
  ["bpf_prog_load", "peek"],
  ["bpf_prog", "peek"],
] as const;

const asked = async (place: Workplace, ...words: string[]) => {
  const { code, out } = await check(place, "--json", ...words);
  const { decisions } = JSON.parse(out) as { decisions: { hook: HookName; subject: { name: string } }[] };
  return { code, asked: decisions.map(({ hook, subject }) => [hook, subject.name]) };
};

describe("countersign check on a BPF object", () => {
  const subsets = Array.from({ length: 2 ** LOAD_HOOKS.length }, (_, bits) =>
    LOAD_HOOKS.filter((_, index) => bits & (1 << index)),
  ).filter((hooks) => hooks.length > 0);

  for (const served of subsets)
    it(`asks about each map and program at the hooks that a policy serves: ${served.join(", ")}`, async () => {
      const place = workplace(served.map((hook) => `export const ${hook} = () => 0;`).join("\n"));
      const expected = PEEK_LOAD.filter(([hook]) => hook === "bpf_prog_load" || served.includes(hook));
      expect(await asked(place, PEEK)).toEqual({ code: 0, asked: expected });
    });

  for (const [hook] of PEEK_LOAD)
    it(`denies what a default of deny denies at ${hook}, and still shows what comes after it`, async () => {
      const place = new Workplace("  []", `default: { ${hook}: deny }`);
      const { code, asked: all } = await asked(place, PEEK);
      expect(code).toBe(1);
      expect(all).toEqual(PEEK_LOAD.filter((one) => one[0] === hook || one[0] === "bpf_prog_load"));
      const { out } = await check(place, PEEK);
      expect(out).toMatch(new RegExp(`${hook} +denied -EPERM +no enforcing attachment is in scope`));
    });

  it("denies a map as a live load would, with the policy's reason", async () => {
    const place = workplace(
      'export const bpf_map_create = (map) => map.type === "hash" ? deny("no hash such as " + map.name) : 0;',
    );
    const { code, out } = await check(place, own("examples/switch-watch.o"));
    expect(code).toBe(1);
    expect(out).toMatch(/switches +bpf_map_create +denied -EPERM +policy: no hash such as switches/);
    expect(out).toMatch(/watch_switch +bpf_prog_load +allowed/);
    expect(out).toContain("1 allowed, 1 denied");
  });

  it("asks about maps that no program refers to", async () => {
    const place = workplace("export const bpf_map_create = () => 0;");
    const { asked: all } = await asked(place, own("examples/calm-tcp.o"));
    expect(all[0]).toEqual(["bpf_map_create", "calm"]);
  });

  for (const hook of HOOK_NAMES)
    it(`asks ${hook} alone with --hook`, async () => {
      const place = workplace(HOOK_NAMES.map((name) => `export const ${name} = () => 0;`).join("\n"));
      const { code, asked: all } = await asked(place, "--hook", hook, PEEK);
      const whole = { file: "peek-tc.o", blob: "peek-tc.o" }[HOOKS[hook].subject as string];
      const expected = whole === undefined ? PEEK_LOAD.filter((one) => one[0] === hook) : [[hook, whole]];
      expect({ code, asked: all }).toEqual(
        hook === "bpf_token_create" ? { code: 2, asked: [] } : { code: 0, asked: expected },
      );
    });

  it("leaves the cases of countersign test to one hook", async () => {
    const place = workplace("export const bpf_prog_load = () => 0;\nexport const bpf_map_create = () => -1;");
    place.write(
      "policy.test.yaml",
      `- { file: ${PEEK}, expect: allow }\n- { file: ${PEEK}, hook: bpf_map_create, expect: -EPERM }`,
    );
    const { code, out } = await runCommand("test", "--config", place.config);
    expect({ code, last: out.trimEnd().split("\n").at(-1) }).toEqual({ code: 0, last: "2 passed, 0 failed" });
  });
});

describe("what countersign check cannot know offline", () => {
  const READS: readonly [title: string, policy: string, file: string, lines: readonly string[]][] = [
    [
      "nothing that a policy reads",
      "export const bpf_prog_load = (prog) => prog.insn_cnt > 4096 ? -1 : 0;",
      SWITCH,
      [],
    ],
    [
      "instructions that are filled in at load",
      'export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", "PKCS7") && 0;',
      SWITCH,
      ["unknown offline: bpf_prog_load: insns, signature (watch_switch)"],
    ],
    [
      "the same of a program that has none",
      'export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", "PKCS7") && 0;',
      PEEK,
      [],
    ],
    [
      "what the kernel reports",
      "export const bpf_prog = ({ loaded, rewritten }) => loaded === null || rewritten ? 0 : 0;",
      PEEK,
      ["unknown offline: bpf_prog: loaded, rewritten (peek)"],
    ],
    [
      "the kernel's signature",
      "export const bpf_prog_load = (prog) => prog.kernel_signature === null ? 0 : 0;",
      PEEK,
      ["unknown offline: bpf_prog_load: kernel_signature (peek)"],
    ],
    [
      "what only a file has",
      "export const bpf_prog_load = (prog) => prog.section === null || prog.object === null ? -1 : 0;",
      PEEK,
      ["null at a live load: bpf_prog_load: section, object (peek)"],
    ],
    [
      "the loader's commands",
      "export const bpf = (command) => command.size === null ? 0 : -1;",
      PEEK,
      [
        "unknown offline: bpf: size (BPF_MAP_CREATE, BPF_PROG_LOAD)",
        "unknown offline: bpf: commands that depend on the loader, such as probes, BPF_BTF_LOAD, BPF_MAP_UPDATE_ELEM, pins and links",
      ],
    ],
  ];

  for (const [title, policy, file, lines] of READS)
    it(`is printed where a policy reads it: ${title}`, async () => {
      const { out } = await check(workplace(policy), file);
      const notes = out.split("\n").filter((line) => /^(unknown offline|null at a live load): /.test(line));
      expect(notes).toEqual(lines);
    });

  it("is in the JSON for each decision, whatever policies read", async () => {
    const place = workplace("export const bpf_prog = () => 0;");
    const { out } = await check(place, "--json", SWITCH);
    const filled = ["insns", "raw_insns", "digest", "tag", "effects", "signature"];
    const signed = ["kernel_signature", "kernel_keyring"];
    expect(JSON.parse(out).differences).toEqual([
      {
        ...{ hook: "bpf_prog_load", subject: "watch_switch", unknown: [...filled, ...signed] },
        offline_only: ["section", "object"],
      },
      {
        ...{ hook: "bpf_prog", subject: "watch_switch", unknown: [...filled, ...signed, "loaded", "rewritten"] },
        offline_only: ["section", "object"],
      },
    ]);
  });

  it("makes a policy that needs it fail, and the exit code say so", async () => {
    const place = workplace("export const bpf_prog = (prog) => prog.loaded.jited_size > 4096 ? -1 : 0;");
    const { code, out } = await check(place, PEEK);
    expect(code).toBe(2);
    expect(out).toMatch(/^fault POLICY_ERROR: policy on .*peek-tc\.o peek bpf_prog: policy error at policy\.js:2:/m);
    expect(out).toContain("unknown offline: bpf_prog: loaded (peek)");
  });

  it("names the file of each subject where there are several", async () => {
    const place = workplace("export const bpf_prog = (prog) => prog.rewritten ? -1 : 0;");
    const { out } = await check(place, PEEK, SWITCH);
    expect(out).toContain(`unknown offline: bpf_prog: rewritten (${PEEK} peek, ${SWITCH} watch_switch)`);
  });
});

describe("maps of a load", () => {
  const notes = "note(JSON.stringify([map.name, map.access, map.contents, map.flags]))";
  const place = workplace(
    `export const bpf_map_create = (map) => { ${notes}; return 0; };\nexport const bpf_map = (map) => { ${notes}; return 0; };`,
  );
  const noted = async (file: string) => {
    const { out } = await check(place, "--json", file);
    const { decisions, differences } = JSON.parse(out) as {
      decisions: { hook: string; answers: { notes: string[] }[] }[];
      differences: { hook: string; subject: string; unknown: string[] }[];
    };
    const maps = decisions.flatMap(({ hook, answers }) =>
      answers.flatMap((answer) => answer.notes.map((note) => [hook, ...JSON.parse(note)])),
    );
    return { maps, differences: differences.filter(({ hook }) => hook.startsWith("bpf_map")) };
  };

  it("have the names that libbpf gives them, and no contents before these are written", async () => {
    const { maps } = await noted(own("examples/exec-log.o"));
    expect(maps).toEqual([
      ["bpf_map_create", "events", null, null, 0],
      ["bpf_map", "events", "rw", null, 0],
      ["bpf_map_create", "exec_log.rodata", null, null, expect.any(Number)],
      ["bpf_map", "exec_log.rodata", "rw", null, expect.any(Number)],
    ]);
  });

  it("have unknown names inside of a program, whose loader gives the object its name", async () => {
    const object = readFileSync(own("examples/exec-log.o"));
    const header = Buffer.alloc(64);
    object.copy(header, 0, 0, 16);
    // an ELF program for x86-64 (e_machine 62) with the object behind its header
    header.writeUInt16LE(2, 16);
    header.writeUInt16LE(62, 18);
    const program = place.write("loader", Buffer.concat([header, object]));
    const { maps, differences } = await noted(program);
    expect(maps.map(([hook, name]) => `${hook} ${name}`)).toEqual([
      "bpf_map_create events",
      "bpf_map events",
      "bpf_map_create .rodata",
      "bpf_map .rodata",
    ]);
    expect(differences).toEqual(
      ["bpf_map_create", "bpf_map"].map((hook) => {
        return { hook, subject: ".rodata", unknown: ["name", "digest"], offline_only: [] };
      }),
    );
  });
});
