"""Money: appropriations, their ledger, what is owed to whom, payment batches, the bank's answers, recoveries."""
