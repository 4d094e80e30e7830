"""The chain itself: transactions, the pool, blocks, the EVM, and the file that keeps them. No HTTP and no JSON."""
