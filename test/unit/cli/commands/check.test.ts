import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { runCommand } from "../../../support/command-line.js";
import { recordsOf } from "../../../support/records.js";
import { own, Workplace } from "../../../support/workplace.js";

const PEEK = own("examples/peek-tc.o");
const DROP = own("examples/drop-telnet.o");

function workplace(attachments: string, more?: string): Workplace {
  const place = new Workplace(attachments, more);
  for (const name of ["allow-unsigned-tc.js", "verify-all.js", "verify-blobs.js", "container-lockdown.js"])
    place.policy(name);
  place.write("rules.json", '{ "lab": { "require_signature": false } }');
  return place;
}

const check = (place: Workplace, ...words: string[]) => runCommand("check", "--config", place.config, ...words);
async function decisions(place: Workplace, ...words: string[]) {
  const { code, out } = await check(place, "--json", ...words);
  return { code, decisions: JSON.parse(out).decisions };
}

describe("countersign check", () => {
  it("allows what a policy allows and exits with 0", async () => {
    const place = workplace("  - policy: policies/allow-unsigned-tc.js");
    expect(await check(place, DROP)).toMatchObject({ code: 0, err: "" });
  });

  it("refuses with the policy, its words and the signature's result in one line, and exits with 1", async () => {
    const place = workplace("  - policy: policies/allow-unsigned-tc.js");
    const { code, out } = await check(place, PEEK);
    expect(code).toBe(1);
    expect(out).toMatch(
      /peek +bpf_prog_load +denied -EPERM +allow-unsigned-tc: reads kernel memory and is not signed \(reads_kernel_memory: calls `bpf_get_current_task` at [^ ]+ \(instruction 0\); verify_program platform: -ENODATA \(it matches no statement [^)]+\)\)/,
    );
  });

  it("finds a program's signature in the store by its digest", async () => {
    const place = workplace("  - policy: policies/verify-all.js");
    const before = await decisions(place, PEEK);
    expect(before).toMatchObject({
      code: 1,
      decisions: [{ errno: "-ENODATA", denied_by: { code: "SIGNATURE_INVALID" } }],
    });
    place.signPrograms(readFileSync(PEEK));
    expect(await decisions(place, PEEK)).toMatchObject({ code: 0, decisions: [{ errno: "0", denied_by: null }] });
  });

  it("finds a blob's signature beside it, or takes the one that is named", { tags: ["deep"] }, async () => {
    const place = workplace("  - policy: policies/verify-blobs.js", "maps: { container_policy: { file: rules.json } }");
    const blob = place.write("firmware.bin", "firmware");
    expect((await check(place, blob)).code).toBe(1);
    const signature = place.write("elsewhere.der", signPkcs7(Buffer.from("firmware"), place.signer));
    expect((await check(place, "--signature", signature, blob)).code).toBe(0);
    place.write("firmware.bin.p7s", readFileSync(signature));
    expect((await check(place, blob)).code).toBe(0);
    place.write("firmware.bin", "firmwarf");
    const { decisions: made } = await decisions(place, blob);
    expect(made[0]).toMatchObject({
      hook: "blob_verify",
      errno: "-EKEYREJECTED",
      denied_by: { code: "SIGNATURE_INVALID" },
    });
  });

  it("decides for the task that the options describe: labels, uid, name, or a file", { tags: ["deep"] }, async () => {
    const place = workplace(
      '  - policy: policies/container-lockdown.js\n    scope: { labels: "tier in (edge, prod)" }',
    );
    expect((await check(place, PEEK)).code).toBe(0);
    expect((await check(place, "--label", "tier=lab", PEEK)).code).toBe(0);
    const edge = await decisions(place, "--label", "tier=edge", PEEK);
    expect(edge).toMatchObject({ code: 1, decisions: [{ denied_by: { attachment: "container-lockdown" } }] });
    const as = place.write("current.json", '{ "uid": 5, "container": { "id": "c0", "labels": { "tier": "edge" } } }');
    expect((await check(place, "--as", as, PEEK)).code).toBe(1);
    expect((await check(place, "--as", as, "--label", "tier=lab", PEEK)).code).toBe(0);
    const scoped = workplace("  - policy: policies/verify-all.js\n    scope: { uid: 1000-1999, comm: bpf* }");
    const asked = async (uid: string, comm: string) => (await check(scoped, "--uid", uid, "--comm", comm, PEEK)).code;
    expect([await asked("1000", "bpftool"), await asked("999", "bpftool"), await asked("1000", "tc")]).toEqual([
      1, 0, 0,
    ]);
  });

  it("lets through what an attachment in audit denies, and says so", async () => {
    const place = workplace("  - policy: policies/verify-all.js\n    mode: audit");
    const { code, out } = await check(place, PEEK);
    expect(code).toBe(0);
    expect(out).toMatch(/audit -ENODATA +denied in audit alone: verify-all: verify_program platform: -ENODATA/);
  });

  it("names each denial of a decision in audit", async () => {
    const [one, other] = ["one", "other"].map(
      (name) => `  - { name: ${name}, policy: policies/verify-all.js, mode: audit }`,
    );
    const { code, out } = await check(workplace(`${one}\n${other}`), PEEK);
    expect(code).toBe(0);
    expect(out).toMatch(/audit -ENODATA +denied in audit alone: one: verify_program .*; other: verify_program /);
  });

  it.each([
    ["{ policy: policies/allow.js }", "by allow"],
    [
      "{ policy: policies/allow.js, mode: audit }",
      "no enforcing attachment answered; the default is allow; asked: allow (audit)",
    ],
    [
      "{ policy: policies/fails.js, on_fault: allow }",
      "no enforcing attachment answered; the default is allow; asked: fails (fault)",
    ],
    [
      "{ policy: policies/allow.js }\n  - { policy: policies/fails.js, on_fault: allow, mode: audit }",
      "by allow; asked: fails (audit, fault)",
    ],
    ["{ policy: policies/allow.js, scope: { uid: 7 } }", "nothing is in scope; the default is allow"],
  ])("says of %s who allowed it", async (attachment, reason) => {
    const place = workplace(`  - ${attachment}`);
    place.write("policies/allow.js", "export const bpf_prog_load = () => 0;");
    place.write("policies/fails.js", "export const bpf_prog_load = () => { throw new Error('broken'); };");
    const [, row] = (await check(place, PEEK)).out.split("\n");
    expect(row).toMatch(/ allowed /);
    expect(row!.trimEnd().endsWith(`  ${reason}`), row).toBe(true);
  });

  it("says in a dry run what would be denied, and exits as in enforcement", async () => {
    const place = workplace("  - policy: policies/verify-all.js", "mode: audit\n");
    const { code, out } = await check(place, PEEK);
    expect(code).toBe(1);
    expect(out).toMatch(/would deny -ENODATA +verify-all: verify_program/);
    const [decision] = JSON.parse((await check(place, "--json", PEEK)).out).decisions;
    expect(decision).toMatchObject({ mode: "audit", verdict: 0, errno: "0", enforced_errno: "-ENODATA" });
  });

  it("prints the id of each denial beside it if the decisions are recorded", async () => {
    const place = workplace(
      "  - policy: policies/verify-all.js\n  - { policy: policies/verify-all.js, name: b, mode: audit }",
    );
    const log = place.at("checks.jsonl");
    const { out } = await check(place, `--log=${log}`, PEEK, DROP);
    const records = recordsOf(log).filter(({ denied_by }) => denied_by !== null);
    expect(records.length).toBeGreaterThan(1);
    expect(Array.from(out.matchAll(/ denied .* \(([0-9a-f-]{36})\) *$/gm), ([, id]) => id)).toEqual(
      records.map(({ id }) => id),
    );
    expect((await check(place, PEEK)).out).not.toMatch(/\([0-9a-f-]{36}\)/);
  });

  it("has a decision for each program, in JSON an object a file and an array for several, with the steps that were used", async () => {
    const place = workplace("  - policy: policies/allow-unsigned-tc.js");
    const { out } = await check(place, "--json", own("examples/exec-guard.o"), DROP);
    const [guard, drop] = JSON.parse(out);
    expect(guard.decisions.map((one: { subject: { name: string } }) => one.subject.name)).toEqual(["guard", "watch"]);
    expect(drop).toMatchObject({
      file: DROP,
      error: null,
      decisions: [{ verdict: 0, answers: [{ steps: expect.any(Number) }] }],
    });
    expect(drop.decisions[0].answers[0].steps).toBeGreaterThan(0);
  });

  it("continues after a file that cannot be decided, and exits with 2", async () => {
    const place = workplace("  - policy: policies/allow-unsigned-tc.js");
    const missing = place.at("missing.o");
    const { code, out, err } = await check(place, missing, DROP);
    expect(code).toBe(2);
    expect(out).toContain("1 allowed, 0 denied, 1 file undecided");
    expect(err).toContain(`${missing}: cannot be read: ENOENT [FILE_UNREADABLE]`);
  });

  it("decides for the time that the option names", async () => {
    const place = workplace("  - policy: policies/verify-all.js");
    place.signPrograms(readFileSync(PEEK));
    const { decisions: made } = await decisions(place, "--at", "2100-01-01T00:00:00Z", PEEK);
    expect(made[0].errno).toBe("-EKEYEXPIRED");
  });

  it("asks other hooks about a file, and says of which there can be none", async () => {
    const place = workplace("  - policy: policies/maps.js");
    place.write(
      "policies/maps.js",
      `import { deny } from "countersign";
       export const bpf_map_create = (map) => map.max_entries > 100 ? deny(map.name + " is large") : 0;
       export const kernel_read_file = (file) => file.purpose === "module" ? 0 : deny("no module");
       export const bprm_check_security = (file) => file.data.length > 0 ? 0 : deny("empty");`,
    );
    const map = await decisions(place, "--hook", "bpf_map_create", PEEK);
    expect(map.decisions[0]).toMatchObject({
      subject: { kind: "map", name: "stolen" },
      denied_by: { reason: "maps: stolen is large" },
    });
    expect((await check(place, "--hook", "kernel_read_file", PEEK)).code).toBe(0);
    expect((await check(place, "--hook", "bprm_check_security", PEEK)).code).toBe(0);
    const none = await check(place, "--hook", "bpf_token_create", PEEK);
    expect(none).toMatchObject({ code: 2 });
    expect(none.err).toContain("bpf_token_create is not about a file");
  });
});

describe("countersign init and test", () => {
  it("make a directory in which everything works, and never write over one", { tags: ["deep"] }, async () => {
    const place = new Workplace("");
    const folder = place.at("new/demo");
    const made = await runCommand("init", "--json", folder);
    expect(made).toMatchObject({ code: 0, err: "" });
    for (const file of JSON.parse(made.out).files) expect(existsSync(`${folder}/${file}`), file).toBe(true);

    const config = `${folder}/countersign.yaml`;
    expect((await runCommand("check", "--config", config, "--log", "--", `${folder}/program.o`)).code).toBe(0);
    expect((await runCommand("check", "--config", config, `${folder}/unsigned.o`, "--log")).code).toBe(1);
    const tested = await runCommand("test", "--config", config);
    expect(tested).toMatchObject({ code: 0, err: "" });
    expect(tested.out).toContain("3 passed, 0 failed");
    const logged = readFileSync(`${folder}/decisions.jsonl`, "utf8").trimEnd().split("\n");
    expect(logged.length, "tests are not logged").toBe(2);

    const again = await runCommand("init", folder);
    expect(again.code).toBe(2);
    expect(again.err).toContain("is not empty");
  });

  it("say which case is not as expected, and exit with 1", async () => {
    const place = workplace("  - policy: policies/verify-all.js\n    scope: { uid: 0 }");
    place.write(
      "policies/verify-all.test.yaml",
      `- { file: ${PEEK}, expect: allow }\n- { file: ${PEEK}, expect: -ENODATA, reason: matches no statement }\n- { file: ${PEEK}, uid: 5, expect: not asked }\n`,
    );
    const { code, out } = await runCommand("test", "--config", place.config);
    expect(code).toBe(1);
    expect(out).toMatch(/failed .*:1:3 .* expected allow, got -ENODATA: verify-all: verify_program platform/);
    expect(out).toContain("2 passed, 1 failed");
  });

  it("print reasons that did not lead to the verdict, as text and as JSON", { tags: ["deep"] }, async () => {
    const place = new Workplace("  - policy: policies/rules.js");
    place.write(
      "policies/rules.js",
      `import { deny } from "countersign";
      const rules = [() => deny("first rule"), () => 0, () => deny("third rule", 13)];
      export const bpf_prog_load = () => rules.map((rule) => rule()).indexOf(1) + 1;`,
    );
    place.write("policies/rules.test.yaml", `- { file: ${PEEK}, expect: allow }\n`);
    const text = "(unused reasons of rules: first rule; third rule)";
    const unused_reasons = ["first rule", "third rule"];
    expect((await check(place, PEEK)).out).toContain(`by rules ${text}`);
    const { decisions: made } = await decisions(place, PEEK);
    expect(made).toMatchObject([{ verdict: 0, answers: [{ unused_reasons }] }]);
    expect((await runCommand("test", "--config", place.config)).out).toContain(`allow ${text}`);
    const tested = await runCommand("test", "--config", place.config, "--json");
    expect(JSON.parse(tested.out).cases).toMatchObject([{ passed: true, unused_reasons }]);
  });

  it("say that there is no test, or what is wrong with one, and exit with 2", async () => {
    const place = workplace("  - policy: policies/verify-all.js");
    expect(await runCommand("test", "--config", place.config)).toMatchObject({ code: 2, out: "" });
    place.write("policies/verify-all.test.yaml", "- { filee: a, expect: allow }\n");
    const { code, err } = await runCommand("test", "--config", place.config);
    expect(code).toBe(2);
    expect(err).toContain("verify-all.test.yaml:1:5: unknown key `filee` in `[0]`");
    expect(err).toContain("did you mean `file`?");
  });
});
