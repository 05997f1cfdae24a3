"""wats: a self-hosted gateway to the WhatsApp Business Platform.

Two journeys of the same shape: receive, check, commit, answer; then queue, handle, call out, commit.

    webhook:  webhook/routes → webhook/receive → store [commit, 200] ⇢ worker → events/split → store
              ⇢ worker → delivery/deliver → destinations → store
    message:  messages/routes → messages/accept → store [commit, 202]
              ⇢ worker → messages/send → graph → store

`docs/architecture.md` has the packages, their layers and pictures.
"""

import gc

gc.set_threshold(20_000, 20, 50)  # here, before all imports: collecting while they run is a tenth of each start
