/* Runs a command as a user that is not root. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2 || setgid(1000) != 0 || setuid(1000) != 0) {
		perror("as-user");
		return 2;
	}
	execvp(argv[1], argv + 1);
	return 127;
}
