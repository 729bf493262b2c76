"""Rules of an AXI4-Stream whose packets are frames, checked one clock cycle after the other."""

from __future__ import annotations

from dataclasses import dataclass, field


class ProtocolError(AssertionError):
    """A stream broke a rule; says which, where and when."""


@dataclass(frozen=True)
class Beat:
    """What a stream shows in one cycle."""

    valid: bool
    ready: bool
    data: int
    last: bool


@dataclass
class StreamRules:
    """Checks every cycle of one stream, from the release of the reset on.

    - TVALID stays high until TREADY takes the beat.
    - TDATA and TLAST do not change while the beat waits.
    - TLAST comes with the last beat of a frame, and only there.

    Args:
        name: of the stream, for messages.
        beats: of a frame.
    """

    name: str
    beats: int
    transfers: int = 0
    _cycle: int = 0
    _waiting: Beat | None = field(default=None, repr=False)

    def observe(self, beat: Beat) -> None:
        """One more cycle.

        Raises:
            ProtocolError: a rule is broken.
        """
        if self._waiting is not None:
            self._require(beat.valid, "tvalid fell before tready")
            self._require(beat.data == self._waiting.data, "tdata changed before tready")
            self._require(beat.last == self._waiting.last, "tlast changed before tready")
        if beat.valid:
            position = self.transfers % self.beats
            wanted = position == self.beats - 1
            self._require(
                beat.last == wanted,
                f"tlast is {beat.last:d} with beat {position} of a frame of {self.beats}",
            )
        self.transfers += beat.valid and beat.ready
        self._waiting = beat if beat.valid and not beat.ready else None
        self._cycle += 1

    def _require(self, fulfilled: bool, broken: str) -> None:
        if not fulfilled:
            raise ProtocolError(
                f"{self.name}: {broken}, cycle {self._cycle}, after {self.transfers} transfers"
            )
