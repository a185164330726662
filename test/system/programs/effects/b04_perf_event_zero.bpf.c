// EXPECT decides
#include "lib.h"
// __perf_event_overflow: the sample is dropped
SEC("perf_event") int f(void *ctx) { return 0; }
