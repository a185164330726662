/** The doors of `bpf`, which has the most: see door-table.mjs. */
export const BPF_DOORS = {
  files: 48,
  names: 185,
  shared: [
    "btf/btf",
    "core/variant",
    "elf/elf",
    "embedded",
    "insn/digest",
    "insn/insn",
    "model/code",
    "model/command-fields",
    "model/commands",
    "model/differences",
    "model/facts",
    "model/map-memory",
    "model/program-fields",
    "model/statement-fields",
    "object",
    "object/program",
    "object/section",
    "recognition",
    "relocate",
    "relocations",
    "report/evidence-text",
    "resolved-object",
    "statement",
    "tables/loader-probes.gen",
    "tables/map-flags",
    "tables/names.gen",
    "tables/sections.gen",
  ],
  only: {
    gate: {
      because: "they read the bytes of a live load and complete its facts; bytes become facts only in `bpf`",
      files: ["completed-facts", "prog-load"],
    },
    loaded: {
      because:
        "what the verifier did to instructions is undone only in `bpf`, and the kernel's tags are computed there",
      files: ["analysis/program-facts", "report/kernel-tag", "translated-listing", "translated-program"],
    },
    prove: {
      because: "the assembler and the tables of program types are of BPF, and know no policy",
      files: [
        "assembly/assembly-lines",
        "assembly/object-writer",
        "program-constraints",
        "tables/helpers",
        "tables/program-types",
      ],
    },
    seal: {
      because: "ELF and the BTF of a load are read only in `bpf`",
      files: ["elf/bytes", "elf/symbols", "recognition/loaded-btf"],
    },
    workbench: {
      because: "they describe instructions, which only `bpf` decodes",
      files: ["described-program", "report/code-around"],
    },
  },
  cli: {
    "check, explain, inspect, learn, list, resolve, seal": ["core/kernel", "stored-programs"],
    inspect: ["report/difference", "report/kernel-needs", "report/program-details"],
  },
};
