"""What is known of a recording's words: grows while the work goes on, and can be kept."""

from dataclasses import dataclass, field

from ..contract import JobWarning, Segment
from .plan import Plan


@dataclass
class Speech:
    """The words of the first `windows_done` windows of the plan.

    plan: None until it was made.
    """

    plan: Plan | None = None
    windows_done: int = 0
    segments: list[Segment] = field(default_factory=list)
    warnings: list[JobWarning] = field(default_factory=list)

    @property
    def language(self) -> str:
        """Of the recording; empty where there was no speech."""
        return self.plan.language if self.plan else ""

    @property
    def language_probability(self) -> float:
        """How sure that is; 1 where it was given."""
        return self.plan.probability if self.plan else 1.0

    def add(self, more: "Speech", windows: int) -> None:
        """What was heard in the next so many windows: all of it, or nothing."""
        self.segments.extend(more.segments)
        self.warnings.extend(more.warnings)
        self.windows_done += windows

    def put_in_order(self) -> None:
        """Segments and warnings by time: channels are decoded side by side."""
        self.segments.sort(key=lambda segment: (segment.start_ms, segment.channel))
        self.warnings.sort(key=lambda warning: warning.start_ms)
