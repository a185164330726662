# listener.sh FOLDER: runs attack/listener.c in containers of runc, crun and podman under an agent, in a guest of
# guest-ring.sh. FOLDER is in /tmp of the machine around the guest: it has a root for containers, the profiles, the
# configuration, and the bundles served, shared, old and outlive, whose root is at the same path in the guest.
# What a container says follows a line `PART runtime bundle`.
folder=$1
cp -a "/mnt/${folder#/tmp/}" "$folder"
cd "$folder" || exit 1
mkdir -p /run/countersign
start() {
  node "$OLDPWD/bin/countersign.js" agent --socket /run/countersign/agent.sock --config countersign.yaml >agent.out 2>&1 &
  agent=$!
  disown # bash would write among the output that it was killed
  until grep -q 'listening at' agent.out; do sleep 1; done
}
podman_run() {
  local profile=$1 && shift
  CONTAINERS_CONF=$folder/containers.conf podman --root "$folder/podman" --runroot /run/podman-test --storage-driver vfs \
    --cgroup-manager cgroupfs --runtime crun run --rm --network none --cgroups disabled \
    --cap-add CAP_BPF,CAP_SYS_ADMIN,CAP_NET_ADMIN --security-opt "seccomp=$folder/$profile" "$@"
}
container() { # RUNTIME BUNDLE
  case $1 in
    podman)
      case $2 in
        served) podman_run new.json --rootfs "$folder/rootfs" /bin/attack ;;
        shared) echo "podman without cgroups has a pid namespace of its own" ;;
        old) podman_run old.json --rootfs "$folder/rootfs" /bin/attack ;;
        outlive) podman_run new.json --rootfs "$folder/rootfs" /bin/attack wait ;;
      esac
      ;;
    *) "$1" run --bundle "$2" "$2-$1" ;;
  esac </dev/null 2>&1
}
start
for runtime in runc crun podman; do
  for bundle in served shared old; do
    echo "PART $runtime $bundle"
    container $runtime $bundle
  done
  container $runtime outlive >"outlive-$runtime" &
done
for runtime in runc crun podman; do
  until grep -q ready "outlive-$runtime"; do sleep 1; done
done
kill -KILL $agent
for runtime in runc crun podman; do
  until grep -q 'a kernel: ' "outlive-$runtime"; do sleep 1; done
  echo "PART $runtime outlive"
  cat "outlive-$runtime"
done
echo "PART agent"
cat agent.out
echo "PART bare"
rootfs/bin/attack
echo "PART end"
