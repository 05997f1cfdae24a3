"""Starting and stopping a process: what it prints, which settings it inherits, whether it is draining."""
