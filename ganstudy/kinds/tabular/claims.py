"""What the texts say about the game on a finite set, checked along an orbit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import ClassifierDivergence
from ganstudy.kinds._losses import admits_every_critic, critic_terms, generator_terms
from ganstudy.kinds._theory import EPS, Check, Claim, worst_of
from ganstudy.kinds.tabular import finite_game as game

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.tabular.settings import TabularSettings

    Array = NDArray[np.float64]

BOUMAN = "Bouman, Computing the GAN Equilibrium"
ROUNDING = "rounding of sums over the points"

CLAIMS = (
    Claim(
        "kl_identity",
        "KL(p_R ‖ p_r) = E[R log R]",
        "KL(p_R ‖ p_r) = E[R(Y) log R(Y)]",
        f"{BOUMAN}, “A useful relationships”, without its minus sign",
        ROUNDING,
    ),
    Claim(
        "kl_identity_printed",
        "KL(p_R ‖ p_r) = E[−R log R]",
        "As printed: KL(p_R ‖ p_r) = E[−R(Y) log R(Y)]",
        f"{BOUMAN}, “A useful relationships”",
        ROUNDING,
        printed=True,
    ),
    Claim(
        "midpoint_identity",
        "2 KL(p̄ ‖ p₂) = KL(p₁ ‖ p₂) − 2 JS(p₁ ‖ p₂)",
        "2 KL(p̄ ‖ p₂) = KL(p₁ ‖ p₂) − 2 JS(p₁ ‖ p₂) with p̄ = (p₁ + p₂)/2",
        f"{BOUMAN}, “A useful relationships”, last line of the proof",
        ROUNDING,
    ),
    Claim(
        "midpoint_identity_printed",
        "KL(p̄ ‖ p₂) = KL(p₁ ‖ p₂) − 2 JS(p₁ ‖ p₂)",
        "As printed: KL(p̄ ‖ p₂) = KL(p₁ ‖ p₂) − 2 JS(p₁ ‖ p₂), without the factor 2",
        f"{BOUMAN}, “A useful relationships”, the statement",
        ROUNDING,
        printed=True,
    ),
    Claim(
        "cost_identity",
        "2 KL(p̄ ‖ p_r) = E[(1 + R) log(1 + R)] − 2 log 2",
        "2 KL((p_R + p_r)/2 ‖ p_r) = E[(1 + R) log(1 + R)] − 2 log 2",
        f"{BOUMAN}, “A useful relationships”, with the constant that it leaves out",
        ROUNDING,
    ),
    Claim(
        "cost_identity_printed",
        "2 KL(p̄ ‖ p_r) = E[(1 + R) log(1 + R)]",
        "As printed: 2 KL((p_R + p_r)/2 ‖ p_r) = E[(1 + R) log(1 + R)], off by 2 log 2",
        f"{BOUMAN}, “A useful relationships”",
        ROUNDING,
        printed=True,
    ),
    Claim(
        "gradient_identity",
        "P₀∇g(R, f*) = P₀∇{KL − 2 JS} = P₀∇C(R)",
        "Along the simplex the non-saturating generator's gradient at the best critic is that of "
        "KL(p_R ‖ p_r) − 2 JS(p_R ‖ p_r), and of C(R) = E[(1 + R) log(1 + R)]",
        f"{BOUMAN}, “More details on GLGD”; Arjovsky & Bottou 2017, theorem 2.5",
        ROUNDING,
    ),
    Claim(
        "gradient_identity_printed",
        "∇g(R, f*) = ∇C(R)",
        "As printed: ∇_R g(R, f*) = ∇_R C(R) without the projection; the two differ by p_r, which "
        "P₀ takes out",
        f"{BOUMAN}, “GLGD convergence for non-saturating GAN”",
        ROUNDING,
        printed=True,
    ),
    Claim(
        "descends",
        "the generator's gradient at the best critic is that of its divergence",
        "At the best critic, the projected gradient of the generator's loss is that of the "
        "divergence that theory names for it (2 JS, KL, D_f, W₁, …), by central differences",
        f"{BOUMAN}, “Wasserstein GAN” (key result); Goodfellow et al. 2014, theorem 1; "
        "Huszár, “Connection to KL minimisation”; Thickstun, eq. 10",
        "change of the difference quotient from step h to 2h, and rounding over h",
    ),
    Claim(
        "value_at_best_critic",
        "min d = log 4 − 2 JS",
        "The log loss of the best critic D* = p/(p + q) is log 4 − 2 JS(p, q)",
        "Thickstun, eqs. 15–19; Everything about GANs, “The original definition”",
        ROUNDING,
    ),
    Claim(
        "costs_at_equilibrium",
        "g = log 2 and d = 2 log 2 at R = 1",
        "At the equilibrium the losses of generator and critic are log 2 and 2 log 2",
        f"{BOUMAN}, “Convergence of GANs”",
        ROUNDING,
    ),
    Claim(
        "collapse",
        "algorithm 1 collapses to one point",
        "Alternating minimization puts all mass on one point at every step (mode collapse)",
        f"{BOUMAN}, “Algorithm 1: alternating minimization”",
        "none: a count",
    ),
    Claim(
        "jumps",
        "algorithm 1 never rests",
        "Alternating minimization leaves its point at every step, for ever",
        f"follows from {BOUMAN}, “Algorithm 1: alternating minimization”",
        "none: a count",
    ),
    Claim(
        "descent",
        "algorithm 2 descends its cost",
        "Generator loss gradient descent never raises its cost (for a step α below 2/L, L the "
        "largest curvature between the least and the largest R on its way)",
        f"{BOUMAN}, “GLGD convergence for non-saturating GAN”",
        "rounding of the cost",
    ),
    Claim(
        "rate",
        "algorithm 2 contracts by 1 − α λ",
        "Near R = 1 each step shrinks the slowest mode by |1 − α λ|, λ an eigenvalue of the "
        "projected curvature P₀ diag(p h″(1)) P₀",
        "Linearisation of algorithm 2; Bouman says that “convergence tends to be slow”",
        "what the orbit's distance from its linearisation can change of the slowest mode",
    ),
)


def checks(settings: TabularSettings, p: Array, path: Array, lr: float) -> dict[str, Check]:
    """Every claim that this trial can check; `path` is `(steps + 1, points)`, R at every step."""
    found = _identities(p, path[0])
    found["descends"] = _descends(settings, p, path[0])
    if isinstance(settings.divergence, ClassifierDivergence):
        found |= _classifier(settings, p, path[0])
    if settings.algorithm == "alternating":
        collapsed = ((path[1:] > 0).sum(-1) == 1).mean()
        at = (p * path).argmax(-1)
        found["collapse"] = (1 - float(collapsed), 0.0)
        found["jumps"] = (float((at[2:] == at[1:-1]).mean()), 0.0)
    if settings.algorithm == "descent":
        found |= _descent(settings, p, path, lr)
    return found


def _identities(p: Array, ratio: Array) -> dict[str, Check]:
    """The identities of the slides at the random start."""
    q = p * ratio
    middle = (p + q) / 2
    tolerance = 16 * len(p) * EPS
    kl = float(np.sum(q * np.log(q / p)))
    js = float(np.sum(p * np.log(p / middle)) + np.sum(q * np.log(q / middle))) / 2
    half = float(np.sum(middle * np.log(middle / p)))
    entropy = float(np.sum(p * ratio * np.log(ratio)))
    cost = float(np.sum(p * (1 + ratio) * np.log1p(ratio)))
    errors = {
        "kl_identity": kl - entropy,
        "kl_identity_printed": kl + entropy,
        "midpoint_identity": 2 * half - (kl - 2 * js),
        "midpoint_identity_printed": half - (kl - 2 * js),
        "cost_identity": 2 * half - (cost - 2 * math.log(2)),
        "cost_identity_printed": 2 * half - cost,
    }
    return {name: (abs(error), tolerance) for name, error in errors.items()}


def _classifier(settings: TabularSettings, p: Array, ratio: Array) -> dict[str, Check]:
    """Closed forms of the log loss."""
    divergence, q, one = settings.divergence, p * ratio, np.ones_like(p)
    tolerance = 32 * len(p) * EPS
    logits = game.best_logits(divergence, p[None], ratio[None])[0]
    far = np.full_like(logits, 700.0)  # a logit at which the other half of the loss is zero
    real, fake = critic_terms(divergence, logits, -far), critic_terms(divergence, far, logits)
    middle = (p + q) / 2
    js = float(np.sum(p * np.log(p / middle)) + np.sum(q * np.log(q / middle))) / 2
    found = {
        "value_at_best_critic": (
            abs(float(np.sum(p * real + q * fake)) - (math.log(4) - 2 * js)),
            tolerance,
        )
    }
    if divergence.name == "non_saturating":
        even = game.best_logits(divergence, p[None], one[None])[0]
        generator = float(np.sum(p * generator_terms(divergence, even)))
        critic = float(np.sum(p * critic_terms(divergence, even, even)))
        error = max(abs(generator - math.log(2)), abs(critic - 2 * math.log(2)))
        found["costs_at_equilibrium"] = (error, tolerance)
        gradient = p * generator_terms(divergence, logits)
        of_cost = p * (np.log1p(ratio) + 1)
        of_difference = p * (np.log(ratio) + 1) - p * np.log(2 * ratio / (1 + ratio))
        projected = [game.project_gradient(p, g) for g in (gradient, of_cost, of_difference)]
        apart = max(float(np.abs(g - projected[0]).max()) for g in projected[1:])
        found["gradient_identity"] = (apart, tolerance)
        found["gradient_identity_printed"] = (float(np.abs(gradient - of_cost).max()), tolerance)
    return found


def _descends(settings: TabularSettings, p: Array, ratio: Array) -> Check:
    """Slope of the exact divergence along directions of the simplex, by central differences."""
    divergence = settings.divergence
    terms = game.terms_at_best(divergence, p[None], ratio[None])[0]
    # A step that keeps clear of kinks for distances whose best critic is a sign or a potential.
    h = 1e-5
    noise = EPS if admits_every_critic(divergence) else 1e3 * EPS

    def slope(direction: Array, step: float) -> float:
        up, down = (divergence.exact(game.laws(p, ratio + s * direction)) for s in (step, -step))
        return (up - down) / (2 * step)

    found = []
    scale = 1 + abs(divergence.exact(game.laws(p, ratio)))
    for point in range(len(p) - 1):
        direction = np.zeros_like(p)
        direction[point], direction[point + 1] = 1 / p[point], -1 / p[point + 1]
        direction /= np.abs(direction).max()
        stated = float(np.sum(p * terms * direction))
        fine, coarse = slope(direction, h), slope(direction, 2 * h)
        tolerance = abs(fine - coarse) + 16 * len(p) * noise * scale / h
        found.append((abs(fine - stated), tolerance))
    return worst_of(found)


def _descent(settings: TabularSettings, p: Array, path: Array, lr: float) -> dict[str, Check]:
    """Descent of the cost and the rate of the slowest mode, for costs with a curvature."""
    divergence = settings.divergence
    found: dict[str, Check] = {}
    if not game.smooth_at_equilibrium(divergence):
        return found
    on_the_way = np.geomspace(max(path.min(), game.FLOOR), path.max(), 400)
    steepest = float(game.curvature(divergence, on_the_way).max() * p.max())
    if lr * steepest < 2 and path.min() > game.FLOOR:
        costs = np.array([divergence.exact(game.laws(p, row)) for row in path])
        rise = float(np.diff(costs).max(initial=0.0))
        found["descent"] = (rise, 16 * len(p) * EPS * (1 + float(np.abs(costs).max())))
    rate = _rate(settings, p, path, lr)
    return found if rate is None else {**found, "rate": rate}


def _rate(settings: TabularSettings, p: Array, path: Array, lr: float) -> Check | None:
    r"""Contraction of the slowest mode over the last quarter of the steps.

    Maths   $e' = (I - \alpha P_0 D) e + r$ with $e = R - 1$ and, by Taylor,
            $|v r| \le \frac\alpha2 \max |h^{(3)}| \sum_i |v_i| p_i e_i^2$. Along the slowest
            mode v, $v e' = \rho\, v e + v r$, so that $\log |v e'| / |v e|$ is $\log |\rho|$ up
            to $-\log(1 - x)$ with $x = |v r| / |\rho\, v e|$.
    """
    start = 3 * len(path) // 4
    errors = path[start:] - 1
    reach = float(np.abs(errors).max())
    if reach > 0.5:
        return None
    around = np.linspace(1 - reach - 1e-3, 1 + reach + 1e-3, 41)
    bends = game.curvature(settings.divergence, around)
    third = 1.1 * float(np.abs(np.diff(bends)).max() / (around[1] - around[0]))
    pull = lr * float(game.curvature(settings.divergence, np.ones(1))[0])
    normal = p / np.sqrt(np.sum(p * p))
    onto = np.eye(len(p)) - normal[:, None] * normal[None]
    values, vectors = np.linalg.eigh(onto @ np.diag(pull * p) @ onto)
    # The first eigenvalue is the zero of the normal direction.
    factors = 1 - values[1:]
    slow = int(np.argmax(np.abs(factors)))
    rho, mode = float(factors[slow]), vectors[:, 1 + slow]
    along = (errors * mode).sum(-1)
    # Where the mode has sunk into rounding there is nothing left to measure.
    seen = np.abs(along) > 1e6 * EPS * len(p)
    count = int(np.argmin(seen)) if not seen.all() else len(seen)
    if count < 3:
        return None
    along = along[:count]
    remainder = lr / 2 * third * (np.abs(mode) * p * errors**2).sum(-1)[: count - 1]
    strays = remainder / np.abs(rho * along[:-1])
    if strays.max() > 0.5:
        return None
    steps = count - 1
    measured = (abs(along[-1]) / abs(along[0])) ** (1 / steps)
    # Rounding of the mode at either end, and of the curvature by differences.
    rounding = 8 * len(p) * EPS / abs(along[-1]) / steps + 1e-9
    tolerance = abs(rho) * float(np.mean(-np.log1p(-strays))) + rounding
    return abs(measured - abs(rho)), tolerance
