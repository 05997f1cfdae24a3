"""What commits together: one file for each atomic promise, as functions on an open connection.

All transactions take their locks in one order, so that no two of them can deadlock:

    events by id → singleton jobs → queues by name → deliveries and jobs by id → receipts by id
"""
