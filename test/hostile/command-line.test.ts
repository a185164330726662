import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, truncateSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { runCommand } from "../support/command-line.js";
import { own, Workplace } from "../support/workplace.js";

const object = readFileSync(own("examples/drop-telnet.o"));

/**
 * Policies under which whatever is not looked at closely would pass: an error must not come out as one of their
 * answers.
 */
const place = new Workplace("  - policy: policies/allow-all.js");
place.write("policies/allow-all.js", "export const bpf_prog_load = () => 0;\n");
place.write("drop.o", object);

/** Runs a command line in a process of its own: for input that could stop the process, or keep it for ever. */
function spawned(...words: readonly string[]) {
  const run = spawnSync(process.execPath, [own("bin/countersign.js"), ...words], {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

/** The one line on stderr; whatever is undecidable exits with 2, says so in one line, and allows nothing. */
async function complaint(...words: readonly string[]): Promise<string> {
  return complaintOf(await runCommand(...words));
}

function complaintOf({ code, out, err }: ReturnType<typeof spawned>): string {
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^countersign: [^\n]+\n$/);
  expect(err).not.toMatch(/\bat .*:\d+:\d+\)|node:internal|allowed/);
  return err;
}

const checked = (...words: readonly string[]) => complaint("check", "--config", place.config, ...words);

/** The section header of a section, by its index in the table. */
function withSection(change: (headers: DataView, size: number, count: number) => void): Buffer {
  const damaged = Buffer.from(object);
  const [at, size, count] = [Number(damaged.readBigUInt64LE(40)), damaged.readUInt16LE(58), damaged.readUInt16LE(60)];
  change(new DataView(damaged.buffer, damaged.byteOffset + at), size, count);
  return damaged;
}

describe("an object that can't be read is no decision", () => {
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ["cut off in its header", object.subarray(0, 40), /ELF_|offset/],
    ["cut off before its section headers", object.subarray(0, object.length - 100), /ELF_MALFORMED/],
    ["cut in half", object.subarray(0, object.length >> 1), /ELF_MALFORMED/],
    [
      "with a section that lies about its size",
      withSection((view, size) => view.setBigUint64(3 * size + 32, 1n << 40n, true)),
      /ELF_MALFORMED.*;/,
    ],
    [
      "with every section beyond its end",
      withSection((view, size, count) => {
        for (let index = 1; index < count; index++) view.setBigUint64(index * size + 24, BigInt(object.length), true);
      }),
      /_MALFORMED|ELF_NO_PROGRAMS/,
    ],
    [
      "with section sizes that wrap around",
      withSection((view, size, count) => {
        for (let index = 1; index < count; index++) view.setBigUint64(index * size + 32, 0xffff_ffff_ffff_fff0n, true);
      }),
      /ELF_MALFORMED/,
    ],
    ["of 32 bits", Buffer.from(object).fill(1, 4, 5), /ELF_UNSUPPORTED/],
  ];
  it.each(cases)("%s", { tags: ["deep"] }, async (name, bytes, message) => {
    const path = place.write(`${name.replaceAll(" ", "-")}.o`, bytes);
    const line = await checked(path);
    expect(line).toContain(`${path}: `);
    expect(line).toMatch(message);
  });

  it("with any one byte of its headers changed is an error or a decision, never a crash", {
    tags: ["deep"],
  }, async () => {
    const files: string[] = [];
    for (let at = 0; at < 64; at += 3) {
      const damaged = Buffer.from(object);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      files.push(place.write(`flipped/${at}.o`, damaged));
    }
    const { code, err } = await runCommand("check", "--config", place.config, "--json", ...files);
    expect(code).toBe(2);
    expect(err).not.toMatch(/INTERNAL|node:internal/);
  });
});

describe("a file that has no BPF in it is no decision", () => {
  it("such as a program of the system, text, or nothing at all", async () => {
    expect(await checked(process.execPath)).toMatch(/is an ELF file with no BPF in it|more than the limit/);
    expect(await checked(place.write("notes.txt", "hello\n"))).toContain(
      "is not a BPF object, and no policy decides about blobs",
    );
    expect(await checked(place.write("empty.o", ""))).toContain("[ELF_NO_PROGRAMS]");
    const host = Buffer.alloc(64);
    object.copy(host, 0, 0, 64);
    host.writeUInt16LE(62, 18);
    expect(await checked(place.write("host.elf", host))).toContain("is an ELF file with no BPF in it");
  });

  it("such as an object of 200 MB", async () => {
    const path = place.write("huge.o", object);
    truncateSync(path, 200 * 2 ** 20);
    expect(await checked(path)).toContain(
      `${path}: is 209715200 bytes, more than the limit of 67108864 [FILE_TOO_LARGE]; `,
    );
  });

  it("such as a file that is missing, or a folder", async () => {
    expect(await checked(place.at("missing.o"))).toContain("missing.o: cannot be read: ENOENT [FILE_UNREADABLE]; ");
    expect(await checked(place.folder)).toContain("[FILE_UNREADABLE]; ");
  });

  it("such as a pipe, which is not waited for, or a device", { tags: ["deep"] }, () => {
    const pipe = place.at("pipe.o");
    spawnSync("mkfifo", [pipe]);
    for (const path of [pipe, "/dev/zero"])
      expect(complaintOf(spawned("check", "--config", place.config, path))).toContain(
        `${path}: is not a regular file [FILE_UNREADABLE]; `,
      );
    expect(complaintOf(spawned("inspect", pipe))).toContain("is not a regular file");
  });
});

describe("a signature that is no signature is no decision", () => {
  const good = signPkcs7(object, place.signer);
  it.each([
    ["text", Buffer.from("signed, honestly\n")],
    ["PEM", Buffer.from(`-----BEGIN CMS-----\n${good.toString("base64")}\n-----END CMS-----\n`)],
    ["nothing", Buffer.alloc(0)],
    ["cut off", good.subarray(0, good.length - 1)],
    ["followed by more", Buffer.concat([good, Buffer.of(0)])],
    ["of indefinite length", Buffer.concat([Buffer.of(0x30, 0x80), good.subarray(4), Buffer.of(0, 0)])],
  ])("%s", async (name, bytes) => {
    const signature = place.write(`bad-${name.replaceAll(" ", "-")}.p7s`, bytes);
    const line = await checked("--signature", signature, place.at("drop.o"));
    expect(line).toMatch(new RegExp(`^countersign: ${signature}: .*is not a signature.*\\[(DER|CMS)_MALFORMED\\]; `));
  });

  it("nor is one that lies beside the file, or in the store", async () => {
    const beside = new Workplace("  - policy: policies/allow-all.js");
    beside.write("policies/allow-all.js", "export const bpf_prog_load = () => 0;\n");
    const path = beside.write("drop.o", object);
    beside.write("drop.o.p7s", "garbage");
    expect(await complaint("check", "--config", beside.config, path)).toContain("drop.o.p7s: ");
    beside.write("drop.o.p7s", signPkcs7(object, beside.signer));
    expect((await runCommand("check", "--config", beside.config, path)).code).toBe(0);
  });
});

describe("a configuration that can't be used is no decision", () => {
  const attached = "  - policy: policies/allow-all.js";
  const using = (its: Workplace) => complaint("check", "--config", its.config, place.at("drop.o"));
  function broken(attachments: string, more = ""): Workplace {
    const its = new Workplace(attachments, more);
    its.write("policies/allow-all.js", "export const bpf_prog_load = () => 0;\n");
    return its;
  }

  it("because it is missing", async () => {
    const line = await complaint("check", "--config", place.at("none.yaml"), place.at("drop.o"));
    expect(line).toContain("none.yaml: cannot be read: ENOENT [FILE_UNREADABLE]; name a configuration on the");
  });

  it("because of an unknown key", async () => {
    expect(await using(broken(attached, "defualt: {}"))).toMatch(
      /countersign\.yaml:4:1: unknown key `defualt` \(did you mean `default`\?\) \[CONFIG_INVALID\]; /,
    );
  });

  it("because a policy's file is missing", async () => {
    expect(await using(broken("  - policy: policies/gone.js"))).toMatch(
      /countersign\.yaml:6:5: .*policies\/gone\.js: cannot be read: ENOENT \[FILE_UNREADABLE\]; /,
    );
  });

  it.each([
    ["does not parse", "export const bpf_prog_load = () => {", "POLICY_SYNTAX", /policies\/p\.js:1:\d+/],
    [
      "exports no hook of this name",
      "export const bpf_prog_lode = () => 0;",
      "POLICY_UNKNOWN_HOOK",
      /did you mean `bpf_prog_load`/,
    ],
    ["exports no hook", "const a = 1;", "POLICY_NO_HOOK", /policies\/p\.js/],
    [
      "names a keyring that is not there",
      'import { verify_signature } from "countersign";\nexport const blob_verify = (b) => verify_signature(b.data, b.signature, "platfrom", "PKCS7");',
      "POLICY_UNKNOWN_NAME",
      /policies\/p\.js:2:.*did you mean `platform`/,
    ],
    [
      "names a keyring that is not there, where it was given none",
      'import { PKCS7, verify_signature } from "countersign";\nexport const bpf_prog_load = (p) =>\n  verify_signature(p.raw_insns, p.kernel_signature, p.kernel_keyring ?? "platfrom", PKCS7);',
      "POLICY_UNKNOWN_NAME",
      /policies\/p\.js:3:.*did you mean `platform`/,
    ],
    [
      "names a map that is not there",
      'import { map_lookup } from "countersign";\nexport const blob_verify = () => map_lookup("rules", "a");',
      "POLICY_UNKNOWN_NAME",
      /policies\/p\.js:2:/,
    ],
  ])("because a policy %s", async (_, source, code, message) => {
    const its = broken("  - policy: policies/p.js");
    its.write("policies/p.js", source);
    const line = await using(its);
    expect(line).toContain(`[${code}]; `);
    expect(line).toMatch(message);
  });

  it.each([
    ["text", "no certificate\n"],
    ["nothing", ""],
    ["damaged PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ])("because a certificate is %s", async (_, contents) => {
    const its = broken(attached);
    its.write("certs/ca.pem", contents);
    const line = await using(its);
    expect(line).toMatch(/countersign\.yaml:2:\d+: .*certs\/ca\.pem/);
    expect(line).toMatch(/\[(CERTIFICATE_MALFORMED|KEYRING_INVALID)\]; /);
  });

  it("because a certificate is missing, or may not be read", async () => {
    const its = broken(attached, "");
    its.write(
      "countersign.yaml",
      `version: 1\nkeyrings: { k: { trust: [certs/gone.pem] } }\nattachments:\n${attached}\n`,
    );
    expect(await using(its)).toMatch(/certs\/gone\.pem: cannot be read: ENOENT \[FILE_UNREADABLE\]; /);
    if (process.getuid?.() === 0) return; // root reads it all the same
    const closed = broken(attached);
    chmodSync(closed.at("certs/ca.pem"), 0);
    expect(await using(closed)).toMatch(/certs\/ca\.pem: cannot be read: EACCES/);
  });

  it("because a map's file is wrong, or the folder of signatures is missing, or the log can't be written", {
    tags: ["deep"],
  }, async () => {
    const map = broken(attached, "maps: { rules: { file: rules.json } }");
    map.write("rules.json", '{"a": 1, "a": 2}');
    expect(await using(map)).toMatch(
      /countersign\.yaml:4:9: .*rules\.json:1:10: the key `"a"` is given twice \[MAP_INVALID\]; /,
    );
    const signatures = broken(attached);
    signatures.write("countersign.yaml", `version: 1\nsignatures: [gone]\nattachments:\n${attached}\n`);
    expect(await using(signatures)).toContain("[FILE_UNREADABLE]; ");
    const unwritable = broken(attached, "log: { file: none/decisions.jsonl }");
    const logging = await complaint("check", "--config", unwritable.config, place.at("drop.o"), "--log");
    expect(logging).toContain("the log cannot be opened: ENOENT");
  });

  it("because all certificates of a keyring have expired; asked of an earlier time, it decides", async () => {
    const its = broken("  - policy: policies/verify.js");
    its.write(
      "policies/verify.js",
      'import { verify_signature, PKCS7 } from "countersign";\nexport const blob_verify = (b) => verify_signature(b.data, b.signature, "platform", PKCS7);',
    );
    const day = 24 * 3600 * 1000;
    const expired = { notBefore: Date.now() - 20 * day, notAfter: Date.now() - 10 * day };
    const ca = Authority.create({ subject: "Old CA", ...expired });
    its.write("certs/ca.pem", ca.pem.certificate);
    const blob = its.write("blob", "data");
    its.write("blob.p7s", signPkcs7(Buffer.from("data"), ca.issue({ subject: "Old signer", ...expired })));
    expect(await using(its)).toMatch(
      /certs\/ca\.pem: holds nothing that has not expired: -EKEYEXPIRED .* \[KEYRING_INVALID\]; /,
    );
    const at = (days: number) => new Date(Date.now() + days * day).toISOString();
    expect((await runCommand("check", "--config", its.config, "--at", at(-15), blob)).code).toBe(0);
    const { code, out, err } = await runCommand("check", "--config", its.config, "--at", at(0), blob);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatch(/denied -EKEYEXPIRED +verify: verify_signature platform PKCS7: -EKEYEXPIRED \(.*\)/);
  });
});

describe("a command line that is not understood", () => {
  it.each([
    [["check"], "no file is named"],
    [["check", "--hook", "bpf_prog_lode", "a.o"], "bpf_prog_load"],
    [["check", "--uid", "-1", "a.o"], "--uid"],
    [["check", "--uid", "99999999999", "a.o"], "4294967296"],
    [["check", "--label", "tier", "a.o"], "key=value"],
    [["check", "--at", "yesterday", "a.o"], "2026-01-31"],
    [["check", "--no-such-option", "a.o"], "unknown option"],
    [["chekc"], "check"],
    [["types", "maps.d.ts"], "too many arguments"],
    [["scan", "37"], "write KIND:ID"],
    [["scan", "prog:37"], "`prog:37` names no object"],
    [["scan", "program:x"], "`program:x` names no object"],
    [["scan", "--brief", "program:37"], "--brief goes without the names of objects"],
    [["scan", "--save", "a.tar", "program:37"], "--save goes without the names of objects"],
  ])("%j exits with 2 and says why", async (words, message) => {
    const { code, out, err } = await runCommand(...(words as string[]));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(err).not.toMatch(/node:internal/);
  });

  it("or a `current` that is none", async () => {
    const as = place.write("as.json", '{"uid": "root"}');
    expect(await checked("--as", as, place.at("drop.o"))).toMatch(
      /as\.json:1:9: `uid` should be a number, not text \(`root`\)/,
    );
  });
});

describe("types of maps are not written, and nothing is replaced,", () => {
  const written = place.write("maps.d.ts", "// mine\n");

  it.each([
    ["without a configuration", ["--config", place.at("none.yaml")], "none.yaml: cannot be read: ENOENT"],
    [
      "for one that is not valid",
      ["--config", place.write("bad.yaml", "version: 1\nattachments: []\nmaps: { m: { values: { type: int } } }\n")],
      "bad",
    ],
    ["into a folder", ["--config", place.config, "--output", place.at("signatures")], "is not a regular file"],
    ["below a file", ["--config", place.config, "--output", `${written}/maps.d.ts`], "ENOTDIR"],
  ])("%s", async (_, words, message) => {
    expect(await complaint("types", ...words)).toContain(message);
    expect(readFileSync(written, "utf8")).toBe("// mine\n");
  });
});

describe("a policy that goes wrong refuses, by its fault's name and place, and the next decision is right", () => {
  it.each([
    ["loops for ever", "for (;;) {}", "out of steps at policies/wrong.js:2"],
    ["recurses for ever", "const f = () => f() + 1; f();", "out of stack at policies/wrong.js:2"],
    ["throws", 'throw new Error("no\\nway");', "policy error at policies/wrong.js:2:"],
    ["calls what is not there", "missing();", "policy error at policies/wrong.js:2:"],
    ["answers nothing", "", "bad return value at policies/wrong.js"],
    ['answers "0"', 'return "0";', "bad return value at policies/wrong.js"],
    ["answers 1", "return 1;", "bad return value at policies/wrong.js"],
    ["answers NaN", "return NaN;", "bad return value at policies/wrong.js"],
    ["answers an object", "return { valueOf: () => 0 };", "bad return value at policies/wrong.js"],
    ["answers -4096", "return -4096;", "bad return value at policies/wrong.js"],
    ["answers true", "return true;", "bad return value at policies/wrong.js"],
    [
      "makes a string without end",
      'let s = "x"; for (;;) { s += s; s.charCodeAt(0); }',
      "out of memory at policies/wrong.js:2",
    ],
    ["allocates without end", "const all = []; for (;;) all.push(new Array(1000).fill(0));", "out of "],
  ])("%s", async (_, body, reason) => {
    const its = new Workplace(
      "  - policy: policies/wrong.js\n    limits: { memory: 1MiB, timeout: 2s }\n  - policy: policies/right.js",
    );
    its.write("policies/wrong.js", `export function bpf_prog_load(prog) {\n  ${body}\n}\n`);
    its.write(
      "policies/right.js",
      'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => prog.type === "sched_cls" ? 0 : deny("no tc");\n',
    );
    const run = await runCommand(
      "check",
      "--config",
      its.config,
      "--json",
      own("examples/drop-telnet.o"),
      own("examples/kill-writer.o"),
    );
    expect({ code: run.code, err: run.err }).toEqual({ code: 2, err: "" });
    const [first, second] = JSON.parse(run.out).map((file: { decisions: unknown[] }) => file.decisions[0]);
    expect(first).toMatchObject({
      errno: "-EPERM",
      denied_by: { attachment: "wrong", reason: expect.stringContaining(`wrong: ${reason}`) },
    });
    expect(first.denied_by.reason).not.toContain("\n");
    expect(first.answers[1]).toMatchObject({ verdict: 0, fault: null });
    expect(second.answers[1]).toMatchObject({ verdict: -1, fault: null, denial: { reason: "right: no tc" } });
  });

  it("that calls what never comes back is ended from outside, and does not hold up the files after it", {
    tags: ["deep"],
  }, () => {
    const its = new Workplace(
      "  - { name: count, policy: policies/count.js, limits: { timeout: 1s } }\n  - { policy: policies/stuck.js, limits: { steps: 100000000, timeout: 100ms } }",
      "maps: { seen: { writable: { entries: 1, bytes: 1KiB } } }",
    );
    its.write(
      "policies/count.js",
      `import { map_lookup, map_update, note } from "countersign";
       export function bpf_prog_load() {
         const seen = (map_lookup("seen", "n") ?? 0) + 1;
         map_update("seen", "n", seen);
         note("seen " + seen);
         return 0;
       }`,
    );
    its.write(
      "policies/stuck.js",
      "export const bpf_prog_load = (prog) =>\n  [].indexOf.call({ length: 2 ** 53 - 1 }, prog);\n",
    );
    const files = ["drop-telnet", "kill-writer", "peek-tc"].map((name) => own(`examples/${name}.o`));
    const run = spawned("check", "--config", its.config, "--json", ...files);
    expect({ code: run.code, err: run.err }).toEqual({ code: 2, err: "" });
    const made = JSON.parse(run.out).map((file: { decisions: { answers: object[] }[] }) => file.decisions[0]?.answers);
    expect(made[0][1]).toMatchObject({ verdict: -1, fault: { code: "OUT_OF_TIME" } });
    for (const [, stuck] of made.slice(1)) expect(["OUT_OF_TIME", "SUSPENDED"]).toContain(stuck.fault.code);
    expect(made.map(([count]: { notes: string[] }[]) => count?.notes)).toEqual([["seen 1"], ["seen 2"], ["seen 3"]]);
  });
});
