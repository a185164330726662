#!/usr/bin/env bash
# Runs system tests in a virtual machine: `scripts/guest-ring.sh --help`.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: scripts/guest-ring.sh [OPTION…] [FILE…]

Runs system tests, or these files of them, under qemu with Debian's kernel: for a machine whose own kernel must not be
touched or cannot load programs, and for another version of the kernel. Its root is this machine's, read-only; /tmp,
/run, /root, /var/tmp and the checkout are copies in the guest, and are lost with it. Takes dist/ as it is (npm run
build). Needs what scripts/debian.sh installs.

  --kernel FOLDER   an unpacked linux-image package; default: the one that linux-image-amd64 depends on, fetched with
                    apt-get
  --memory MIB      of the guest (6144)
  --cpus N          of the guest (2)
  --seconds N       until the guest is ended (3600)
  --kvm             with the processor's help; without it everything takes 10 to 20 times longer, and tests have limits
                    that are as long
  --module NAME     loads this module of the kernel too, with what it depends on
  -t PATTERN        only tests whose name matches
  --script          FILE… is a shell script with its arguments, which runs in place of tests; this machine's /tmp is /mnt

The status is that of the tests, 1 where the guest does not come to its end, and 2 for a mistake in the arguments.
TEXT
}

kernel= memory=6144 cpus=2 seconds=3600 accel=tcg,thread=multi limit=1200000
files=() more=() script=
# Modules that the kernel needs before its root is mounted, and for tests.
modules=(virtio_pci 9p 9pnet_virtio crc32c_generic ext4 virtio_blk dummy veth overlay)
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage && exit ;;
    --script) script=1 && shift && continue ;;
    --kvm) accel=kvm limit=300000 && shift && continue ;;
    --kernel | --memory | --cpus | --seconds | --module | -t)
      [ $# -gt 1 ] || { echo "guest-ring: $1 needs a value" >&2 && exit 2; }
      case $1 in
        --kernel) kernel=$2 ;;
        --memory) memory=$2 ;;
        --cpus) cpus=$2 ;;
        --seconds) seconds=$2 ;;
        --module) modules+=("$2") ;;
        -t) more=(-t "$2") ;;
      esac
      shift 2
      ;;
    -*) echo "guest-ring: no option $1; see --help" >&2 && exit 2 ;;
    *) files+=("$1") && shift ;;
  esac
done
for file in ${files[@]+"${files[@]}"}; do
  [ -e "$file" ] || { echo "guest-ring: there is no $file" >&2 && exit 2; }
done
for program in qemu-system-x86_64 busybox dpkg-deb mkfs.ext4; do
  command -v $program >/dev/null || { echo "guest-ring: needs $program; see scripts/debian.sh" >&2 && exit 1; }
done

# The tests in test/system/guest/ use the same folder.
kept=${COUNTERSIGN_GUEST:-${TMPDIR:-/tmp}/countersign-guest}
if [ -z "$kernel" ]; then
  name=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*-amd64\)$/\1/p' | head -1)
  [ -n "$name" ] || { echo "guest-ring: needs Debian's linux-image-amd64, or --kernel" >&2 && exit 1; }
  kernel=$kept/$name
  if [ ! -d "$kernel" ]; then
    rm -rf "$kernel.part" && mkdir -p "$kernel.part"
    (cd "$kernel.part" && apt-get download -qq "$name" && dpkg-deb -x ./*.deb . && rm ./*.deb)
    mv "$kernel.part" "$kernel"
  fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checkout=$PWD

mkdir -p "$work"/root/{bin,proc,sys,dev,new,modules} "$work/out"
cp "$(command -v busybox)" "$work/root/bin/busybox"
for applet in sh mount insmod mkdir switch_root; do ln -s busybox "$work/root/bin/$applet"; done
# Copies a module after those that it depends on, if it is not built into the kernel, and adds it to `order`.
order=()
add_module() {
  local file target=$work/root/modules/$1.ko needs
  file=$(find "$kernel" -name "${1//[-_]/[-_]}.ko" -o -name "${1//[-_]/[-_]}.ko.xz" | head -1)
  [ -n "$file" ] && [ ! -e "$target" ] || return 0
  case $file in
    *.xz) busybox xzcat "$file" >"$target" ;;
    *) cp "$file" "$target" ;;
  esac
  for needs in $(grep -aom1 'depends=[A-Za-z0-9_,-]*' "$target" | sed 's/depends=//; s/,/ /g'); do add_module "$needs"; done
  order+=("$1")
}
for module in "${modules[@]}"; do add_module "$module"; done
cat >"$work/root/init" <<INIT
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in ${order[*]}; do insmod /modules/\$module.ko; done
share() { mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,\$3 \$1 \$2; }
share root /new ro,cache=loose
mount --bind /new/tmp /new/mnt
for folder in tmp run root var/tmp; do mount -t tmpfs -o mode=1777 tmpfs /new/\$folder; done
mkdir -p /new/tmp/guest-ring /new$checkout /new$kept
[ ! -d /new/mnt${kept#/tmp} ] || mount --bind /new/mnt${kept#/tmp} /new$kept
share out /new/tmp/guest-ring rw,cache=none
mount -t ext4 /dev/vda /new$checkout
for folder in proc sys dev; do mount --move /\$folder /new/\$folder; done
exec switch_root /new /bin/bash /tmp/guest-ring/script
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | busybox cpio -o -H newc >"$work/image.cpio" 2>/dev/null)

truncate -s 4G "$work/checkout.img"
mkfs.ext4 -q -d "$checkout" "$work/checkout.img"

if [ -n "$script" ]; then
  run="bash$(printf ' %q' "${files[@]}")"
else
  run="node node_modules/vitest/vitest.mjs run --project system --project packages --reporter=verbose"
  run+=" --reporter=./test/support/reporter.ts --reporter=./test/support/stalls.ts"
  run+="$(printf ' %q' --testTimeout $limit --hookTimeout $limit ${more[@]+"${more[@]}"} ${files[@]+"${files[@]}"})"
fi
cat >"$work/out/script" <<SCRIPT
export HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
for link in fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do [ -e /dev/\${link%:*} ] || ln -s /proc/self/\${link#*:} /dev/\${link%:*}; done
ip link set lo up
ulimit -n 20000
cd $(printf %q "$checkout")
# vitest writes there; the node_modules of a worktree may be a link to those of another checkout, which are read-only
for folder in node_modules/.vite node_modules/.vite-temp; do
  if [ -d \$folder ] && ! [ -w \$folder ]; then mount -t tmpfs tmpfs \$folder; fi
done
echo "# \$(uname -r)"
$run </dev/null 2>&1 | cat
echo \${PIPESTATUS[0]} >/tmp/guest-ring/status
sync
# what the driver of the console has not sent yet would be lost
busybox stty opost </dev/console
busybox poweroff -f
SCRIPT

timeout -k 5 "$seconds" qemu-system-x86_64 -accel "$accel" -cpu max -smp "$cpus" -m "$memory" -nographic -no-reboot -nodefaults \
  -serial stdio -kernel "$(find "$kernel" -name "vmlinuz*" | head -1)" -initrd "$work/image.cpio" \
  -append "console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check syscall.x32=y lsm=landlock,lockdown,yama,integrity,bpf mitigations=off" \
  -drive "file=$work/checkout.img,format=raw,if=virtio,cache=unsafe" \
  -virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap" \
  -virtfs "local,path=$work/out,mount_tag=out,security_model=none" </dev/null || echo "guest-ring: the guest was ended" >&2
exit "$(cat "$work/out/status" 2>/dev/null || echo 1)"
