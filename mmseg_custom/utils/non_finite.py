"""Outputs of a model that are not finite."""

from .errors import UserError


class NonFiniteOutput(UserError):
    """A model returned NaN or infinity, so every label would be a guess.

    Args:
        message: See :meth:`of`.
        model: The file of the model.
    """

    def __init__(self, message: str, model: str = ''):
        super().__init__(message)
        self.model = model

    @classmethod
    def of(cls, model: str, photo: str) -> 'NonFiniteOutput':
        """Return the error about one photo.

        Args:
            model: The file of the model.
            photo: The photo, as a person knows it.
        """
        message = (
            f'{model}: the model returns numbers that are not finite (NaN or infinity) for '
            f'{photo}; its weights may be damaged'
        )
        return cls(message, model)
