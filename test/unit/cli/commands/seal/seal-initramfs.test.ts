import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeList, parseList } from "../../../../../src/seal/list.js";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../../src/trust/issuing/sign-cms.js";
import { runCommand } from "../../../../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "seal-initramfs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const ZERO = "00".repeat(32);
const ORIGIN = { generation: 7n, kernelBtf: ZERO, configuration: ZERO, release: "6.12" };

describe("countersign seal initramfs", () => {
  it("writes a fragment that only root can read, and says what is in it", { tags: ["deep"] }, async () => {
    writeFileSync(at("list"), encodeList([], ORIGIN));
    const { code, out, err } = await runCommand("seal", "initramfs", "--list", at("list"), "--out", at("seal.img"));
    expect([code, err]).toEqual([0, ""]);
    const { size, mode } = statSync(at("seal.img"));
    expect(out).toBe(
      `${at("seal.img")}: ${size} bytes, list with 0 entries, generation 7; boot it with rdinit=/countersign/init\n`,
    );
    expect(mode & 0o777).toBe(0o600);
    expect(readFileSync(at("seal.img")).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });

  it("writes nothing for a list that is cut short", async () => {
    writeFileSync(at("short"), encodeList([], ORIGIN).subarray(0, -1));
    const { code, err } = await runCommand("seal", "initramfs", "--list", at("short"), "--out", at("none.img"));
    expect(code).toBe(2);
    expect(err).toContain("[SEAL_LIST_MALFORMED]");
    expect(err).toContain(at("short"));
    expect(statSync(at("none.img"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("takes only a list that the trusted key signed", { tags: ["deep"] }, async () => {
    const { pem, ...signer } = Authority.create({ subject: "Signer", keyUsage: [0] });
    const list = encodeList([], ORIGIN);
    writeFileSync(at("signer.pem"), pem.certificate);
    writeFileSync(at("unsigned"), list);
    writeFileSync(at("signed"), list);
    writeFileSync(at("signed.p7s"), signPkcs7(parseList(list).signed, signer));
    const words = ["seal", "initramfs", "--trusted-key", at("signer.pem"), "--out", at("trusted.img"), "--list"];
    const refused = await runCommand(...words, at("unsigned"));
    expect([refused.code, existsSync(at("trusted.img"))]).toEqual([2, false]);
    expect(refused.err).toContain(`${at("unsigned")}: is not signed with the trusted key \`CN=Signer\`: there is no`);
    expect(refused.err).toContain("[SEAL_LIST_UNSIGNED]");
    expect(await runCommand(...words, at("signed"))).toMatchObject({ code: 0, err: "" });
  });

  it.each([
    ["a configuration that is missing", [], "", "FILE_UNREADABLE"],
    ["a policy that does not exist", [], "attachments: [{ policy: none.js }]", "FILE_UNREADABLE"],
    ["a socket outside of /run", ["--socket", "/var/agent.sock"], "attachments: []", "USAGE"],
    ["labels from Kubernetes", ["--labels", "kubernetes"], "attachments: []", "USAGE"],
    ["a log outside of the socket's folder", [], "attachments: []\nlog: { file: /run/decisions.jsonl }", "USAGE"],
  ])("writes no fragment with an agent that could not start: %s", async (_, words, text, errorCode) => {
    rmSync(at("c.yaml"), { force: true });
    if (text !== "") writeFileSync(at("c.yaml"), `version: 1\n${text}\n`);
    const given = ["--deny-all", "--with-agent", "--config", at("c.yaml"), "--out", at("none.img"), ...words];
    const { code, err } = await runCommand("seal", "initramfs", ...given);
    expect([code, err]).toEqual([2, expect.stringContaining(`[${errorCode}]`)]);
    expect(existsSync(at("none.img"))).toBe(false);
  });

  it("refuses an unknown behaviour for a failure", async () => {
    const { code, err } = await runCommand("seal", "initramfs", "--on-failure", "panic", "--out", at("none.img"));
    expect(code).toBe(2);
    expect(err).toContain("halt, continue");
  });
});

describe.each([
  ["start", []],
  ["initramfs", ["--out", at("bare.img")]],
])("countersign seal %s", (command, out) => {
  it.each([[[]], [["--signers", "none.pem"]], [["--files", "none.files"]], [["--trusted-key", "none.pem"]]])(
    "seals nothing without a list unless --deny-all says so: %s",
    async (words) => {
      const { code, err } = await runCommand("seal", command, ...out, ...words);
      expect([code, err]).toEqual([2, expect.stringContaining("a seal needs --list, or --deny-all")]);
      expect(existsSync(at("bare.img"))).toBe(false);
    },
  );

  it("takes --list or --deny-all", async () => {
    const { code, err } = await runCommand("seal", command, ...out, "--deny-all", "--list", at("list"));
    expect([code, err]).toEqual([2, expect.stringContaining("--list and --deny-all exclude each other [USAGE]")]);
  });
});

describe("countersign seal initramfs without a list", () => {
  it.each([["--deny-all"], ["--audit"], ["--open-until-lock"]])(
    "is written with %s",
    { tags: ["deep"] },
    async (word) => {
      const { code, err, out } = await runCommand("seal", "initramfs", "--out", at("all.img"), word);
      expect([code, err, out]).toEqual([0, "", expect.stringContaining("no list: every program is denied")]);
    },
  );
});

describe("countersign seal start", () => {
  it("attaches nothing for a list that it cannot read", async () => {
    const { code, err } = await runCommand("seal", "start", "--list", at("missing"));
    expect([code, err]).toEqual([2, expect.stringContaining("[FILE_UNREADABLE]")]);
  });

  it("attaches nothing for a trusted key that it cannot read", async () => {
    writeFileSync(at("key.pem"), "no certificate");
    const { code, err } = await runCommand("seal", "start", "--deny-all", "--trusted-key", at("key.pem"));
    expect([code, err]).toEqual([2, expect.stringContaining("[CERTIFICATE_MALFORMED]")]);
  });
});

describe("countersign seal replace", () => {
  it("does nothing on a machine that is not sealed", async () => {
    writeFileSync(at("new"), encodeList([], ORIGIN));
    const { code, err } = await runCommand("seal", "replace", "--list", at("new"));
    expect([code, err]).toEqual([2, expect.stringMatching(/\[SEAL_(?:NOT_RUNNING|NO_ACCESS)\]/)]);
  });

  it("names a list that is cut short", async () => {
    const whole = encodeList([], ORIGIN);
    const cases = [
      { size: 100, reason: "header: ends too early" },
      { size: whole.length - 1, reason: `which take ${whole.length} bytes, not ${whole.length - 1}` },
    ];
    for (const { size, reason } of cases) {
      writeFileSync(at("half"), whole.subarray(0, size));
      const { code, err } = await runCommand("seal", "replace", "--list", at("half"));
      expect([code, err]).toEqual([2, expect.stringContaining(at("half"))]);
      expect(err).toContain(reason);
    }
  });
});

describe("countersign seal test", () => {
  it("names a program that is missing", async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      const { code, err } = await runCommand("seal", "test", "--kernel", at("vmlinuz"));
      expect([code, err]).toEqual([2, expect.stringMatching(/there is no program `busybox` \[SEAL_NO_GUEST\]/)]);
    } finally {
      process.env.PATH = path;
    }
  });
});
