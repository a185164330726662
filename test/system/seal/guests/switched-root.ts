import { DRAIN_CONSOLE } from "../../../../src/seal/virtual-machine/machine-start.js";

/**
 * A first process that leaves the initramfs as that of a distribution does: /run is a file system of its own, and
 * switch_root(8) deletes the initramfs and gives the first process another root directory. There it runs `/script`.
 */
export const SWITCHING_INIT = `#!/bin/sh
export PATH=/bin HOME=/root
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mkdir /new
mount -t tmpfs new /new
cp -a /bin /script /new/
mkdir /new/root /new/tmp
for each in proc sys dev run; do mkdir "/new/$each"; mount --move "/$each" "/new/$each"; done
cat > /new/bin/start <<'EOF'
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
echo
echo BEGIN
sh /script 2>&1
echo "END $?"
${DRAIN_CONSOLE}
poweroff -f
EOF
exec switch_root /new /bin/sh /bin/start
`;
