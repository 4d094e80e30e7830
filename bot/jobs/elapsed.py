"""How long ago something happened whose wall time is stored, whatever the wall clock was set to since."""

from bot.clock import Clock


class Elapsed:
    """Measures with the monotonic clock in the process in which it happened.

    A later process takes what the wall clock says, within limits, at its first question, and measures on from there.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: dict[str, float] = {}  # monotonic seconds

    def begin(self, key: str) -> None:
        """It happens now."""
        self._began[key] = self._clock.monotonic()

    def since(self, key: str, at: float, *, most: float) -> float:
        """Seconds since it happened, at `at` in Unix seconds; at most `most` of them before the first question."""
        now = self._clock.monotonic()
        if key not in self._began:
            self._began[key] = now - min(max(self._clock.now() - at, 0.0), most)
        return now - self._began[key]

    def forget(self, key: str) -> None:
        self._began.pop(key, None)
