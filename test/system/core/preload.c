// For LD_PRELOAD: has a loader ask the kernel in the folder FAKE_KERNEL. Appends to the file FAKE_KERNEL_RECORD.
#include "fake-kernel.h"
#include <stdlib.h>

__attribute__((constructor)) static void start(void)
{
	fake_kernel_read(getenv("FAKE_KERNEL"));
	fake_kernel_record(fopen(getenv("FAKE_KERNEL_RECORD"), "a"));
}
