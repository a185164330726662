// The kernel's configuration and version, which libbpf puts into a map.
#include "core.h"

#define VERSION(major, minor, patch) (((major) << 16) + ((minor) << 8) + (patch))

extern int LINUX_KERNEL_VERSION __kconfig;
extern unsigned int CONFIG_HZ __kconfig __weak;
extern bool CONFIG_BPF_SYSCALL __kconfig;
extern bool CONFIG_COUNTERSIGN_NOWHERE __kconfig __weak;
extern enum libbpf_tristate CONFIG_NF_CONNTRACK __kconfig __weak;
extern enum libbpf_tristate CONFIG_EXT4_FS __kconfig __weak;
extern char CONFIG_DEFAULT_HOSTNAME[24] __kconfig __weak;
extern char CONFIG_X86_64 __kconfig __weak;
extern unsigned long long CONFIG_NR_CPUS __kconfig __weak;
extern bool LINUX_HAS_BPF_COOKIE __kconfig;
extern bool LINUX_HAS_SYSCALL_WRAPPER __kconfig;

SEC("raw_tp/sched_switch")
int version(void *ctx)
{
	result = LINUX_KERNEL_VERSION >= VERSION(6, 8, 0) ? CONFIG_HZ : CONFIG_NR_CPUS;
	return 0;
}

SEC("raw_tp/sched_switch")
int of_every_type(void *ctx)
{
	result = CONFIG_BPF_SYSCALL + CONFIG_COUNTERSIGN_NOWHERE + (CONFIG_NF_CONNTRACK == TRI_MODULE) +
		 (CONFIG_EXT4_FS == TRI_YES) + CONFIG_DEFAULT_HOSTNAME[2] + CONFIG_X86_64;
	return 0;
}

SEC("raw_tp/sched_switch")
int of_libbpf(void *ctx)
{
	result = LINUX_HAS_BPF_COOKIE + LINUX_HAS_SYSCALL_WRAPPER;
	return 0;
}
