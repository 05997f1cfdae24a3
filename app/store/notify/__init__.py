"""Wake-ups between processes: after a commit on a channel, listeners on that channel look again."""
