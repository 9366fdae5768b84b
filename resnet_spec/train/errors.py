"""How a run says that it cannot continue."""


class RunError(ValueError):
    """Why a run cannot start or continue: one line, or several if names follow."""
