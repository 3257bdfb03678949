/* SPDX-License-Identifier: 0BSD */
#include <unistd.h>

#include "cli/cli.h"
#include "init/init.h"
#include "init/network.h"
#include "options.h"

int main(int argc, char **argv)
{
	if (getpid() == 1)
		return init_run(argc, argv);
	if (OPT_TFTP && dhcp_is_script(argc, argv))
		return dhcp_script(argc, argv);
	return cli_main(argc, argv);
}
