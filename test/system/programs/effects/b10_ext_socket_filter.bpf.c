// EXPECT redirects decides
#include "lib.h"
// takes the place of a socket filter in a reuseport group: an index
SEC("freplace/filter") int f(struct __sk_buff *skb) { return 5; }
