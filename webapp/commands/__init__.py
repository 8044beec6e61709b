"""The subcommands of ``wengang``, a module each for what they are about."""
