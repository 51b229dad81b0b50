"""The one error a reader of a scenario can meet: what is wrong, where, and how to mend it."""


class ScenarioError(ValueError):
    """Bad input. ``where`` is a path such as ``prompts[0].reference``; ``str()`` is one line."""

    def __init__(self, where: str, what: str, mend: str) -> None:
        self.where, self.what, self.mend = where, what, mend
        super().__init__(" ".join(f"{where}: {what}. {mend}.".split()))
