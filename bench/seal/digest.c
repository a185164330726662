// digest OBJECT INSNS COUNT...: prints a JSON line for each number of instructions: the time of the fastest of 200
// runs, and the digest. INSNS is a file with the instructions, which are repeated.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

int main(int argc, char **argv)
{
	static unsigned char bytes[sizeof(struct instructions)];
	struct bpf_object *object = bpf_object__open(argv[1]);
	FILE *file = fopen(argv[2], "r");
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	unsigned first = 0;

	for (size_t at = size; at < sizeof(bytes); at++)
		bytes[at] = bytes[at - size];
	if (bpf_object__load(object) != 0)
		return 1;
	int program = bpf_program__fd(bpf_object__find_program_by_name(object, "measure"));
	int measured = bpf_object__find_map_fd_by_name(object, "measured");
	bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "instructions"), &first, bytes, 0);
	for (int i = 3; i < argc; i++) {
		struct measured result = {.count = atoi(argv[i])};
		unsigned long long best = ~0ULL;

		for (int run = 0; run < 200; run++) {
			LIBBPF_OPTS(bpf_test_run_opts, options);

			bpf_map_update_elem(measured, &first, &result, 0);
			if (bpf_prog_test_run_opts(program, &options) != 0 || options.retval != 0)
				return 2;
			bpf_map_lookup_elem(measured, &first, &result);
			if (result.nanoseconds < best)
				best = result.nanoseconds;
		}
		printf("{\"count\":%u,\"nanoseconds\":%llu,\"digest\":\"", result.count, best);
		for (int byte = 0; byte < 32; byte++)
			printf("%02x", result.digest[byte]);
		printf("\"}\n");
	}
	return 0;
}
