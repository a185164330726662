/*
 * Kernel modules that are denied whatever the list says: root writes memory by their parameters. never-modules.ts has
 * the parameter and the reason of each.
 */
#pragma once

#include "kernel-files.h"
#include "never.bpf.h"

#define NEVER_MODULES(MODULE)                                                                                          \
	MODULE(arc_rimi)                                                                                               \
	MODULE(com90xx)                                                                                                \
	MODULE(diskonchip)                                                                                             \
	MODULE(ipmi_si)                                                                                                \
	MODULE(vt8231)                                                                                                 \
	MODULE(via686a)                                                                                                \
	MODULE(sis5595)                                                                                                \
	MODULE(advantechwdt)                                                                                           \
	MODULE(pata_legacy)                                                                                            \
	MODULE(floppy)                                                                                                 \
	MODULE(comedi)

/*
 * The number in NEVER_MODULES, from 1, of the module for which a node of kernfs is made; 0 for another node; -1 if its
 * name cannot be read. Before the kernel starts a module, it makes the folder /sys/module/NAME, with the name of the
 * struct module in the file (mod_sysfs_setup() in load_module() of kernel/module/main.c). No earlier hook sees the name
 * of a module that the kernel decompresses. What is not as a key of the kernel signed it was denied before, so that the
 * name is that of the build.
 */
static __always_inline int never_module(const struct kernfs_node *folder, const struct kernfs_node *node)
{
	struct function_name name = {};
	const char *text;
	int row = 0, found = 0;

	if (READ(text, folder, name) || bpf_probe_read_kernel_str(&name, sizeof(name), text) < 0)
		return -1;
	/* a cgroup of this name is another folder; nobody needs one with a module's name in it */
	if (!IS_NAME(&name, "module"))
		return 0;
	if (READ(text, node, name) || bpf_probe_read_kernel_str(&name, sizeof(name), text) < 0)
		return -1;
#define FIND_MODULE(module)                                                                                            \
	row++;                                                                                                         \
	if (IS_NAME(&name, #module))                                                                                   \
		found = row;
	NEVER_MODULES(FIND_MODULE)
#undef FIND_MODULE
	return found;
}
