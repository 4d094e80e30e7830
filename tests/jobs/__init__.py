"""The engine: the queue, the worker, time, and trouble of this machine."""
