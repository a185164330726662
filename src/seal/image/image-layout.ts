/** The structs of image.h: sizes and offsets in bytes. test/unit/seal compares them with what a C compiler says. */

export const IMAGE_MAGIC = Buffer.from("CSGUARD\x01", "latin1");

export const HEADER = {
  size: 120,
  fields: { size: 8, guard_version: 12, mode: 16, on_failure: 20, status_map: 24, attach_flags: 28 },
  ranges: { btf: 32, maps: 40, programs: 48, patches: 56, keys: 64, license: 72, status: 80 },
  kernel_btf: 88,
} as const;

export const ON_FAILURE = { halt: 0, continue: 1 } as const;

export const MAP = {
  size: 64,
  fields: {
    type: 16,
    key_size: 20,
    value_size: 24,
    max_entries: 28,
    map_flags: 32,
    btf_key_type_id: 36,
    btf_value_type_id: 40,
    frozen: 44,
  },
  map_extra: 48,
  contents: 56,
} as const;

export const PATCH = { size: 12, kinds: { loader_tgid: 1, list_ring: 2, program_ring: 3, kernel_btf: 4 } } as const;

export const KEY = { size: 12, certificate: 4, rings: { lists: 0, programs: 1 } } as const;

export const PROGRAM = {
  size: 184,
  section: 16,
  target: 64,
  fields: { type: 112, expected_attach_type: 116, flags: 120, attach: 124, target_kind: 128 },
  ranges: { insns: 136, func_info: 144, line_info: 152, core_relos: 160, map_refs: 168, externs: 176 },
  /** Maximum length of a section's name and of a target, with the NUL. */
  name: 48,
} as const;

export const ATTACH = { none: 0, cgroup: 1, link: 2 } as const;

export const EXTERN = { size: 64, name: 48 } as const;
