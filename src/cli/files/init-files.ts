/** Text files that `init` writes, besides keys, BPF objects and the example policy of the package. */
export const CONFIG = `# Who may load what. Every key: docs/configuration.md of the package.
version: 1

default: { bpf_prog_load: deny }      # where no enforcing attachment answers; audit: allow, and record a denial

keyrings:
  platform: { trust: [certs/ca.pem] }

attachments:
  - policy: policies/allow-unsigned-tc.js
    mode: enforce                     # audit: record its denials, and change no verdict

signatures: [signatures/]             # made by \`countersign sign --programs\`

log: { file: decisions.jsonl }
`;

export const POLICY_TEST = `# Run by \`countersign test\`: what the policy beside this file should answer.
- file: ../program.o                  # signed: its signature is in signatures/
  expect: allow
- file: ../unsigned.o                 # reads the kernel's memory, and nobody signed it
  expect: -EPERM
  reason: reads kernel memory and is not signed
- { file: ../unsigned.o, labels: { tier: edge }, uid: 1000, expect: deny }
`;

export const README = `# A place to try Countersign

\`\`\`sh
countersign check program.o unsigned.o    # one is signed, the other is denied
countersign inspect program.o             # what it is and what it may do
countersign test                          # the policy's own test
\`\`\`

Sign the other one, and look again:

\`\`\`sh
countersign sign --key keys/signer.key --cert certs/signer.pem --programs unsigned.o
countersign check unsigned.o
\`\`\`

| what | where |
| --- | --- |
| the configuration | \`countersign.yaml\` |
| the policy, and its test beside it | \`policies/\` |
| a test CA and the signer's certificate | \`certs/\` |
| their keys: for trying things out, and for nothing else | \`keys/\` |
| statements of signed programs, and signatures by the digest of what they sign | \`signatures/\` |
| what was decided, one line of JSON each | \`decisions.jsonl\` |
`;
