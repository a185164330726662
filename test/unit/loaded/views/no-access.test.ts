import { expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { noAccess } from "../../../../src/loaded/views/no-access.js";

const FIRST = 4026531837;
const root = { uid: 0, status: "CapEff:\t000001ffffffffff\nSeccomp:\t0\n", userNamespace: FIRST };

it.each([
  [ERRNO.ENOSYS, root, "this kernel has no bpf(2)"],
  [ERRNO.EINVAL, root, "this kernel has no lists of BPF objects"],
  [ERRNO.EPERM, { ...root, uid: 1000 }, "only root can list what the kernel has loaded"],
  [ERRNO.EPERM, { ...root, userNamespace: 5 }, "root of this user namespace cannot list what the kernel has loaded"],
  [ERRNO.EPERM, { ...root, status: "CapEff:\t00000000a80425fb\n" }, "this process lacks CAP_SYS_ADMIN"],
  [
    ERRNO.EPERM,
    { ...root, status: root.status.replace("Seccomp:\t0", "Seccomp:\t2") },
    "a seccomp filter denies bpf(2) to this process",
  ],
  [ERRNO.EACCES, root, "the kernel denies the list of BPF programs"],
  [ERRNO.EIO, root, "the kernel does not list BPF programs: EIO"],
] as const)("names the cause of errno %i", (errno, scanner, message) => {
  const error = noAccess(-errno, scanner);
  expect([error.code, error.message]).toEqual(["SCAN_NO_ACCESS", message]);
  expect(error.remedy).toBeTruthy();
});
