"""A divergence of the user's own."""

from ganstudy.divergences import ClassifierDivergence, kullback_leibler


class Sound(ClassifierDivergence):
    """Descends KL(q || p).

    Source  Huszar 2016.
    """

    def generator_loss(self, fake):
        """-E_q a."""
        return -fake.mean(-1)

    def exact(self, laws):
        """KL(q || p)."""
        return kullback_leibler(laws.q, laws.p)
