/* A kernel module that takes itself out of the list of modules and out of sysfs, as rootkits do, and stays. */
#include "vmlinux.h"

#define INFO(name, text) static const char name[] __attribute__((section(".modinfo"), used)) = text
INFO(license, "license=GPL");
INFO(own_name, "name=hideme");
INFO(magic, "vermagic=" VERMAGIC);
INFO(depends, "depends=");

void kobject_del(struct kobject *object);

int init_module(void);
extern struct module __this_module;

/* A function that can be traced, in a module that can be unlinked. */
__attribute__((noinline, used)) int hideme_function(int number)
{
	asm volatile("" : "+r"(number));
	return number + 1;
}

int init_module(void)
{
	struct list_head *own = &__this_module.list;

	own->prev->next = own->next;
	own->next->prev = own->prev;
	own->next = own->prev = own;
	kobject_del(&__this_module.mkobj.kobj);
	return hideme_function(-1);
}

struct module __this_module __attribute__((section(".gnu.linkonce.this_module"), used)) = {
	.name = "hideme",
	.init = init_module,
};
