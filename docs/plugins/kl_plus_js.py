"""A divergence of the user's own, with a parameter."""

from pydantic import Field

from ganstudy.divergences import ClassifierDivergence, jensen_shannon, kullback_leibler


class KLPlusJS(ClassifierDivergence):
    r"""Descends KL(q || p) + 2w JS(p, q): `reverse_kl` at w = 0, `non_saturating` at -1.

    Maths   generator loss $-E_q (a + w \log(1 + e^a))$.
    Source  Arjovsky & Bottou 2017, theorem 2.5, which has w = -1.
    """

    weight: float = Field(1.0, ge=-1, description="w, half the factor on JS beside KL")

    def generator_loss(self, fake):
        """Shapes (pack, batch) -> (pack,)."""
        return -(fake + self.weight * self.softplus(fake)).mean(-1)

    def exact(self, laws):
        """KL(q || p) + 2w JS(p, q)."""
        shared = jensen_shannon(laws.p, laws.q)
        return kullback_leibler(laws.q, laws.p) + 2 * self.weight * shared
