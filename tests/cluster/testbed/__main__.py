"""python -m testbed up|down|status|supervise"""

import sys

from . import commands, supervisor

COMMANDS = {"up": commands.up, "down": commands.down, "status": commands.status, "supervise": supervisor.main}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]]())
