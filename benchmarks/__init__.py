"""Side-by-side measurements that anybody can run: `python -m benchmarks`. Each module says what it measures."""
