import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../../../../src/hooks/catalogue.js";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { runCommand } from "../../../../support/command-line.js";
import { example } from "../../../../support/examples.js";
import { writeMachine, writeModuleTree } from "../../../../support/module-tree.js";
import { switchKernel } from "../../../../support/switch-kernel.js";
import { own } from "../../../../support/workplace.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-seal-plan-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOW = Date.now();
const root = Authority.create({ subject: "Root", notAfter: NOW + 400 * 86_400_000 });
const signer = root.issue({ subject: "Signer", notAfter: NOW + 10 * 86_400_000, serial: 7n });

const OWN = {
  "create.js": `export const bpf_map_create = (map) => map.type === "hash" ? 0 : -1;`,
  "token.js": `export const bpf_token_create = () => -1;`,
  "loaded.js": `export const bpf_prog = (prog) => (prog.loaded === null ? 0 : -1);`,
  "counts.js": `import { map_lookup } from "countersign";
export const bpf_prog_load = (prog) => (map_lookup("seen", prog.digest) === undefined ? 0 : -1);`,
};

beforeAll(() => {
  for (const name of ["verify-all", "debug-read-only", "container-lockdown"])
    copyFileSync(`policies/${name}.js`, at(`${name}.js`));
  for (const [name, text] of Object.entries(OWN)) writeFileSync(at(name), text);
  writeFileSync(at("root.pem"), root.pem.certificate);
  writeFileSync(at("signer.pem"), signer.pem.certificate);
});

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly hook: string | null;
  readonly means: string;
  readonly reason: string;
  readonly denied: string;
}

async function plan(
  text: string,
  ...words: string[]
): Promise<{ code: number; row: (name: string, hook?: string) => Row; rows: Row[] }> {
  writeFileSync(at("c.yaml"), `version: 1\n${text}`);
  const { code, out } = await runCommand("seal", "plan", "--json", "--config", at("c.yaml"), ...words);
  const rows = out
    .trim()
    .split("\n")
    .map((line): Row => JSON.parse(line))
    .filter(({ kind }) => kind !== "modules");
  return {
    code,
    rows,
    row: (name, hook) => rows.find((row) => row.name === name && (row.hook ?? undefined) === hook)!,
  };
}

const KEYRING = (rules: string) => `keyrings: { platform: { ${rules} } }\n`;
const STAYS = KEYRING("trust: [root.pem], validity: ignore");

describe("countersign seal plan", () => {
  it("has a row for each hook, and nothing to enforce where there is no rule", async () => {
    const { rows, code } = await plan("attachments: []\n");
    expect(rows.map(({ name }) => name)).toEqual(HOOK_NAMES);
    expect(rows.map(({ means }) => means)).toEqual([
      ...["list", "list", "none", "none", "none", "mask", "none", "none", "none"],
    ]);
    expect(code).toBe(0);
  });

  it("says what an agent leaves denied of what needs a ticket, and nothing else of other rows", async () => {
    const text = `${STAYS}attachments: [{ policy: container-lockdown.js, scope: { uid: 7 } }, { policy: verify-all.js }]\n`;
    const [without, withAgent] = [await plan(text), await plan(text, "--with-agent")];
    const needs = without.rows.filter(({ means }) => means === "ticket");
    expect(needs.map(({ kind }) => kind)).toContain("attachment");
    for (const [index, row] of without.rows.entries()) {
      const other = withAgent.rows[index]!;
      const denied = row.means === "ticket" ? expect.stringContaining("outside of the agent's containers") : row.denied;
      expect(other).toEqual({ ...row, denied });
    }
    expect([without.code, withAgent.code]).toEqual([0, 0]);
  });

  it("says what of the rules about files tickets can allow: modules, if the list says so, and no executables", async () => {
    writeFileSync(
      at("files.js"),
      "export const kernel_read_file = (file) => file.parameters === '' ? 0 : -1;\n" +
        "export const bprm_check_security = (file) => file.path === '' ? 0 : -1;\n",
    );
    const { row } = await plan("attachments: [{ policy: files.js }]\n", "--with-agent");
    expect(row("kernel_read_file").denied).toMatch(
      /^without `--modules by-ticket` for all tasks, with it for tasks outside of /,
    );
    expect(row("files", "kernel_read_file").denied).toBe(row("kernel_read_file").denied);
    expect(row("bprm_check_security").denied).toMatch(/there are no tickets for them$/);
  });

  it("has a policy that verifies by a keyring whose results stay enforced by list", async () => {
    const { row, code } = await plan(`${STAYS}attachments: [{ policy: verify-all.js }]\n`);
    expect(row("verify-all", "bpf_prog_load")).toMatchObject({ kind: "attachment", means: "list" });
    expect(row("bpf_prog_load")).toMatchObject({ kind: "hook", means: "list" });
    expect(code).toBe(0);
  });

  it.each([
    ["validity: now", "trust: [root.pem]", "ticket", "judges certificates at the time of the load (`validity: now`)"],
    [
      "an authority",
      "trust: [root.pem], validity: ignore, usage: [any]",
      "list",
      "trusts the authority `CN=Root`; the kernel needs the certificate of each signer itself; the list has what it verifies",
    ],
    [
      "a usage",
      "trust: [signer.pem], validity: ignore",
      "list",
      "asks for the usage codeSigning, which the kernel ignores (`usage: [any]`); the list has what it verifies",
    ],
    [
      "a block list",
      `trust: [signer.pem], validity: ignore, usage: [any], revoked: { digests: [${"ab".repeat(32)}] }`,
      "list",
      "has a block list, which the kernel does not read; the list has what it verifies",
    ],
    [
      "leaf certificates alone",
      "trust: [signer.pem], validity: ignore, usage: [any]",
      "signature",
      "the kernel can judge as the keyring does, for programs without relocations: see signers.pem of seal build",
    ],
  ])("says whether a kernel keyring can stand for one with %s", async (_, rules, means, reason) => {
    const { row } = await plan(`${KEYRING(rules)}attachments: [{ policy: verify-all.js }]\n`);
    expect(row("platform")).toMatchObject({ kind: "keyring", means, reason });
  });

  it.each([
    [
      "a scope",
      STAYS,
      "{ policy: verify-all.js, scope: { uid: 5 } }",
      "its scope is by uid, which the guard cannot see",
    ],
    [
      "facts about the task",
      STAYS,
      "{ policy: container-lockdown.js }",
      "its policy names `container`, a fact about the task",
    ],
    ["the kernel's report", "", "{ policy: loaded.js }", "its policy names `loaded`, which the guard cannot compare"],
    [
      "a map that can change",
      "maps: { seen: { writable: { entries: 9, bytes: 9KiB } } }\n",
      "{ policy: counts.js }",
      "its policy names the map `seen`, which can change",
    ],
    [
      "the time",
      KEYRING("trust: [root.pem]"),
      "{ policy: verify-all.js }",
      "the keyring `platform` judges certificates at the time of the load (`validity: now`)",
    ],
  ])("needs a ticket for %s", async (_, first, attachment, reason) => {
    const { rows, code } = await plan(`${first}attachments: [${attachment}]\n`);
    const row = rows.find(({ kind }) => kind === "attachment")!;
    expect(row).toMatchObject({ means: "ticket", reason });
    expect(rows.find(({ kind, name }) => kind === "hook" && name === row.hook)).toMatchObject({ means: "ticket" });
    expect(code).toBe(0);
  });

  it("has a row for each class and for the mask", async () => {
    const { row, rows, code } = await plan(
      "attachments: []\nseal: { admit: [cgroup_device], mask: { types: [kprobe], helpers: [bpf_probe_write_user] } }\n",
    );
    expect(row("cgroup_device")).toMatchObject({
      kind: "class",
      means: "class",
      reason: expect.stringMatching(/cgroup_device programs of at most 4096 instructions; .*no helpers; no maps/),
    });
    expect(rows.at(-1)).toMatchObject({
      ...{ kind: "mask", name: "mask", means: "mask" },
      denied: "programs of the types kprobe, and programs that call bpf_probe_write_user",
    });
    expect(code).toBe(0);
  });

  it("exits with 1 if the guard would allow what a rule denies, and names the hook", async () => {
    const { row, code } = await plan("attachments: [{ policy: create.js }, { policy: token.js }]\n");
    expect(row("bpf_map_create")).toMatchObject({ means: "cannot be sealed" });
    expect(row("create", "bpf_map_create")).toMatchObject({ means: "cannot be sealed" });
    expect(row("token", "bpf_token_create")).toMatchObject({ means: "mask" });
    expect(code).toBe(1);
  });

  it("does not seal a default that denies where the guard cannot, and ignores attachments in audit", async () => {
    const denied = await plan("default: { blob_verify: deny }\nattachments: []\n");
    expect(denied.row("blob_verify")).toMatchObject({ means: "cannot be sealed" });
    expect(denied.code).toBe(1);
    const audit = await plan("attachments: [{ policy: create.js, mode: audit }]\n");
    expect(audit.row("bpf_map_create")).toMatchObject({ means: "none" });
    expect(audit.code).toBe(0);
  });

  it("says of each program what `seal build` would, and writes nothing", async () => {
    writeFileSync(at("kernel.btf"), switchKernel().bytes());
    for (const name of ["switch-watch", "drop-telnet"]) writeFileSync(at(`${name}.o`), example(name));
    writeFileSync(at("empty.json"), "{}");
    writeFileSync(
      at("c.yaml"),
      "version: 1\nmaps: { debug_read_only: { file: empty.json } }\nattachments: [{ policy: debug-read-only.js }]\n",
    );
    const words = ["seal", "plan", "--config", at("c.yaml"), "--btf", at("kernel.btf")];
    const objects = [at("switch-watch.o"), at("drop-telnet.o")];
    const { code, out } = await runCommand(...words, "--json", ...objects);
    const programs = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === "program");
    expect(programs.map(({ name, result }) => [name, result])).toEqual([
      ["watch_switch", "listed"],
      ["drop_telnet", "ticket"],
    ]);
    expect(code).toBe(0);
    expect((await runCommand(...words, ...objects)).out).toMatch(/\n\n1 listed, 1 ticket\n$/);
    expect(await runCommand(...words)).toMatchObject({ code: 2, err: expect.stringContaining("[USAGE]") });
  });

  describe("about kernel modules", () => {
    const RELEASE = release();
    const MODULE = own("test/unit/cli/kernel/fixtures/module.ko.xz");

    async function proposals(root: string, text = "attachments: []\n", ...more: readonly string[]) {
      writeFileSync(at("c.yaml"), `version: 1\n${text}`);
      const words = ["seal", "plan", "--config", at("c.yaml"), "--root", at(root), ...more];
      const { out } = await runCommand(...words, "--json");
      const rows = out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      return { rows: rows.filter(({ kind }) => kind === "modules"), text: (await runCommand(...words)).out };
    }

    it("proposes what is present, with the sets that the machine seems to use, and why", async () => {
      writeModuleTree(at("machine"), RELEASE, MODULE);
      const devices = ["virtio:d00000001v00001AF4", "pci:v00008086d0000A36Dsv00001028sd000008F1bc0Csc03i30"];
      writeMachine(at("machine"), ["ext4", "sch_ingress"], devices);
      mkdirSync(at("machine/usr/sbin"), { recursive: true });
      writeFileSync(at("machine/usr/sbin/nft"), "");
      const { rows, text } = await proposals("machine");
      expect(rows.map(({ name, proposed }) => [name, proposed])).toEqual([
        ["present+filesystems+firewall+tc+usb", true],
        ["FILE", false],
        ["by-ticket", false],
        ["all-signed", false],
      ]);
      expect(rows[0].reason).toMatch(
        /^11 of 13 modules: 2 loaded, no initramfs of .* in boot, 2 devices; filesystems: /,
      );
      for (const why of ["there is a USB controller", "nft is installed", "sch_ingress is loaded"])
        expect(rows[0].reason).toContain(why);
      expect(new Set(rows.map(({ leaves_open }) => leaves_open)).size).toBe(4);
      expect(rows[2].reason).toBe("loads none: no attachment that enforces decides about modules");
      expect(text).toContain("\npresent+filesystems+firewall+tc+usb  yes ");
    });

    it("proposes a file if it cannot read what is there, and says that a rule excludes all-signed", async () => {
      writeFileSync(at("deny.js"), "export const kernel_read_file = () => -1;");
      mkdirSync(at("nothing"));
      const { rows } = await proposals("nothing", "attachments: [{ policy: deny.js }]\n");
      expect(rows.map(({ name, proposed }) => [name, proposed])).toEqual([
        ["FILE", true],
        ["by-ticket", false],
        ["all-signed", false],
      ]);
      expect(rows[0].reason).toMatch(/modules\.dep is not there, .*; an audit and `learn` make FILE$/);
      expect(rows[1].reason).toMatch(/^needs an agent .*; udev and modprobe load what is listed$/);
      expect(rows[2].reason).toBe("cannot be sealed: the configuration has a rule about modules");
      const withAgent = await proposals("nothing", "attachments: [{ policy: deny.js }]\n", "--with-agent");
      expect(withAgent.rows[1].reason).toMatch(/^adds to the others /);
    });
  });
});
