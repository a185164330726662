import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { sha256 } from "../../../../src/bpf/insn/digest.js";
import { loadedBtf } from "../../../../src/bpf/recognition/loaded-btf.js";
import { programPartOf } from "../../../../src/bpf/statement.js";
import { example } from "../../../support/examples.js";

/** SHA-256 of what Debian's libbpf 1.5.0 passed to BPF_BTF_LOAD for the examples and for a fixture, on Linux 6.18. */
const RECORDED: Readonly<Record<string, string>> = {
  "calm-tcp": "449ab757e6cb17328acade0d030a8c069dd6410c07af2a584868c7b388dcda50",
  "drop-telnet": "11b5da9348c467e78d1958229be73cc90b27ab9b31bbe72b4af5fb423c484f9d",
  "exec-log": "63e32a6d4c432a8c4e99571fe9945982b88b408f371c2c4686509aab1e64abd2",
  "kill-writer": "220a756d4db1700832f15d2c657ea27cee969a358f7d7c36c808cda4beeb98db",
  "last-word": "45421bfae34d82f7c14592f8c145886049774166ab731e54e9b19adf3e484bf6",
  "peek-tc": "df06e3f2efc14087a24e8e4b3cea822060181551901d835e41de63fc06df5683",
  "rate-limit": "d3b85d33113ca1f1201bc23898917f8aea1a2b79c3fb84e23ee0fa412783d732",
  "switch-watch": "45986dd0c445541d119c16359fa4dbd912eeba715c46b8b34467445273bd1bf2",
  "tenant-quota": "87d28c8b0e902544a1451c7af97ca7e939bee7608619585edec0ca7d2c5b1388",
  "xdp-steer": "7718870a63d4c3df32a2f0570318cb98229e710df1789fff6b16aebf8aee9f86",
};
const EXTERNS = readFileSync(new URL("../../../hostile/fixtures/recognition/externs.o", import.meta.url));
const EXTERNS_RECORDED = "b5d0d5fa66636cd56fcc8f04b382c3f8577de0da409df6763694b28f17f009cc";

function loaded(bytes: Uint8Array): Uint8Array {
  const { object } = programPartOf(bytes);
  return loadedBtf(Buffer.from(object.btf!, "base64"), object);
}

describe("the BTF that libbpf loads", () => {
  it.each(Object.entries(RECORDED))("is that of libbpf, to the byte: %s", (name, recorded) => {
    expect(sha256(loaded(example(name)))).toBe(recorded);
  });

  it("is that of libbpf with externs of all kinds, and with hidden and static symbols", () => {
    const bytes = loaded(EXTERNS);
    expect(sha256(bytes)).toBe(EXTERNS_RECORDED);
    const btf = new Btf(bytes);
    const linkages = ["hidden_func", "shared_func", "static_func"].map((name) => btf.linkage(btf.find("func", name)));
    expect(linkages).toEqual([0, 1, 0]);
    const names = (section: string) => btf.variables(btf.section(section)).map(({ type }) => btf.name(type));
    expect(names(".ksyms")).toEqual(expect.arrayContaining(["dummy_ksym", "bpf_prog_active", "no_such_symbol"]));
    expect(names(".kconfig")[0]).toBe("CONFIG_HZ");
  });

  it("leaves the object's own bytes alone", () => {
    const { object } = programPartOf(EXTERNS);
    const original = Buffer.from(object.btf!, "base64");
    const before = sha256(original);
    loadedBtf(original, object);
    expect(sha256(original)).toBe(before);
  });

  it("does not exist for an object whose sections or variables are not those of its BTF", () => {
    const { object } = programPartOf(EXTERNS);
    const original = Buffer.from(object.btf!, "base64");
    expect(() => loadedBtf(original, { ...object, sections: [] })).toThrow(/no data in section/);
    const sections = object.sections.map((section) => ({ ...section, variables: [] }));
    expect(() => loadedBtf(original, { ...object, sections })).toThrow(/has no symbol/);
  });
});
