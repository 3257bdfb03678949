/* SPDX-License-Identifier: 0BSD */
#include <unistd.h>

#include "cli/cli.h"
#include "init/init.h"

int main(int argc, char **argv)
{
	if (getpid() == 1)
		return init_run(argc, argv);
	return cli_main(argc, argv);
}
