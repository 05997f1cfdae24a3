"""Starting and stopping a process: banner, handover of settings, role file, and whether it is draining."""
