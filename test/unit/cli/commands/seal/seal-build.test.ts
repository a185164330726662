import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROBES } from "../../../../../src/bpf/tables/loader-probes.gen.js";
import { parseList, referenceDigest, signedPart } from "../../../../../src/seal/list.js";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { openKeyring } from "../../../../../src/trust/keyring.js";
import { runCommand } from "../../../../support/command-line.js";
import { example } from "../../../../support/examples.js";
import { switchKernel } from "../../../../support/switch-kernel.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-seal-build-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
const OBJECTS = ["exec-log", "drop-telnet", "peek-tc", "rate-limit", "switch-watch", "legacy-count", "last-word"];
const BTF = switchKernel().bytes();

beforeAll(async () => {
  for (const name of ["verify-all", "allow-unsigned-tc", "debug-read-only", "container-lockdown", "optional-signature"])
    copyFileSync(`policies/${name}.js`, at(`${name}.js`));
  for (const name of OBJECTS) writeFileSync(at(`${name}.o`), example(name));
  writeFileSync(at("kernel.btf"), BTF);
  writeFileSync(at("other.btf"), switchKernel({ at: 8 }).bytes());
  writeFileSync(at("root.pem"), root.pem.certificate);
  writeFileSync(at("signer.pem"), signer.pem.certificate);
  writeFileSync(at("signer.key"), signer.pem.key);
  writeFileSync(at("empty.json"), "{}");
  mkdirSync(at("none"));
  const keys = ["--key", at("signer.key"), "--cert", at("signer.pem")];
  await runCommand(
    "sign",
    ...keys,
    "--programs",
    "--out",
    at("signed/"),
    ...["exec-log", "last-word"].map((name) => at(`${name}.o`)),
  );
  await runCommand(
    ...["sign", ...keys, "--programs", "--open", "map:events.shared", "--out", at("shared/"), at("exec-log.o")],
  );
});

interface Row {
  readonly name: string;
  readonly result: string;
  readonly reason: string | null;
  readonly digests: readonly string[];
}

const KEYRING = "keyrings: { platform: { trust: [root.pem], validity: ignore } }\n";

/** Builds a list of some objects for one kernel under a configuration. */
async function build(text: string, objects: readonly string[], ...words: readonly string[]) {
  writeFileSync(at("c.yaml"), `version: 1\n${text}`);
  rmSync(at("lists"), { recursive: true, force: true });
  const { code, out, err } = await runCommand(
    ...["seal", "build", "--json", "--config", at("c.yaml"), "--btf", at("kernel.btf"), "--out", at("lists")],
    ...(words.includes("--modules") ? [] : ["--modules", "all-signed"]),
    ...[
      "--generation",
      "5",
      ...(words.includes("--probes") ? [] : ["--no-probes"]),
      ...words.filter((word) => word !== "--probes"),
      ...objects.map((name) => at(`${name}.o`)),
    ],
  );
  const rows = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Row => JSON.parse(line));
  const file = at(`lists/${createHash("sha256").update(BTF).digest("hex").slice(0, 16)}.list`);
  return { code, err, rows, list: existsSync(file) ? parseList(readFileSync(file)) : null, file };
}

/** The one row of an object with one program, under a policy of the test's own. */
async function rowFor(body: string, more = "", object = "peek-tc"): Promise<Row> {
  writeFileSync(
    at("own.js"),
    `import { deny, map_lookup, map_update, verify_program, verify_signature } from "countersign";\n${body}`,
  );
  const { rows } = await build(
    `${KEYRING}${more.includes("attachments") ? more : `${more}attachments: [{ policy: own.js }]\n`}`,
    [object],
  );
  return rows[0]!;
}

const load = (expression: string) => `export const bpf_prog_load = (prog, current) => ${expression};`;

describe("countersign seal build", () => {
  it("lists what the policies allow to every task, and says why the rest is not listed", {
    tags: ["deep"],
  }, async () => {
    const { rows, list, code } = await build(
      "maps: { debug_read_only: { file: empty.json } }\nattachments: [{ policy: debug-read-only.js }]\n",
      ["switch-watch", "drop-telnet", "legacy-count"],
    );
    expect(rows.map(({ name, result }) => [name, result])).toEqual([
      ["watch_switch", "listed"],
      ["drop_telnet", "ticket"],
      ["count_lengths", "cannot load"],
    ]);
    expect(rows[1]!.reason).toBe("`debug-read-only` reads `current.uid`, which the guard cannot see");
    expect(code).toBe(1);
    expect(list!.entries.map(({ digest }) => digest)).toEqual(rows[0]!.digests);
    expect(list!.header).toMatchObject({ generation: 5n, kernelBtf: createHash("sha256").update(BTF).digest("hex") });
  });

  it("has the attach target of the kernel, and the maps with their references", { tags: ["deep"] }, async () => {
    const { list } = await build("attachments: []\n", ["switch-watch"]);
    const [entry] = list!.entries;
    expect(entry).toMatchObject({ progType: 26, expectedAttachType: 23, progFlags: 0, gplCompatible: true });
    expect(entry!.attachBtfId).toBeGreaterThan(0);
    expect(entry!.maps.maps).toMatchObject([{ mapType: 1, contents: null, inner: null, settings: [] }]);
    const { references, digest } = entry!.maps;
    expect(digest).toBe(referenceDigest(Array.from({ length: references }, () => ({ map: 0, offset: 0 }))));
  });

  it("has the probes of libbpf, which gates allow without asking policies", async () => {
    const { list } = await build("default: { bpf_prog_load: deny }\nattachments: []\n", ["peek-tc"], "--probes");
    const libbpf = PROBES.filter(({ loaders }) => loaders.some((loader) => loader.startsWith("libbpf ")));
    const keys = new Set(
      libbpf.map(({ digest, type, expectedAttachType }) => [digest, type, expectedAttachType].join()),
    );
    expect(
      new Set(list!.entries.map((entry) => [entry.digest, entry.progType, entry.expectedAttachType].join())),
    ).toEqual(keys);
    const withMap = list!.entries.filter(({ maps }) => maps.references > 0);
    expect(withMap).toMatchObject([{ progType: 1, maps: { references: 1, maps: [{ mapType: 2, valueSize: 32 }] } }]);
  });

  it("has other entries for another kernel", async () => {
    const { list } = await build("attachments: []\n", ["switch-watch"]);
    const { out } = await runCommand(
      ...[
        "seal",
        "build",
        "--json",
        "--modules",
        "all-signed",
        "--config",
        at("c.yaml"),
        "--btf",
        at("other.btf"),
        "--out",
        at("lists"),
        at("switch-watch.o"),
      ],
    );
    expect((JSON.parse(out) as Row).digests).not.toEqual(list!.entries.map(({ digest }) => digest));
  });

  describe("for signed programs", () => {
    const verify = (signatures: string) =>
      `${KEYRING}signatures: [${signatures}]\nattachments: [{ policy: verify-all.js }]\n`;

    it("lists them with their settings open, if the signer opened who creates their maps", async () => {
      const { rows, list, code } = await build(verify("shared"), ["exec-log"]);
      expect(rows).toMatchObject([{ name: "log_exec", result: "listed", reason: null }]);
      expect(code).toBe(0);
      const maps = list!.entries[0]!.maps.maps;
      const rodata = maps.find(({ contents }) => contents !== null)!;
      expect(rodata.settings).toEqual([{ offset: 0, size: 4 }]);
      expect(rodata.contents).toBe(createHash("sha256").update(Buffer.alloc(4)).digest("hex"));
    });

    it("does not list them otherwise, unless told so", async () => {
      const { rows, code } = await build(verify("signed"), ["exec-log"]);
      expect(rows[0]).toMatchObject({ result: "ticket" });
      expect(rows[0]!.reason).toContain("does not compare who created the map `events`");
      expect(code).toBe(1);
      expect((await build(verify("signed"), ["exec-log"], "--any-maps")).rows[0]).toMatchObject({ result: "listed" });
    });

    it("does not list what the types in its BTF decide", async () => {
      const { rows } = await build(verify("signed"), ["last-word"], "--any-maps");
      expect(rows[0]!.result).toBe("ticket");
      expect(rows[0]!.reason).toContain("the types of its global function `length_class` are in its BTF");
    });

    it("denies those that nobody signed", async () => {
      const { rows, list, code } = await build(verify("signed"), ["drop-telnet"]);
      expect(rows[0]).toMatchObject({ result: "denied" });
      expect(rows[0]!.reason).toMatch(/^verify-all: /);
      expect([list!.entries, code]).toEqual([[], 0]);
    });

    it("needs a ticket where the time decides", async () => {
      const { rows } = await build(verify("shared").replace(", validity: ignore", ""), ["exec-log"]);
      expect(rows[0]).toMatchObject({
        result: "ticket",
        reason:
          "`verify-all` asks the keyring `platform`, which judges certificates at the time of the load (`validity: now`)",
      });
    });

    it("keeps the settings as declared if the policy looks at what they change", async () => {
      writeFileSync(
        at("own.js"),
        `import { verify_program } from "countersign";\n${load("prog.effects.redirects ? -1 : verify_program(prog, 'platform')")}`,
      );
      const { list } = await build(`${KEYRING}signatures: [shared]\nattachments: [{ policy: own.js }]\n`, ["exec-log"]);
      const rodata = list!.entries[0]!.maps.maps.find(({ contents }) => contents !== null)!;
      expect(rodata.settings).toEqual([]);
      expect(rodata.contents).toBe(createHash("sha256").update(Buffer.from("ffffffff", "hex")).digest("hex"));
    });

    it("does not count a program as unsigned where a statement could be about it at the load", {
      tags: ["deep"],
    }, async () => {
      const text = (signatures: string) =>
        `${KEYRING}signatures: [${signatures}]\nattachments: [{ policy: allow-unsigned-tc.js }]\n`;
      expect((await build(text("none"), ["drop-telnet"])).rows[0]).toMatchObject({ result: "listed" });
      const keys = ["--key", at("signer.key"), "--cert", at("signer.pem")];
      await runCommand("sign", ...keys, "--programs", "--out", at("same/"), at("drop-telnet.o"));
      const changed = example("drop-telnet");
      changed[changed.length - 1]! ^= 1;
      writeFileSync(at("changed.o"), changed);
      const { rows } = await build(text("same"), ["changed"]);
      expect(rows[0]!.result).not.toBe("listed");
    });
  });

  it.each([
    ["the task", load("current.uid === 0 ? 0 : -1"), "`own` reads `current.uid`, which the guard cannot see"],
    ["the name", load("prog.name === 'x' ? -1 : 0"), "`own` reads `name`: the loader chooses the name"],
    [
      "names of maps",
      load("prog.maps.some((map) => map.name === 'x') ? -1 : 0"),
      "`own` reads `maps.name`: the loader chooses the names of maps",
    ],
    [
      "the licence's text",
      load("prog.license === 'x' ? -1 : 0"),
      "`own` reads `license`: the guard sees only whether the licence is compatible with the GPL",
    ],
    [
      "a signature for the kernel",
      load("prog.kernel_signature === null ? 0 : -1"),
      "`own` reads `kernel_signature`: the loader chooses it",
    ],
    ["the file", load("prog.object === null ? -1 : 0"), "`own` reads `object`: a load does not have it"],
    [
      "the kernel's report",
      "export const bpf_prog = (prog) => (prog.loaded === null ? 0 : -1);",
      "`own` reads `loaded`: the kernel's report comes after the verdict",
    ],
    ["a fault", load("{ throw new Error('x'); }"), "`own` failed: threw Error: x"],
  ])("needs a ticket if the verdict depends on %s", async (_, body, reason) => {
    expect(await rowFor(body)).toMatchObject({ result: "ticket", reason });
  });

  it("needs a ticket if the verdict depends on a map that can change, and not for one that cannot", async () => {
    const body = load("map_lookup('seen', prog.digest) === undefined ? 0 : -1");
    expect(await rowFor(body, "maps: { seen: { writable: { entries: 9, bytes: 9KiB } } }\n")).toMatchObject({
      result: "ticket",
      reason: "`own` reads the map `seen`, which can change",
    });
    expect(await rowFor(body, "maps: { seen: { file: empty.json } }\n")).toMatchObject({ result: "listed" });
  });

  it("counts an attachment with a scope only if it would not matter who asks", { tags: ["deep"] }, async () => {
    const text = (verdict: string, more = "") =>
      [load(verdict), `${more}attachments: [{ policy: own.js, scope: { uid: 7 } }]\n`] as const;
    expect(await rowFor(...text("0"))).toMatchObject({ result: "listed" });
    expect(await rowFor(...text("deny('no')"))).toMatchObject({
      result: "ticket",
      reason: "own: no, for tasks in its scope (uid) only",
    });
    expect(await rowFor(...text("0", "default: { bpf_prog_load: deny }\n"))).toMatchObject({
      result: "ticket",
      reason: "the default of bpf_prog_load denies it to tasks outside of all scopes",
    });
  });

  it("denies what one attachment denies to all, whatever the others depend on", async () => {
    const both = "attachments: [{ policy: own.js, name: one }, { policy: no.js, name: two }]\n";
    writeFileSync(at("no.js"), `export const bpf_prog_load = () => -1;`);
    expect(await rowFor(load("current.uid === 0 ? 0 : -1"), both)).toMatchObject({ result: "denied" });
  });

  it("ignores attachments in audit, and denies by default where no attachment is left", async () => {
    const audit = "attachments: [{ policy: own.js, mode: audit }]\n";
    expect(await rowFor(load("-1"), audit)).toMatchObject({ result: "listed" });
    expect(await rowFor(load("-1"), `default: { bpf_prog_load: deny }\n${audit}`)).toMatchObject({
      result: "denied",
      reason: "no attachment decides, and the default of bpf_prog_load is deny",
    });
  });

  it("asks at bpf_prog too", async () => {
    expect(await rowFor("export const bpf_prog = () => -1;")).toMatchObject({ result: "denied" });
  });

  it("signs the header of a list as `sign` does a file", async () => {
    const { file } = await build(
      "attachments: []\n",
      ["peek-tc"],
      "--key",
      at("signer.key"),
      "--cert",
      at("signer.pem"),
    );
    const trust = [{ path: "root.pem", bytes: Buffer.from(root.pem.certificate) }];
    const none = { crls: [], certificates: [], digests: [], serials: [], freshness: "if-present" } as const;
    const rules = {
      trust,
      revoked: none,
      usage: ["codeSigning"],
      policies: [],
      validity: "now",
      profile: "strict",
      signers: 1,
    } as const;
    const keyring = openKeyring("lists", { ...rules, ssh: { namespaces: ["file"] } });
    const signature = readFileSync(`${file}.p7s`);
    expect(keyring.verify(signedPart(readFileSync(file)), signature, "PKCS7", Date.now())).toMatchObject({
      verdict: 0,
    });
  });

  it("builds nothing for a configuration with a rule that the guard would not enforce", async () => {
    writeFileSync(at("create.js"), "export const bpf_map_create = () => -1;");
    const { code, err } = await build("attachments: [{ policy: create.js }]\n", ["peek-tc"]);
    expect([code, existsSync(at("lists"))]).toEqual([2, false]);
    expect(err).toContain("c.yaml:2:15: hook `bpf_map_create` has a rule");
    expect(err).toContain("[SEAL_IMPOSSIBLE]");
  });

  it("goes on after a file that it cannot read, and exits with 2", async () => {
    writeFileSync(at("broken.o"), example("peek-tc").subarray(0, 300));
    const { code, err, rows } = await build("attachments: []\n", ["broken", "peek-tc"]);
    expect([code, rows.length]).toEqual([2, 1]);
    expect(err).toContain("broken.o");
  });
});

describe("countersign seal build, for signatures that the kernel verifies", () => {
  const SIGNERS = "keyrings: { platform: { trust: [signer.pem], usage: [any], validity: ignore } }\n";
  const ONLY = "verify_signature(prog.insns, prog.signature, 'platform', PKCS7)";

  /** The file of signers that a build wrote, for a policy about a signed program; null if it wrote none. */
  async function signersFor(expression: string, keyrings = SIGNERS, more = ""): Promise<string | null> {
    writeFileSync(
      at("signed.js"),
      "import { deny, hash, PKCS7, RAW, read, signer_of, verify_program, verify_signature } from 'countersign';\n" +
        `export const bpf_prog_load = (prog, current) => ${expression};`,
    );
    const text = `${keyrings}signatures: [signed/]\nattachments: [{ policy: signed.js }${more}]\n`;
    const { err } = await build(text, ["last-word"]);
    const file = at("lists/signers.pem");
    expect(err).not.toContain("INTERNAL");
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  }

  it("writes the certificates of a keyring by which a signature is all that policies ask for", async () => {
    const certificate = signer.pem.certificate.replaceAll("\r", "").trim();
    expect((await signersFor(ONLY))?.trim()).toBe(certificate);
    expect((await signersFor(`prog.signature === null ? deny("not signed") : ${ONLY}`))?.trim()).toBe(certificate);
  });

  it.each([
    ["another fact", `prog.type === "x" ? -1 : ${ONLY}`],
    ["maps", `prog.maps.length > 9 ? -1 : ${ONLY}`],
    ["the length of the instructions", `prog.insns.length > 9999 ? -1 : ${ONLY}`],
    ["their length, by another spelling", `prog.insns["len" + "gth"] > 9999 ? -1 : ${ONLY}`],
    ["their length, as a value", `Object.values(prog.insns)[0] > 9999 ? -1 : ${ONLY}`],
    ["bytes of the instructions", `read(prog.insns, 0, 1)[0] < 0 ? -1 : ${ONLY}`],
    ["a hash of the instructions", `hash("sha256", prog.insns) === "" ? -1 : ${ONLY}`],
    ["the signer", "signer_of(prog.insns, prog.signature, 'platform', PKCS7) === null ? -1 : 0"],
    ["a statement", 'verify_program(prog, "platform")'],
    [
      "a signature of another type",
      `verify_signature(prog.insns, prog.signature, "platform", RAW) === 0 ? 0 : ${ONLY}`,
    ],
    ["nothing", "0"],
  ])("writes none for a policy that asks for %s", async (_, expression) => {
    expect(await signersFor(expression)).toBeNull();
  });

  it.each([
    ["an authority", SIGNERS.replace("signer.pem", "root.pem")],
    ["a usage", SIGNERS.replace("usage: [any], ", "")],
    ["two signers", SIGNERS.replace("usage", "signers: 2, usage")],
  ])("writes none for a keyring with %s, which the kernel does not know", async (_, keyrings) => {
    expect(await signersFor(ONLY, keyrings)).toBeNull();
  });

  it("writes none if another attachment asks for more, and removes the file of the build before", async () => {
    writeFileSync(at("types.js"), 'export const bpf_prog_load = (prog) => (prog.type === "x" ? -1 : 0);');
    mkdirSync(at("lists"), { recursive: true });
    writeFileSync(at("lists/signers.pem"), "old");
    expect(await signersFor(ONLY, SIGNERS, ", { policy: types.js }")).toBeNull();
  });
});
