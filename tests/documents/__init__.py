"""What the documents and tables say of the code is true."""
