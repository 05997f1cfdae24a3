"""Starting and stopping a process: the banner, the settings that it inherits, and whether it is draining."""
