#!/usr/bin/env bash
# Installs the Debian packages that the system tests use. Does nothing if all are installed. Prints nothing. If it runs
# already, it waits for that.
set -euo pipefail
exec 9<"${BASH_SOURCE[0]}"
flock 9
packages=(
  bpftool clang-19 llvm-19 libbpf-dev linux-libc-dev # objects, oracles, tables
  xdp-tools libxdp1 libbpf-tools                     # real objects and loaders
  binutils xz-utils zstd kmod                       # kernels of other suites
  openssl gnutls-bin keyutils libssl-dev             # signatures
  openssh-client minisign softhsm2 pkcs11-provider opensc libengine-pkcs11-openssl # other keys and signatures
  iproute2 runc busybox-static qemu-system-x86 strace gcc libc6-dev # the gate
  groff-base mandoc zsh fish                        # the manual page and completions
  musl-tools                                        # the guard's loader
  mmdebstrap e2fsprogs                              # the root file system of a sealed guest
  ovmf sbsigntool python3-virt-firmware systemd-ukify systemd-boot-efi mtools swtpm # a guest with Secure Boot
  lintian                                           # the Debian package
  systemd crun podman containerd                    # what starts and runs containers
  z3 cvc5                                           # other solvers of the prover's questions
  chromium-headless-shell                           # opens reports
  bpftrace python3-bpfcc                            # tracers that make their programs at run time
  golang-go golang-github-cilium-ebpf-dev           # cilium/ebpf, whose own tests run behind the gate
  golang-github-frankban-quicktest-dev golang-github-google-go-cmp-dev # imported by those tests
)
export DEBIAN_FRONTEND=noninteractive

there() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
missing=()
for name in "${packages[@]}"; do there "$name" || missing+=("$name"); done
# sign-file is part of the kernel's build scripts, whose package is named after a release; any release will do.
sign_file=(/usr/lib/linux-kbuild-*/scripts/sign-file)
[ ${#missing[@]} -eq 0 ] && [ -x "${sign_file[0]}" ] && exit 0

apt-get update -qq >/dev/null
[ -x "${sign_file[0]}" ] || missing+=("$(apt-cache search --names-only '^linux-kbuild-' | cut -d' ' -f1 | sort -V | tail -1)")
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1
