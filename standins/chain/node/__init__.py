"""What a node answers: the methods of JSON-RPC, and how blocks and transactions are written in JSON."""
