"""The command line: each module is a group of commands, loaded when it is used."""
