/* Loads an object as libbpf does, and holds it until its standard input is closed. */
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <unistd.h>

int main(int count, char **files)
{
	struct bpf_object *object = count == 2 ? bpf_object__open(files[1]) : NULL;
	char end;

	if (object == NULL || bpf_object__load(object) != 0)
		err(1, "loading an object");
	printf("loaded\n");
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	return 0;
}
