"""Single commands of the outermost ring."""

from khue.web.demo.commands import COMMANDS

__all__ = ["COMMANDS"]
