import { describe, expect, it } from "vitest";
import { type GuardClasses, NO_CLASSES } from "../../../src/seal/classes.js";
import { imageOf } from "../../../src/seal/image/image.js";
import { GUARD_VERSION } from "../../../src/seal/list/list-header.js";
import { encodeList, signedPart } from "../../../src/seal/list.js";
import { MODE, STATUS } from "../../../src/seal/status/status-layout.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { kernelBtfOf } from "./guests/kernel-btf.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, guardObject, listOfValues, loaderOfVersion } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const OTHER_VERSION = GUARD_VERSION - 1;
/** What commands say of its guard. */
const OTHER = new RegExp(
  `^countersign: guard: a guard of version ${OTHER_VERSION} is in force.*\\[SEAL_RUNNING\\]; use`,
  "m",
);

const LISTED = 1;
const UNLISTED = 2;

/** A guest takes long to start node: status.test.ts stops an audit as well, and starts a seal after it. */
const NIGHTLY = ["stop the audit", "load after it", "audit again"];
/** Each step in the order in which the one guest runs it; `hold` runs it while an unlisted program is loaded. */
const STEPS: Readonly<Record<string, string>> = {
  "status of an older guard": "other-loader /lib/other-guard > /dev/null; countersign seal status",
  "stop an older guard": "countersign seal stop",
  "status of an older guard with another status": `other-loader --stop > /dev/null; hold-status ${STATUS.size + 8} ${OTHER_VERSION} countersign seal status`,
  // the kernel frees the maps of the guard that was stopped only after a grace period of RCU
  "stop without a guard":
    "until countersign seal stop 2>&1 | grep -q NOT_RUNNING; do echo waits; sleep 1; done; countersign seal stop",
  "start with a program that is loaded": "hold-sysctl --multi countersign seal start --list /lib/list",
  "start as a user": "as-user countersign seal start --deny-all",
  "start for audit": "countersign seal start --audit --list /lib/list",
  "load under audit": `load-value ${LISTED} ${UNLISTED}`,
  "stop the audit": "countersign seal stop",
  "load after it": `load-value ${UNLISTED}`,
  "audit again": "countersign seal start --audit --list /lib/list",
  "start instead of the audit": "countersign seal start --accept-loaded --trusted-key /lib/signer.pem --list /lib/list",
  "load on a sealed machine": `load-value ${LISTED} ${UNLISTED}`,
  "replace by a list without a signature": "countersign seal replace --list /lib/unsigned",
  "replace by a list with other classes": "countersign seal replace --list /lib/other",
  "ask the doctor about it": "countersign seal doctor --list /lib/other",
  replace: "countersign seal replace --list /lib/new",
  "load by the new list": `load-value ${LISTED} ${UNLISTED}`,
  "replace once more": "countersign seal replace --list /lib/new",
  "status of it all": "countersign seal status",
  "start again": "countersign seal start --deny-all",
  "stop what is sealed": "countersign seal stop",
};

const NAMES = Object.keys(STEPS).filter(
  (name) => process.env.COUNTERSIGN_NIGHTLY !== undefined || !NIGHTLY.includes(name),
);

const SCRIPT = `
export NO_COLOR=1
mount -t tmpfs -o mode=1777 tmpfs /root
printf '#!/bin/sh\\nexec node /countersign/bin/countersign.js "$@"\\n' > /bin/countersign; chmod 755 /bin/countersign
${NAMES.map((name) => `echo "PART ${name}"; ${STEPS[name]}; echo "exit $?"`).join("\n")}
echo "PART end"
`;

const signer = Authority.create({ subject: "Signer", key: "rsa-2048", keyUsage: [0] });

/** The lists that the guest has, by the names of their files, with their signatures. */
function lists(kernelBtf: string): ReadonlyMap<string, Uint8Array> {
  const mask = { types: [1], helpers: [] };
  const bytes = (value: number, generation: bigint, classes: GuardClasses = NO_CLASSES) => {
    const { header, entries } = listOfValues([value]);
    return encodeList(entries, { ...header, kernelBtf, generation }, classes);
  };
  const signed = { list: bytes(LISTED, 1n), new: bytes(UNLISTED, 2n), other: bytes(UNLISTED, 2n, { admit: [], mask }) };
  const files = Object.entries(signed).flatMap(([name, list]): readonly (readonly [string, Uint8Array])[] => [
    [name, list],
    [`${name}.p7s`, signPkcs7(signedPart(list), signer)],
  ]);
  return new Map([...files, ["unsigned", signed.new], ["signer.pem", Buffer.from(signer.pem.certificate)]]);
}

type Parts = Readonly<Record<string, string>> | string;

async function run(kernel: SealKernel): Promise<Parts> {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.countersign();
  for (const name of ["load-value", "hold-sysctl", "hold-status", "as-user"])
    guest.file(`bin/${name}`, compileProgram(name), 0o755);
  for (const [name, bytes] of lists(await kernelBtfOf(guest))) guest.file(`lib/${name}`, bytes);
  guest.file("bin/other-loader", loaderOfVersion(OTHER_VERSION), 0o755);
  const other = { mode: MODE.audit, guardVersion: OTHER_VERSION, onFailure: "halt" } as const;
  guest.file("lib/other-guard", imageOf(guardObject(), other));
  const { output } = guest.run(SCRIPT, { seconds: 850, memory: 1536 });
  guest.remove();
  const found = output.split(/^PART (.*)\n/m).slice(1);
  return Object.fromEntries(found.flatMap((name, at) => (at % 2 === 0 ? [[name, found[at + 1]!]] : [])));
}

/** What each step prints, and its exit status. */
const EXPECTED: Readonly<Record<keyof typeof STEPS, readonly [string | RegExp, number]>> = {
  "status of an older guard": [OTHER, 2],
  "stop an older guard": [OTHER, 2],
  "status of an older guard with another status": [OTHER, 2],
  "stop without a guard": [/there is none \[SEAL_NOT_RUNNING\]/, 2],
  "start with a program that is loaded": [
    /program \d+ .*: is loaded, and the list does not .* \[SEAL_UNLISTED_LOADED\]/,
    0,
  ],
  "start as a user": [/user: is not root \[SEAL_UNSUPPORTED\]/, 2],
  "start for audit": [/^audit, nothing is denied: list with 1 entries, generation 1$/m, 0],
  "load under audit": [`program ${LISTED}: loaded\nprogram ${UNLISTED}: loaded\n`, 0],
  "stop the audit": [/^stopped: \d+ programs detached$/m, 0],
  "load after it": [`program ${UNLISTED}: loaded\n`, 0],
  "audit again": [/^audit, nothing is denied/m, 0],
  "start instead of the audit": [/^sealed until the next boot: list with 1 entries, generation 1$/m, 0],
  "load on a sealed machine": [`program ${LISTED}: loaded\nprogram ${UNLISTED}: EPERM\n`, 0],
  "replace by a list without a signature": [/^countersign: \/lib\/unsigned: .* \[SEAL_LIST_UNSIGNED\]/m, 2],
  "replace by a list with other classes": [
    /^countersign: \/lib\/other: has other classes or another mask than is in force \[SEAL_LIST_OTHER_RULES\]/m,
    2,
  ],
  "ask the doctor about it": [/^weak +the named list +it has other classes or another mask than is in force/m, 0],
  replace: [/^in force: list with 1 entries, generation 2$/m, 0],
  "load by the new list": [`program ${LISTED}: EPERM\nprogram ${UNLISTED}: loaded\n`, 0],
  "replace once more": [/has generation 2, and 2 is in force \[SEAL_LIST_OLDER\]/, 2],
  "status of it all": [
    /^modules +no rule: .*\nexecutables +no rule: every file\nclasses +none\nmask +denies nothing$/m,
    0,
  ],
  "start again": [/\[SEAL_RUNNING\]/, 2],
  "stop what is sealed": [/it is sealed and cannot be stopped before the next boot \[SEAL_RUNNING\]/, 2],
};

describe.for(testedKernels())("the commands of the seal on a machine that has started, on %s,", (kernel) => {
  let parts: Promise<Parts> | undefined;

  it.for(NAMES)("%s", async (name, { skip }) => {
    parts ??= run(kernel);
    const found = await parts;
    if (typeof found === "string") return skip(found);
    const [expected, status] = EXPECTED[name]!;
    const [, text, exit] = /^(.*)exit (\d+)$/s.exec(found[name]?.trim() ?? "") ?? [];
    if (typeof expected === "string") expect(text).toBe(expected);
    else expect(text).toMatch(expected);
    expect(Number(exit)).toBe(status);
  });
});
