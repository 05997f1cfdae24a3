"""Transactions, and parts of them: one file for each group of changes that must commit together, or not at all.

All transactions take their locks in one order, so that no two of them can deadlock:

    idempotency keys → singleton jobs → events → queues → deliveries and jobs → media files → messages → contacts → scopes → receipts

- Each of these in the order of its primary key. Contacts are `contact_links`, then `conversations`; scopes are
  `send_scopes`.
- Rows that a transaction inserts need no place in this order: no other transaction sees them before the commit. An
  insert that may meet another one (`ON CONFLICT`) does have one: missing queues come by name, before any queue is
  locked; ids of erased events come before receipts; idempotency keys come before all else, those that live briefly
  first, and then in their order.
- A statement that locks several rows is a `SELECT … ORDER BY key FOR UPDATE`. UPDATE and DELETE lock in the order of
  their plan; several rows at once are therefore locked before. `SKIP LOCKED` never waits.
- Deliveries and jobs may be locked in either order, because a transaction that locks both has locked their queue.
- A job whose `due_at` is NULL was never claimed. A transaction that changes such jobs has locked their queue, and may
  take them in any order.
- Files of media (`media_files`) are added by the owner of the split job only.
- A transaction that changes the pace of a number or of its customers (`send_numbers`, `send_pairs`) has locked the
  number's queue. Those of customers that hold nothing back are deleted alone, with SKIP LOCKED.
- Changes that are to become events (`message_changes`) come right after messages; they are published with SKIP LOCKED.
- What waits for an answer of Meta's (`early_statuses`) comes after messages. Before them, an unmatched status and an
  answer take an advisory lock. How far Meta was asked about messages (`reconcile_cursors`) comes after them too.
- `event_names` come after their event, `receipt_errors` after their receipt. Names whose event is gone are locked
  alone, by event. `add_receipts` begins with an advisory lock, and then takes only receipts. `consumers`,
  `heartbeats`, `clock_jump`, `access_token`, `media_marks` and `media_folder_problems` are never changed together with
  another table. A row of `fake_meta` is changed alone, or added with a job. Only an upgrade changes
  `database_identity`.

`tests/store/test_store_lock_order.py` runs every transaction and checks this. No module here logs: a transaction may
still be rolled back, or run again.
"""  # noqa: E501 - the order is one line
