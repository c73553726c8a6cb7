"""What becomes of calls that are read: whose they are, what they cost, what covers them, and what they add up to.

Each room does one step, for a chunk of calls at once, in the transaction of the service that calls it: ``reading`` and
``matching`` say what a call is, ``storing`` rates and keeps those that are new, ``covering`` uses up the minutes of
plans, ``charging`` posts to the ledger, ``rollups`` adds up. ``partitions`` makes room for them.
"""
