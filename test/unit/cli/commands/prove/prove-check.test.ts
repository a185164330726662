import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { runCommand } from "../../../../support/command-line.js";

let folder: string;
let config: string;
const at = (name: string) => join(folder, name);
const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
const shipped = readFileSync(join(import.meta.dirname, "../../../../../policies/verify-blobs.js"), "utf8");
const CONFIGURATION = `version: 1
keyrings: { network: { trust: [root.pem] } }
maps: { container_policy: { file: tiers.json } }
attachments:
  - { policy: limit.js }
  - { policy: verify-blobs.js }
  - { policy: loop.js }
`;
const FILES = {
  "limit.js":
    'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => (prog.insn_cnt > 100 ? deny("large") : 0);\n',
  "loop.js":
    "export const bpf_prog_load = ({ maps }) =>\n  maps.filter(({ key_size }) => key_size > 4).length > 1 ? -1 : 0;\n",
  "verify-blobs.js": shipped,
  "tiers.json": "{}",
  "root.pem": root.pem.certificate,
  "signer.pem": signer.pem.certificate,
  "signer.key": signer.pem.key,
  "countersign.yaml": CONFIGURATION,
};
const SMALL = "export const small = (prog, current, decision) => decision.verdict !== 0 || prog.insn_cnt <= 100;\n";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(at(name), text);
  config = at("countersign.yaml");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const certify = (attachment: string) =>
  runCommand("prove", "table", "--attachment", attachment, "--certificate", at(`${attachment}.cert.json`), config);
/** Gives back the path of the certificate of `limit`. */
const certificateOfLimit = async () => {
  expect(await certify("limit")).toMatchObject({ code: 0, err: "" });
  return at("limit.cert.json");
};

describe("countersign prove check", () => {
  it("accepts what prove table --certificate wrote, and names what is not certified", { tags: ["deep"] }, async () => {
    const certificate = await certificateOfLimit();
    const { code, out, err } = await runCommand("prove", "check", certificate, config);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^limit +bpf_prog_load +[0-9a-f]{16} +2 +1 +0$/m);
    expect(out).toMatch(/^Not certified: verify-blobs, loop$/m);
    expect(out).toMatch(/^Assumed:$/m);
    const told = JSON.parse((await runCommand("prove", "check", certificate, config, "--json")).out);
    expect(told).toMatchObject({
      tables: [{ attachment: "limit", hook: "bpf_prog_load", paths: 2, branches: 1, refuted: 0 }],
      uncertified: ["verify-blobs", "loop"],
    });
  });

  it("checks the answers that prove property --certificate wrote, against the file of the properties", {
    tags: ["deep"],
  }, async () => {
    const alone = at("alone.yaml");
    writeFileSync(alone, "version: 1\nattachments: [{ policy: limit.js }]\n");
    writeFileSync(at("small.js"), SMALL);
    const written = ["prove", "property", at("small.js"), "--config", alone, "--certificate", at("small.cert.json")];
    expect(await runCommand(...written)).toMatchObject({ code: 0, err: "" });
    const check = () => runCommand("prove", "check", at("small.cert.json"), alone, "--properties", at("small.js"));
    expect(await check()).toMatchObject({ code: 0, out: expect.stringMatching(/^small: proved +bpf_prog_load /m) });
    writeFileSync(at("small.js"), SMALL.replace("100", "1000"));
    expect(await check()).toMatchObject({ code: 1, err: expect.stringContaining("tables[0].text: is not that of") });
    const shipped = await runCommand("prove", "check", at("small.cert.json"), alone);
    expect(shipped).toMatchObject({ code: 1, err: expect.stringContaining("PROOF_OUTDATED") });
  });

  it("exits with 1 for a right certificate of a refuted property, and with 2 if a property is missing in it", {
    tags: ["deep"],
  }, async () => {
    const alone = at("alone.yaml");
    writeFileSync(alone, "version: 1\nattachments: [{ policy: limit.js }]\n");
    writeFileSync(at("two.js"), `${SMALL}${SMALL.replace("small", "smaller").replace("100", "50")}`);
    const words = [at("two.js"), "--config", alone, "--certificate", at("two.cert.json")];
    const check = (...more: string[]) =>
      runCommand("prove", "check", at("two.cert.json"), alone, "--properties", at("two.js"), ...more);
    expect((await runCommand("prove", "property", ...words)).code).toBe(1);
    expect(await check()).toMatchObject({ code: 1, out: expect.stringMatching(/^smaller: refuted +bpf_prog_load /m) });
    expect((await check("--json")).code).toBe(1);

    const certificate = JSON.parse(readFileSync(at("two.cert.json"), "utf8"));
    writeFileSync(at("two.cert.json"), JSON.stringify({ ...certificate, tables: [certificate.tables[0]] }));
    const cut = await check();
    expect(cut).toMatchObject({
      code: 2,
      out: expect.stringContaining("\nNot in the certificate: smaller at bpf_prog_load\n"),
    });
    const told = JSON.parse((await check("--json")).out);
    expect(told.missing).toEqual([{ property: "smaller", hook: "bpf_prog_load" }]);
    expect((await check("--property", "small")).code).toBe(0);
    expect((await check("--property", "smaller")).code).toBe(2);
    expect((await check("--property", "small", "--hook", "blob_verify")).code).toBe(2);
    expect(await check("--property", "smal")).toMatchObject({ code: 2, err: expect.stringContaining("`small`") });
  });

  it("misses properties that ship, and any of --properties in a certificate of a table", {
    tags: ["deep"],
  }, async () => {
    const certificate = await certificateOfLimit();
    writeFileSync(at("small.js"), SMALL);
    const missed = await runCommand("prove", "check", certificate, config, "--properties", at("small.js"), "--json");
    expect([missed.code, JSON.parse(missed.out).missing]).toEqual([2, [{ property: "small", hook: "bpf_prog_load" }]]);
    const all = ["--property", "audit_equals_enforce"];
    const shipped = await runCommand("prove", "check", certificate, config, ...all, "--json");
    expect(shipped.code).toBe(2);
    expect(JSON.parse(shipped.out).missing.map(({ property }: { property: string }) => property)).toContain(all[1]);
  });

  it.each(['"version":3', '"digests":{', '"hook":"bpf_prog_load"', '"yes":{', '"verdict":-1'])(
    "rejects a certificate with a key twice: %s",
    { tags: ["deep"] },
    async (text) => {
      const right = readFileSync(await certificateOfLimit(), "utf8");
      const key = /^"\w+":/.exec(text)![0];
      const twice = right.replace(text, `${key}0,${text}`);
      expect(twice).not.toBe(right);
      writeFileSync(at("twice.cert.json"), twice);
      const { code, err } = await runCommand("prove", "check", at("twice.cert.json"), config);
      expect([code, err]).toEqual([1, expect.stringContaining("a key twice [PROOF_MALFORMED]")]);
    },
  );

  it("exits with 1 if the certificate is rejected, with the code and the place in the tree", async () => {
    const text = readFileSync(await certificateOfLimit(), "utf8").replace('"verdict":-1', '"verdict":0');
    writeFileSync(at("forged.cert.json"), text);
    const { code, out, err } = await runCommand("prove", "check", at("forged.cert.json"), config, "--json");
    expect([code, JSON.parse(out).rejected.code]).toEqual([1, "PROOF_ANSWER_WRONG"]);
    expect(err).toMatch(/tables\[0\]\.tree\.yes\.end: is not .* \[PROOF_ANSWER_WRONG\]/);
  });

  it("exits with 1 after the policy was changed, and with 2 if there is no certificate", {
    tags: ["deep"],
  }, async () => {
    const certificate = await certificateOfLimit();
    writeFileSync(at("limit.js"), FILES["limit.js"].replace("100", "200"));
    const { code, err } = await runCommand("prove", "check", certificate, config);
    expect(code).toBe(1);
    expect(err).toMatch(/tables\[0\]\.policy: is not that of the current files and version .* \[PROOF_OUTDATED\]/);
    const missing = await runCommand("prove", "check", at("none.json"), config);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("[FILE_UNREADABLE]") });
  });

  it("is not made of a policy with syntax that it does not evaluate, which is named with its line", async () => {
    const { code, err } = await certify("loop");
    expect(code).toBe(2);
    expect(err).toMatch(
      /loop\.js:2: no certificate can be made of `loop` .* cannot evaluate `filter` of an array \[PROOF_UNSUPPORTED\]/,
    );
    expect(existsSync(at("loop.cert.json"))).toBe(false);
  });

  it("has a certificate that can be signed and demanded by an attachment at blob_verify", {
    tags: ["deep"],
  }, async () => {
    const certificate = await certificateOfLimit();
    const demand = () =>
      runCommand(
        "check",
        "--config",
        config,
        "--hook",
        "blob_verify",
        "--signature",
        `${certificate}.p7s`,
        certificate,
      );
    const unsigned = await runCommand("check", "--config", config, "--hook", "blob_verify", certificate);
    expect(unsigned).toMatchObject({ code: 1, out: expect.stringContaining("-ENODATA") });
    const words = ["--key", at("signer.key"), "--cert", at("signer.pem"), "--out", `${certificate}.p7s`];
    expect(await runCommand("sign", ...words, certificate)).toMatchObject({ code: 0 });
    expect(await demand()).toMatchObject({ code: 0, out: expect.stringContaining("by verify-blobs") });
    writeFileSync(certificate, readFileSync(certificate, "utf8").replace('"verdict":-1', '"verdict":0'));
    expect(await demand()).toMatchObject({ code: 1, out: expect.stringContaining("-EKEYREJECTED") });
  });
});
