"""Starting and stopping a process: early stop, banner, handover of settings, role file, whether it is draining."""
