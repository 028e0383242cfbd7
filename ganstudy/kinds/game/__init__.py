"""`game`: two players with a number each, where stability can be computed."""

from ganstudy.kinds.game.kind import Game

__all__ = ["Game"]
