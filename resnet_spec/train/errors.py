"""How a run says that it cannot go on."""


class RunError(ValueError):
    """Why a run cannot start or go on: a line, and more where names follow."""
