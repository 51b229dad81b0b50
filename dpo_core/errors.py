"""The one error a reader of a scenario can meet: what is wrong, where, and how to mend it."""


class ScenarioError(ValueError):
    """Bad input. ``where`` is a path such as ``prompts[0].reference``; ``str()`` is one printable line."""

    def __init__(self, where: str, what: str, mend: str) -> None:
        self.where, self.what, self.mend = where, what, mend
        super().__init__(_printable(" ".join(f"{where}: {what}. {mend}.".split())))


def _printable(line: str) -> str:
    """Control characters and lone surrogates of a file, escaped: they would break a terminal or UTF-8."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
