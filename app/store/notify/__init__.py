"""Wake-ups between processes: a commit that notifies a channel wakes the listeners on that channel."""
