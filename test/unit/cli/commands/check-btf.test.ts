import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { gzippedImage, kernelElf, packageOf } from "../../../support/kernel-files.js";
import { switchKernel, switchModule } from "../../../support/switch-kernel.js";
import { own, Workplace } from "../../../support/workplace.js";

const WATCH = own("examples/switch-watch.o");
const GUARDED = own("test/unit/bpf/fixtures/guarded.o");

/** A policy that allows what is listed, and one that denies signals. */
function workplace(attachment: string): Workplace {
  const place = new Workplace(
    `  - policy: policies/${attachment}`,
    "maps: { allowed_programs: { file: allowed.json } }",
  );
  place.policy("hash-allow-list.js");
  place.write(
    "policies/no-signals.js",
    `import { deny } from "countersign";
     export const bpf_prog_load = (prog) => (prog.effects.sends_signal ? deny("sends a signal") : 0);`,
  );
  const bare = switchKernel({ target: false });
  const module = kernelElf(switchModule(bare));
  place.write("kernel.btf", switchKernel({ at: 32 }).bytes());
  place.write("bare.btf", bare.bytes());
  const image = gzippedImage(kernelElf(bare.bytes()));
  place.write("kernel.deb", packageOf({ "boot/vmlinuz-6.12.1": image, "lib/modules/6.12.1/kernel/m.ko": module }));
  place.write("allowed.json", "{}");
  return place;
}

async function check(place: Workplace, ...words: string[]) {
  const { code, out } = await runCommand("check", "--config", place.config, "--json", ...words);
  return { code, ...JSON.parse(out) };
}

describe("check --btf", () => {
  it("decides by the digest that `list` writes for the same kernel", { tags: ["deep"] }, async () => {
    const place = workplace("hash-allow-list.js");
    const kernel = ["--btf", join(place.folder, "kernel.btf")];
    const { out } = await runCommand("list", ...kernel, WATCH);
    place.write("allowed.json", out);
    expect((await check(place, ...kernel, WATCH)).code).toBe(0);
    for (const other of [[], ["--btf", join(place.folder, "bare.btf")]])
      expect((await check(place, ...other, WATCH)).code).toBe(1);
  });

  it("knows the facts that a load fills in", { tags: ["deep"] }, async () => {
    const place = workplace("hash-allow-list.js");
    const unknown = async (...words: string[]) => (await check(place, ...words, WATCH)).differences[0].unknown;
    expect(await unknown()).toEqual(expect.arrayContaining(["insns", "digest", "tag", "effects"]));
    const known = await unknown("--btf", join(place.folder, "kernel.btf"));
    for (const fact of ["insns", "raw_insns", "digest", "tag", "signature", "effects"])
      expect(known).not.toContain(fact);
  });

  it("counts effects of branches that the kernel takes, and no others", { tags: ["deep"] }, async () => {
    const place = workplace("no-signals.js");
    const denied = ({ decisions }: { decisions: { subject: { name: string }; verdict: number }[] }) =>
      decisions.filter(({ verdict }) => verdict !== 0).map(({ subject }) => subject.name);
    expect(denied(await check(place, GUARDED))).toEqual([
      "by_field",
      "by_enumerator",
      "by_kfunc",
      "by_variable",
      "by_symbol",
    ]);
    const on = await check(place, "--btf", join(place.folder, "kernel.btf"), GUARDED);
    expect(denied(on)).toEqual(["by_symbol"]);
    expect(on).toMatchObject({
      kernel: { file: join(place.folder, "kernel.btf"), release: null, modules: false },
      not_loadable: [{ code: "CORE_NEEDS_KALLSYMS" }],
    });
    const symbols = place.write("kallsyms", "ffffffff81000000 T other_symbol\n");
    const known = await check(place, "--btf", join(place.folder, "kernel.btf"), "--kallsyms", symbols, GUARDED);
    expect([denied(known), known.not_loadable]).toEqual([[], []]);
  });

  it("lists programs that cannot load there, and reads modules for what vmlinux lacks", {
    tags: ["deep"],
  }, async () => {
    const place = workplace("no-signals.js");
    const words = ["check", "--config", place.config];
    const bare = await runCommand(...words, "--btf", join(place.folder, "bare.btf"), WATCH);
    expect(bare.out).toContain(
      `cannot load on ${join(place.folder, "bare.btf")}: ${WATCH} program watch_switch: this kernel has no attach target ` +
        "`sched_switch` [CORE_UNRESOLVED]",
    );
    const packaged = await runCommand(...words, "--btf", join(place.folder, "kernel.deb"), WATCH);
    expect([packaged.code, packaged.out.includes("cannot load")]).toEqual([0, false]);
  });

  it("changes nothing without --btf, and takes no options about a kernel then", async () => {
    const place = workplace("no-signals.js");
    expect(Object.keys(await check(place, WATCH))).toEqual(["code", "file", "decisions", "differences", "error"]);
    const { code, err } = await runCommand("check", "--config", place.config, "--modules", "ext4", WATCH);
    expect(code).toBe(2);
    expect(err).toContain("--modules is about a kernel, and none is named [USAGE]; name the kernel with --btf");
  });
});
