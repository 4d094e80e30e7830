"""Members link their wallets."""
