// Generated from types/countersign.d.ts by scripts/facts.mjs

/** The interface of each hook's subject. */
export const SUBJECTS = {
  bpf_prog_load: "Program",
  bpf_prog: "Program",
  bpf_map_create: "BpfMap",
  bpf_map: "BpfMap",
  bpf: "Command",
  bpf_token_create: "Token",
  bprm_check_security: "File",
  kernel_read_file: "File",
  blob_verify: "Blob",
} as const;

/** The interface of what helpers return, by the helper. */
export const RESULTS: Readonly<Record<string, string>> = {
  statement_of: "Statement",
  signer_of: "Signer",
};

/** The kind of each fact, by interface: see fact-kinds.ts. `?` marks a fact that can be null, `[]` an array. */
export const FACTS = {
  Program: {
    name: "string",
    section: "string?",
    type: "string",
    expected_attach_type: "string?",
    attach_to: "string?",
    license: "string",
    gpl_compatible: "boolean",
    insn_cnt: "number",
    insns: "Bytes",
    raw_insns: "Bytes",
    digest: "string",
    tag: "string",
    helpers: "string[]",
    kfuncs: "string[]",
    maps: "MapFacts[]",
    effects: "Effects",
    signature: "Bytes?",
    statements: "Statement[]",
    mismatches: "Mismatch[]",
    kernel_signature: "Bytes?",
    kernel_keyring: "string?",
    object: "ObjectFile?",
    loaded: "LoadedFacts?",
    rewritten: "boolean",
  },
  BpfMap: {
    name: "string",
    type: "string",
    key_size: "number",
    value_size: "number",
    max_entries: "number",
    flags: "number",
    contents: "string?",
    memory: "number",
    memory_per_cpu: "number",
    digest: "string",
    access: "string?",
  },
  Command: {
    name: "string",
    digest: "string",
    cmd: "number",
    size: "number?",
    program: "ProgramReference?",
    map: "MapReference?",
    attach: "AttachFacts?",
    run: "RunFacts?",
    path: "string?",
    btf: "BtfFacts?",
  },
  Token: {
    name: "string",
    digest: "string",
  },
  File: {
    path: "string?",
    name: "string?",
    sha256: "string",
    digest: "string",
    data: "Bytes",
    signature: "Bytes?",
    purpose: "string",
    parameters: "string?",
  },
  Blob: {
    name: "string",
    digest: "string",
    data: "Bytes",
    signature: "Bytes?",
  },
  Current: {
    pid: "number",
    tid: "number",
    uid: "number",
    euid: "number",
    gid: "number",
    comm: "string",
    exe: "string?",
    cgroup: "string?",
    capabilities: "string[]",
    namespaces: "record",
    container: "Container?",
  },
  Statement: {
    sha256: "string",
    object_sha256: "string",
    name: "string",
    type: "string",
    settings: "Setting[]",
  },
  Signer: {
    subject: "string?",
    key_id: "string",
    serial: "string?",
    issuer: "string?",
  },
  Bytes: {
    length: "number",
  },
  MapFacts: {
    name: "string",
    type: "string",
    key_size: "number",
    value_size: "number",
    max_entries: "number",
    flags: "number",
    contents: "string?",
    memory: "number",
    memory_per_cpu: "number",
  },
  Effects: {
    reads_kernel_memory: "boolean",
    reads_user_memory: "boolean",
    reveals_addresses: "boolean",
    writes_user_memory: "boolean",
    writes_packet: "boolean",
    writes_ctx: "boolean",
    writes_shared_map: "boolean",
    redirects: "boolean",
    decides: "boolean",
    overrides_return: "boolean",
    sends_signal: "boolean",
    changes_socket: "boolean",
    changes_kernel_state: "boolean",
    tail_calls: "boolean",
    calls_bpf: "boolean",
    read_only: "boolean",
  },
  Mismatch: {
    statement: "string",
    property: "string",
    expected: "string",
    found: "string",
  },
  ObjectFile: {
    path: "string",
    sha256: "string",
    data: "Bytes",
    signature: "Bytes?",
  },
  LoadedFacts: {
    tag: "string",
    verified_insns: "number",
    xlated_size: "number",
    jited_size: "number",
    map_ids: "number[]",
  },
  ProgramReference: {
    name: "string",
    type: "string",
    tag: "string",
    digest: "string?",
  },
  MapReference: {
    name: "string",
    type: "string",
  },
  AttachFacts: {
    type: "string?",
    flags: "number",
    target: "AttachTarget",
  },
  RunFacts: {
    repeat: "number",
    flags: "number",
    data_size_in: "number",
    data_size_out: "number",
    ctx_size_in: "number",
    ctx_size_out: "number",
  },
  BtfFacts: {
    size: "number",
    sha256: "string",
  },
  Container: {
    id: "string",
    name: "string?",
    labels: "record?",
    annotations: "record",
  },
  Setting: {
    name: "string",
    kind: "string",
    type: "string?",
    value: "scalar",
    declared: "scalar?",
  },
  AttachTarget: {
    kind: "string",
    ifindex: "number?",
    path: "string?",
    name: "string?",
    program: "ProgramReference?",
    btf_id: "number?",
    namespace: "number?",
    count: "number?",
    symbols: "string[]?",
    offsets: "number[]?",
    pid: "number?",
  },
} as const;

/** By interface: the facts that a subject lacks where they are unknown. */
export const CAN_BE_UNKNOWN: Readonly<Record<string, readonly string[]>> = {
  File: ["path", "parameters"],
};

/** By interface: the facts that are names or lead to names; `[]` marks an array. */
export const NAMED_FACTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Program: {
    type: "ProgramType",
    expected_attach_type: "AttachType",
    helpers: "HelperName[]",
    maps: "MapFacts[]",
    effects: "Effects",
    statements: "Statement[]",
  },
  BpfMap: {
    type: "MapType",
    access: "MapAccess",
  },
  Command: {
    name: "CommandName",
    program: "ProgramReference",
    map: "MapReference",
    attach: "AttachFacts",
  },
  File: {
    purpose: "FilePurpose",
  },
  Current: {
    capabilities: "Capability[]",
  },
  Statement: {
    type: "ProgramType",
    settings: "Setting[]",
  },
  MapFacts: {
    type: "MapType",
  },
  ProgramReference: {
    type: "ProgramType",
  },
  MapReference: {
    type: "MapType",
  },
  AttachFacts: {
    type: "AttachType",
    target: "AttachTarget",
  },
  Setting: {
    kind: "SettingKind",
  },
  AttachTarget: {
    kind: "TargetKind",
    program: "ProgramReference",
  },
};
