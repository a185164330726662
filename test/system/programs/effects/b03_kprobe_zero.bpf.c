// EXPECT decides
#include "lib.h"
// kprobe_perf_func: the event is not recorded
SEC("kprobe/vfs_read") int f(void *ctx) { return 0; }
