"""The fate of the nodes of an exported graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hyq_hls.capture.drafts import Draft, Drafts, Unsupported, View
from hyq_hls.capture.report import Status


@dataclass(frozen=True)
class Outcome:
    """The fate of one exported node.

    Attributes:
        status: what happened, in one word.
        text: what happened, in words; ``{}`` stands for the names of the drafts.
        drafts: the drafts that the text speaks of.
        problem: why the node is not supported; None for supported nodes.
    """

    status: Status
    text: str
    drafts: tuple[Draft, ...] = ()
    problem: Unsupported | None = None

    def final(self) -> Outcome:
        """Return the outcome after the absorption of constants."""
        if not self.drafts or not all(draft.absorbers for draft in self.drafts):
            kept = tuple(draft for draft in self.drafts if not draft.absorbers)
            return replace(self, drafts=kept)
        drafts = tuple(dict.fromkeys(d for draft in self.drafts for d in draft.final))
        if self.status == "computed":
            return Outcome("absorbed", "absorbed by {}", drafts)
        return replace(self, drafts=drafts)

    def told(self) -> tuple[str, tuple[str, ...]]:
        """Say the outcome in words, and name the float nodes that the words speak of."""
        if self.problem is not None:
            return f"NOT SUPPORTED: {self.problem.found}", ()
        drafts, text = self.drafts, self.text
        if self.status == "computed" and not any(draft.name for draft in drafts):
            # The value is read in parts, each of which is a node of its own.
            drafts = tuple(part for draft in drafts for part in draft.parts.values())
            text = "split into {}"
        named = [draft for draft in drafts if draft.name]
        if self.drafts and not named:
            return "dropped: the output does not depend on it", ()
        kinds = self.status == "computed"
        words = [
            f"{draft.name} ({draft.op.kind})" if draft.op and kinds else draft.name
            for draft in named
        ]
        return text.replace("{}", ", ".join(words)), tuple(draft.name for draft in named)


@dataclass
class Traced:
    """A whole exported graph after the walk.

    Attributes:
        drafts: the drafts of all nodes.
        output: the view that is the result; None when it depends on an unsupported node.
        outcomes: what became of every node, by name.
        paths: module path of every node, by name.
    """

    drafts: Drafts
    output: View | None
    outcomes: dict[str, Outcome]
    paths: Mapping[str, str]

    @property
    def problems(self) -> list[Unsupported]:
        """Why nodes are not supported."""
        return [o.problem for o in self.outcomes.values() if o.problem is not None]

    @property
    def complete(self) -> bool:
        """Whether every node is supported."""
        return not self.problems
