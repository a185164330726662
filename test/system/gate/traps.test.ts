import { createHash, generateKeyPairSync } from "node:crypto";
import { release } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BIN, type Done, needs, patient, siteForTests, XDP_PASS } from "./site.js";

/** The tag of `r0 = value; exit` in the gate's facts, on every kernel. */
function tag(value: number, algorithm = "sha256"): string {
  const insns = Buffer.from("b7000000000000009500000000000000", "hex");
  insns.writeInt32LE(value, 4);
  return createHash(algorithm).update(insns).digest("hex").slice(0, 16);
}

/** What this kernel says that it is: of the SHA-1 before Linux 6.18. */
const KERNEL = release().split(".", 2).map(Number);
const kernelTag = (value: number) =>
  tag(value, KERNEL[0]! > 6 || (KERNEL[0] === 6 && KERNEL[1]! >= 18) ? "sha256" : "sha1");

const POLICY = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.tag === "${tag(1)}" ? deny("is the forbidden program") : 0);
export const bpf_prog = (prog) => (prog.tag === "${tag(3)}" ? deny("is refused after loading") : 0);
export const bpf = () => 0;
`;

describe("a gate that somebody tries to get around", () => {
  const site = siteForTests(POLICY, ["gcc"]);

  /** What a trap says: `what: came of it`. */
  const said = ({ stdout }: Done) => {
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(": ") as [string, string]);
    return Object.fromEntries(lines) as Record<string, string>;
  };
  /** The same under the gate. */
  const trap = (name: string, env: NodeJS.ProcessEnv = {}, options: readonly string[] = []) => {
    const done = site().runWith(options, env, site().attack("traps"), name);
    return { says: said(done), stderr: done.stderr, status: done.status };
  };

  it("is asked whatever upper bits a register has, and refuses foreign ways in", () => {
    expect(trap("doors").says).toEqual({
      good: "done",
      bad: "EPERM",
      "command with bit 16": "EINVAL",
      "command with bit 63": "EPERM",
      "size with bit 32": "EPERM",
      x32: "EPERM",
      "unknown command": "EINVAL",
      i386: "EPERM",
      kexec_load: "EPERM",
      kexec_file_load: "EPERM",
    });
    const unknown = site().log.filter(({ denied_by }) => denied_by?.code === "DENIED_BY_GATE");
    expect(unknown.map(({ denied_by, subject }) => [denied_by?.rule, subject.name])).toEqual([
      ["unknown_command", "command 65541"],
      ["foreign_call", "x32 system call 321"],
      ["unknown_command", "command 1000"],
      ["foreign_call", "i386 system call 357"],
      ["kexec", "kexec_load"],
      ["kexec", "kexec_file_load"],
    ]);
  });

  it("judges threads that lead no process, and children of vfork", () => {
    expect(trap("callers").says).toEqual({
      "good in a thread": "done",
      "bad in a thread": "EPERM",
      "good in a vfork": "0",
      "bad in a vfork": "1",
    });
  });

  it("loads with the maps that the task's fds are, dup'ed or not, and answers as the kernel where they are none", () => {
    expect(site().run(site().attack("traps"), "fds").stdout.trim().split("\n")).toEqual([
      "with a dup'ed fd: done",
      "close-on-exec: 1",
      "run: done",
      "the map that was meant: 7, the other one: 0",
      "with a closed fd: EBADF",
      "with an fd that is no map: EINVAL",
      "with a negative fd: EBADF",
    ]);
  });

  it("has no program take a map by what lies around the copy of its fd_array", () => {
    // Linux 6.12 has no fd_array_cnt; 7.3 rejects an index that is not below it
    const bare = said(site().bare(site().attack("traps"), "places"));
    const like = ["within", "beyond the count", "far beyond the count"].map((place) => [place, bare[place]]);
    expect(trap("places").says).toEqual({
      ...Object.fromEntries(like),
      "without a count": "done",
      before: "E2BIG",
      "before, without a count": "E2BIG",
      "long before": "E2BIG",
    });
  });

  it("takes no more of a task's fds for a load than any program needs", () => {
    const bare = said(site().bare(site().attack("traps"), "copies"));
    expect(trap("copies").says).toEqual({
      "512": "done",
      "513": "E2BIG",
      "512 in fd_array": bare["512 in fd_array"],
      "513 in fd_array": "E2BIG",
    });
  });

  it("answers every shape of attr and pointer as the kernel does", () => {
    const bare = site().bare(site().attack("traps"), "shapes").stdout;
    const gated = site().run(site().attack("traps"), "shapes").stdout;
    // the kernel allocates before it looks at the size of its records; the gate does not
    expect(gated.replace("records without end: E2BIG", "")).toBe(bare.replace("records without end: EINVAL", ""));
    expect(gated).toContain("log of 1 GiB: EACCES\nlog: R5 !read_ok\nlog of 16 bytes: ENOSPC\ntrue size: more");
  });

  it("kills a task behind whose pointers nobody answers, says so, and goes on", (context) => {
    const { says, stderr } = trap("endless");
    if (says["no userfaultfd"] !== undefined) context.skip("needs userfaultfd");
    const kinds = ["attr", "insns", "license", "log", "func_info", "fd_array", "path", "pin", "btf", "name"];
    expect(says).toEqual({ ...Object.fromEntries(kinds.map((kind) => [kind, "killed"])), "and then": "done" });
    expect(stderr.match(/made the gate wait/g)).toHaveLength(kinds.length);
    const stalls = site().log.filter(({ denied_by }) => denied_by?.code === "DENIED_BY_GATE");
    expect(stalls).toHaveLength(kinds.length);
    for (const { denied_by } of stalls)
      expect(denied_by?.reason).toMatch(/kept its memory from being read .* and was killed/);
  });

  it("writes to no other task that has the id of one that was killed meanwhile", (context) => {
    needs(context, "unshare");
    // the gate, too, so that no process of others takes the id
    const inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", '"$@"; exit $?', "sh"];
    const done = site().bare(...inside, ...site().words(site().attack("traps"), "successor"));
    const says = said(done);
    if (says["no userfaultfd"] !== undefined) context.skip("needs userfaultfd");
    expect(says, done.stderr).toEqual({
      heir: "has its id",
      page: "done",
      "memory of the heir": "untouched",
      "and then": "done",
    });
  });

  it("has the kernel judge with the task's capabilities, not with its own", () => {
    expect(trap("capabilities").says).toEqual({
      "pointer with all": "done",
      "pointer with CAP_BPF": "EACCES",
      "good with CAP_BPF": "done",
      "tracing without any": "EPERM",
      "module without any": "EPERM",
    });
  });

  it("looks a device up in the task's network, for a program that is bound to one", (context) => {
    needs(context, "ip", "unshare");
    const script = 'ip link add bound0 index 77 type veth peer name bound1 && exec "$@"';
    const inside = ["unshare", "-n", "sh", "-c", script, "sh", site().attack("traps"), "device"];
    const bare = site().bare(...inside).stdout;
    if (!bare.includes("bound: done")) context.skip("needs programs that are bound to a device (Linux 6.3)");
    expect(site().run(...inside).stdout).toBe(bare);
    expect(bare).toMatch(/^device found\nbound: done\na number that is none: E/);
  });

  it("cannot be reached: no fd, memory, tracing or signal", () => {
    expect(trap("reach").says).toEqual({
      "fds taken": "0",
      memory: "EACCES",
      ptrace: "EPERM",
      seize: "EPERM",
      signals: "0",
      "through a pidfd": "EPERM",
      good: "done",
      bad: "EPERM",
    });
  });

  it("hands out no program that was refused after the kernel had loaded it", () => {
    expect(trap("catch").says).toEqual({
      "refused after loading": "EPERM",
      "ids of refused programs": "one each",
      "programs caught": "0",
    });
  });

  it("hands out by id and by path what it handed out before, and nothing else", (context) => {
    needs(context, "bpftool", "clang-19");
    const pin = `${site().bpffs}/other`;
    expect(site().bare("bpftool", "prog", "load", site().object("other", XDP_PASS), pin).status).toBe(0);
    const [{ id }] = JSON.parse(`[${site().bare("bpftool", "-j", "prog", "show", "pinned", pin).stdout}]`) as [
      { id: number },
    ];
    const env = { OTHER_PROGRAM: String(id), OTHER_PIN: pin, OWN_PIN: `${site().bpffs}/own` };
    expect(trap("by-id", env).says).toEqual({
      "own program by id": "done",
      "another's program by id": "EPERM",
      "another's program by path": "EPERM",
      pin: "done",
      "own program by path": "done",
    });
  });

  it("refuses a program that the kernel rewrote while loading it", () => {
    expect(site().bare(site().attack("traps"), "rewrite").stdout).toContain(`tag: ${kernelTag(1)}`);
    expect(trap("rewrite").says).toEqual({ btf: "done", rewritten: "EPERM" });
    const [refused] = site().log.filter(({ denied_by }) => denied_by !== null);
    expect(refused?.denied_by?.reason).toBe(
      `gate: the kernel rewrote it while loading: its tag is ${kernelTag(1)}, not ${tag(2)}`,
    );
  });

  it("refuses one whose relocations come without func_info, if this kernel applies them, and else loads it", () => {
    const bare = site().bare("env", "ALONE=1", site().attack("traps"), "rewrite").stdout;
    const isRewritten = bare.includes(`tag: ${kernelTag(1)}`);
    if (!isRewritten) expect(bare).toContain(`tag: ${kernelTag(2)}`);
    const { says } = trap("rewrite", { ALONE: "1" });
    const reasons = site().log.flatMap(({ denied_by }) => denied_by?.reason ?? []);
    if (isRewritten) {
      expect(says).toEqual({ btf: "done", rewritten: "EPERM" });
      expect(reasons).toEqual([`gate: the kernel rewrote it while loading: its tag is ${kernelTag(1)}, not ${tag(2)}`]);
    } else {
      expect(says).toEqual({ btf: "done", rewritten: "done", tag: kernelTag(2) });
      expect(reasons).toEqual([]);
    }
  });

  it("has policies decide on a rewritten program where it is told to, but only those that enforce", () => {
    const asked = (attachment: string) => {
      site().write(
        "asked.yaml",
        `version: 1\nlog: { file: log.jsonl }\ngate: { rewritten: ask }\n${patient(attachment)}`,
      );
      const config = ["--config", join(site().folder, "asked.yaml")];
      site().forgetLog();
      const { says } = trap("rewrite", {}, config);
      const decided = site().log.filter(({ hook }) => hook === "bpf_prog");
      return { came: says.rewritten, reasons: decided.map(({ denied_by }) => denied_by?.reason) };
    };
    const told = `the kernel rewrote it while loading: its tag is ${kernelTag(1)}, not ${tag(2)}`;
    site().write("accepts.js", "export const bpf_prog = (prog) => (prog.rewritten ? 0 : -1);");
    expect(asked("attachments: [{ policy: accepts.js }]\n")).toEqual({ came: "done", reasons: [undefined] });
    expect(asked("attachments: [{ policy: accepts.js, mode: audit }]\n")).toEqual({
      came: "EPERM",
      reasons: [undefined, `gate: ${told}, and no enforcing attachment in scope answered`],
    });
    // a fault that is let through is no answer
    site().write("fails.js", "export const bpf_prog = () => { throw new Error(); };");
    expect(asked("attachments: [{ policy: fails.js, on_fault: allow }]\n")).toEqual({
      came: "EPERM",
      reasons: [undefined, `gate: ${told}, and no enforcing attachment in scope answered`],
    });
    site().write("silent.js", "export const bpf_prog_load = () => 0;");
    expect(asked("attachments: [{ policy: silent.js }]\n")).toEqual({ came: "EPERM", reasons: [`gate: ${told}`] });
  });

  it("tells a policy what the kernel made of a program", () => {
    site().policy(`
      import { deny } from "countersign";
      export const bpf_prog_load = (prog) => (prog.loaded === null && !prog.rewritten ? 0 : deny("is not loaded yet"));
      export const bpf_prog = ({ loaded, rewritten }) =>
        deny([rewritten, loaded.tag, loaded.verified_insns, loaded.xlated_size, loaded.map_ids.length].join(" "));
    `);
    try {
      expect(trap("rewrite", {}).says.rewritten).toBe("EPERM");
      expect(trap("by-id").says["own program by id"]).not.toBe("done");
    } finally {
      site().policy(POLICY);
    }
    const reasons = site().log.map(({ denied_by }) => denied_by?.reason ?? "");
    expect(reasons.some((reason) => /false [0-9a-f]{16} 2 16 0/.test(reason))).toBe(true);
  });

  it("tells a policy which keyring a load's signature is for, and has what is none verify by none", () => {
    site().write(
      "signed.yaml",
      `version: 1
log: { file: log.jsonl }
keyrings: { platform: { trust: [key.pem] }, vendor: { trust: [key.pem] } }
gate: { keyrings: { 0: platform, -4: vendor } }
attachments: [{ policy: signed.js, limits: { timeout: 10s } }]
`,
    );
    site().write("key.pem", generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
    site().write(
      "signed.js",
      `import { deny, PKCS7, verify_signature } from "countersign";
       export const bpf_prog_load = ({ raw_insns, kernel_signature, kernel_keyring: keyring }) => {
         const verdict = verify_signature(raw_insns, kernel_signature, keyring ?? "platform", PKCS7);
         return keyring === "vendor" && verdict !== 0 ? 0 : deny(keyring + ": " + verdict);
       };`,
    );
    const signed = (keyring: string) => {
      site().forgetLog();
      const { says } = trap("signature", { KEYRING: keyring }, ["--config", join(site().folder, "signed.yaml")]);
      return [says, site().log.map(({ denied_by }) => denied_by?.reason.replace(/ \(.*/, ""))];
    };
    // a kernel without such signatures, by its version (before Linux 6.18) or its configuration, rejects the field, and
    // the gate loads without it; one that has them verifies it itself, after the policy
    const bare = said(site().bare("env", "KEYRING=-4", site().attack("traps"), "signature"));
    const vendor = ["E2BIG", "EOPNOTSUPP", "EINVAL"].includes(bare.signed!) ? "done" : bare.signed;
    // the policy is told of no signature where the kernel could not read one
    const shapes = {
      "with a signature of no bytes": "EPERM",
      "with a signature without end": "E2BIG",
      "with a signature that is not there": "EPERM",
    };
    const endless = "gate: a signature of 4294967295 bytes is more than the gate copies, 65536";
    const reasons = ["signed: null: -61", endless, "signed: null: -61"];
    expect(signed("-4")).toEqual([{ signed: vendor, ...shapes }, [undefined, ...reasons]]);
    expect(signed("0")).toEqual([{ signed: "EPERM", ...shapes }, ["signed: platform: -74", ...reasons]]);
    expect(signed("7")).toEqual([{ signed: "EPERM", ...shapes }, ["signed: null: -74", ...reasons]]);
  });

  it("refuses tokens, and programs that load programs unless an attachment allows them, with maps alone that are facts", () => {
    const insns = Buffer.from("18110000000000000000000000000000b7000000020000009500000000000000", "hex");
    const env = { DIGEST: createHash("sha256").update(insns).digest("hex") };
    const refused = Object.fromEntries(
      ["any map", "a map that it reads", "a map of its own"].flatMap((map) => [
        [`with ${map}`, "EPERM"],
        [`with ${map}, frozen`, "EPERM"],
      ]),
    );
    const bare = site().bare("env", `DIGEST=${env.DIGEST}`, site().attack("traps"), "loaders").stdout;
    // in the initial user namespace the kernel makes no tokens, and a load by a file that is no token fails
    const others = Object.fromEntries(
      ["a token", "a load by token"].map((call) => [call, new RegExp(`^${call}: (E\\w+|\\d+)$`, "m").exec(bare)?.[1]]),
    );
    expect(others["a load by token"]).toBe("EINVAL");
    // before Linux 6.18 no map is exclusive to a program, and there is no fd of one
    const hasOwn = !bare.includes("with a map of its own: EBADF");
    const own = hasOwn ? {} : { "with a map of its own": "EBADF", "with a map of its own, frozen": "EBADF" };
    site().policy("export const bpf_map_create = () => 0;");
    try {
      expect(trap("loaders", env).says).toEqual({
        ...{ "a program that calls bpf(2)": "EPERM", ...refused, ...others },
      });
      site().forgetLog();
      site().policy(`
        import { note } from "countersign";
        export const bpf_prog_load = (prog) => { note(prog.maps.map(({ contents }) => contents).join()); return 0; };
      `);
      expect(trap("loaders", env).says).toEqual({
        ...{ "a program that calls bpf(2)": "done", ...refused, ...others },
        ...{ "with a map that it reads, frozen": "done", "with a map of its own, frozen": "done" },
        ...own,
      });
      const zeros = createHash("sha256").update(Buffer.alloc(8)).digest("hex");
      const notes = site().log.flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes) ?? []);
      // "" for a map whose contents are no fact
      expect(notes).toEqual(["", "", "", "", zeros, "", hasOwn ? zeros : "", ""]);
      expect(site().log.find(({ denied_by }) => denied_by !== null)?.denied_by?.reason).toBe(
        "gate: a program that calls bpf(2) may use maps alone whose contents are facts, and `blob` is not frozen, or others may write to it",
      );
    } finally {
      site().policy(POLICY);
    }
  });

  it("makes no tokens in a user namespace, where the kernel might", (context) => {
    needs(context, "unshare");
    const { stdout } = site().runWith(
      [],
      { DIGEST: "0".repeat(64) },
      "unshare",
      "-Ur",
      site().attack("traps"),
      "loaders",
    );
    expect(stdout).toContain("a token: ENOENT\n");
    expect(site().log.map(({ denied_by }) => denied_by?.reason)).toContain(
      "gate: the gate cannot make a token for another task",
    );
  });

  it("outlives tasks that are killed while they wait", () => {
    expect(trap("deaths").says).toEqual({ "and then": "done", "and bad": "EPERM" });
  });

  it("has a named error for a gate within a gate", () => {
    const config = `${site().folder}/countersign.yaml`;
    const { stderr, status } = site().run(process.execPath, BIN, "run", "--config", config, "--", "true");
    expect([status, stderr]).toEqual([2, expect.stringContaining("[GATE_NESTED]")]);
  });
});
