import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { factsOfObject } from "../../../src/bpf/object.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { recordsOf } from "../../support/records.js";
import { BIN, type Logged, needs, needsGate, Site, XDP_PASS } from "./site.js";

/** Loads the object behind `$1` under the name `$2`; prints `$2: ` and the loader's exit code. */
const SHELL = `
load() { rm -f "$BPFFS/$2"; bpftool prog load "$1" "$BPFFS/$2" > /dev/null 2>&1; echo "$2: $?"; rm -f "$BPFFS/$2"; }
`;
const CHANGED = "is sealed, and its files have changed";
/** Until the gate, which looks at the files before a decision, has logged that it does not use what is in them now. */
const unused = (object: string) =>
  `for turn in $(seq 600); do grep -q '${CHANGED}' log.jsonl && break; load ${object} turn > /dev/null; sleep 0.1; done`;
/** Until the object can be loaded, or cannot, as the gate sees new files. */
const until = (object: string, is: "loaded" | "not") =>
  `for turn in $(seq 200); do load ${object} turn | grep -q ': 0' && s=loaded || s=not; [ $s = ${is} ] && break; sleep 0.2; done`;

const POLICY = `
import { verify_signature, PKCS7 } from "countersign";
export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", PKCS7);
`;

describe("a command that replaces files of the gate", () => {
  const authority = Authority.create({ subject: "Authority" });
  const signer = authority.issue({ subject: "Signer", serial: 7n });
  const evil = Authority.create({ subject: "Evil" });
  const evilSigner = evil.issue({ subject: "Signer" });
  let site: Site;
  let object: string;
  let digests: readonly { digest: string; insns: Uint8Array }[];

  const sign = (by: typeof signer, folder: string): void => {
    mkdirSync(`${site.folder}/${folder}`, { recursive: true });
    for (const { digest, insns } of digests)
      writeFileSync(`${site.folder}/${folder}/${digest}.p7s`, signPkcs7(insns, by));
  };
  const run = (script: string, options: readonly string[] = []) =>
    site.runWith(options, { BPFFS: site.bpffs }, "bash", "-c", `cd ${site.folder}; ${SHELL} ${script}`);
  const loads = (logged: readonly Logged[]) =>
    logged
      .filter(({ hook, loader_probe }) => hook === "bpf_prog_load" && loader_probe === undefined)
      .map(({ verdict }) => verdict);

  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool", "clang-19");
    site = new Site(
      POLICY,
      "keyrings: { platform: { trust: [ca.pem], revoked: { crls: [ca.crl] } } }\nsignatures: [signatures]\n",
    );
    object = site.object("xdp", XDP_PASS);
    digests = factsOfObject(readFileSync(object)).programs;
    site.write("ca.pem", authority.pem.certificate);
    site.write("evil.pem", evil.pem.certificate);
    site.write("ca.crl", authority.revocationList({ number: 1 }));
    site.write("new.crl", authority.revocationList({ number: 2, entries: [{ serial: 7n }] }));
  });
  afterEach(() => site?.remove());

  it("is judged by the keyring that was there before it, unless that follows its files", () => {
    sign(evilSigner, "signatures");
    const script = `load ${object} before; cp evil.pem ca.pem; ${unused(object)}; load ${object} after`;
    const { stdout, stderr } = run(script);
    expect(stdout).toBe("before: 255\nafter: 255\n");
    expect(stderr).toContain(CHANGED);
    site.write("ca.pem", authority.pem.certificate);
    const following = `load ${object} before; cp evil.pem ca.pem; ${until(object, "loaded")}; load ${object} after`;
    expect(run(following, ["--follow-files"]).stdout).toBe("before: 255\nafter: 0\n");
  });

  it("is judged by a CRL that its issuer signed, also once it has put the older one back", () => {
    sign(signer, "signatures");
    // the older one is known, so that alone it would not be logged
    const { stdout, stderr } = run(
      `load ${object} before; cp ca.crl old.crl; cp new.crl ca.crl; ${until(object, "not")}; load ${object} revoked
       cp old.crl ca.crl; cat evil.pem >> ca.pem; ${unused(object)}; load ${object} again`,
    );
    expect(stdout).toBe("before: 0\nrevoked: 255\nagain: 255\n");
    expect(stderr).toContain(CHANGED);
  });

  it("is judged by signatures of the folder that was there before it, to which new ones can come", () => {
    mkdirSync(`${site.folder}/signatures`);
    sign(signer, "good");
    const { stdout } = run(
      `load ${object} without; mv signatures kept; mkdir signatures; cp good/* signatures; load ${object} replaced
       cp good/* kept; load ${object} added; rm -r signatures; ln -s /nowhere signatures; load ${object} gone`,
    );
    expect(stdout).toBe("without: 255\nreplaced: 255\nadded: 0\ngone: 0\n");
    expect(new Set(loads(site.log))).toEqual(new Set([0, -61]));
  });

  it("cannot reach the log of `--log-fd`, which has every decision; it can truncate one that is a file", () => {
    sign(signer, "signatures");
    const kept = `${site.folder}/kept.jsonl`;
    const script = `cd ${site.folder}; ${SHELL} load ${object} first; ls /proc/self/fd; : > log.jsonl; load ${object} second`;
    const gate = `"$0" "$1" run --quiet --log-fd 7 --config ${site.folder}/countersign.yaml -- bash -c "$2" 7>> ${kept}`;
    const env = { ...process.env, BPFFS: site.bpffs };
    const words = ["-c", gate, process.execPath, BIN, script];
    const { stdout, stderr } = spawnSync("bash", words, { encoding: "utf8", env });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^first: 0\n/);
    expect(stdout.split("\n")).not.toContain("7");
    expect(stdout).toMatch(/second: 0\n$/);
    expect(loads(recordsOf(kept))).toEqual([0, 0]);
    expect(readFileSync(`${site.folder}/log.jsonl`, "utf8")).toBe("");
    run(`load ${object} first; : > log.jsonl; load ${object} second`);
    expect(loads(site.log)).toEqual([0]);
  });

  it("does not start with a `--log-fd` that is not open, or that it cannot write to", () => {
    expect(run("true", ["--log-fd", "17"])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("is not open"),
    });
    const gate = `exec "$0" "$1" run --log-fd 7 --config ${site.folder}/countersign.yaml -- true 7< /`;
    const { status, stderr } = spawnSync("bash", ["-c", gate, process.execPath, BIN], { encoding: "utf8" });
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining("[FILE_UNREADABLE]") });
    expect(run("true", ["--log-fd", "2"])).toMatchObject({ status: 2, stderr: expect.stringContaining("[USAGE]") });
  });
});
