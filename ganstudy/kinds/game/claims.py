"""What the texts say about two players, checked along an orbit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.kinds._theory import EPS, Check, Claim
from ganstudy.kinds.game.fields import DiracGAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.game.fields import VectorField
    from ganstudy.kinds.game.moves import Moves
    from ganstudy.kinds.game.settings import GameSettings

    Array = NDArray[np.float64]

XY = "Everything about GANs, “GAN problem” (V(A, B) = xy)"
DIRAC = "Mescheder, Geiger & Nowozin 2018"
IVP_TOLERANCE = 1e-10
LOG_LOSSES = ("minimax", "non_saturating", "relativistic_pairing")
"""Divergences whose losses have the slope ½ at logit 0, for both players."""

CLAIMS = (
    Claim(
        "spiral",
        "gradient steps on V = xy spiral outwards",
        "On V = xy every simultaneous gradient step multiplies the distance to the equilibrium by "
        "√(1 + h²): it never converges",
        XY,
        "rounding of a step",
    ),
    Claim(
        "ellipse",
        "alternating steps on V = xy circle for ever",
        "On V = xy alternating gradient steps with h < 2/√n stay on an ellipse: n θ² + ψ² + n h θψ "
        "is conserved with n D-steps before each M-step, and n θ² + ψ² − n h θψ with the M-step "
        "first",
        f"{XY}, with the updates one after the other; Gidel et al. 2019, “Negative momentum”",
        "rounding, over all steps; more for a flatter ellipse, as 1/(1 − h √n/2)",
    ),
    Claim(
        "circle",
        "the continuous game circles",
        "In continuous time the zero-sum game without regularizer (V = xy, or the Dirac-GAN) "
        "conserves θ² + ψ²: it neither converges nor diverges",
        f"{XY}; {DIRAC}, section 2",
        "a hundred times the relative tolerance of the integrator",
    ),
    Claim(
        "closed_form",
        "closed form of the update's spectral radius on V = xy",
        "On V = xy the update's spectral radius is √(1 + h²) for gradient steps, 1 for alternating "
        "ones with h < 2/√n, √((1 − h²)² + h²) for extragradient, √((1 − hγ)² + h²) for consensus, "
        "√((1 − hλ)² + h²) for symplectic gradient adjustment, 1/√(1 + h²) for competitive "
        "gradient descent, max |1 − α + αλᵏ| over the eigenvalues λ of a fast round for lookahead, "
        "and that of a quadratic equation for momentum, optimism, LEAD and consensus in turn",
        "Gidel et al. 2019; Daskalakis et al. 2018; Mescheder, Nowozin & Geiger 2017; Balduzzi et "
        "al. 2018; Schäfer & Anandkumar 2019; Chavdarova et al. 2021; Hemmat et al. 2023",
        "rounding times the condition of the update's eigenvectors (Bauer & Fike)",
    ),
    Claim(
        "jacobian",
        "eigenvalues of the Dirac-GAN",
        "At the equilibrium of the Dirac-GAN the flow's eigenvalues solve λ² + γλ − ℓ′c′ = 0, ℓ′ "
        "and c′ the slopes of both losses on q: without regularizer ±√(ℓ′c′), which is ±i/2 for "
        "minimax, non_saturating and least_squares, ±i/√2 for reverse_kl and forward_kl, ±i for "
        "hinge, wasserstein and f_pearson; the real part is −γ/2 where γ² < −4ℓ′c′, with γ the "
        "weight under R1, and σ²(curvature of the critic's loss) under instance noise",
        f"{DIRAC}, sections 2 and 3; eigenvalues by differences of the gradients",
        "change of the difference quotient from step h to 2h, and rounding over h",
    ),
    Claim(
        "log_loss",
        "closed form of the Dirac-GAN's eigenvalues under log losses",
        "Under the log losses of minimax, non_saturating and relativistic_pairing the flow's "
        "eigenvalues are −ρ/2 ± √(ρ²/4 − ¼), with ρ the sum of the weights of R1 and R2: "
        "R1 alone is critical at γ = 1, both together at γ = ½",
        f"{DIRAC}, section 3; Huang et al. 2024 for the relativistic loss, "
        "whose eq. 12 lacks the square of f′(0) = ½; by differences",
        "change of the difference quotient from step h to 2h, and rounding over h",
    ),
    Claim(
        "rate",
        "the orbit's rate is the spectral radius",
        "Along an eigenvector of the update's Jacobian the distance changes by the modulus of its "
        "eigenvalue at every step",
        "Linear stability; " + DIRAC + ", appendix A.1",
        "rounding and, for the Dirac-GAN, a bound on the update's departure from its Jacobian",
    ),
)


def checks(
    settings: GameSettings, field: VectorField, moves: Moves, path: Array
) -> dict[str, Check]:
    """Every claim that this trial can check; `path` is `(steps + 1, 4)`."""
    found: dict[str, Check] = {}
    theta, psi = path[:, 0], path[:, 1]
    own = set(settings.regularizer)
    plain = settings.method == "gradient" and settings.order == "simultaneous"
    if settings.game == "bilinear":
        h = settings.lr
        if plain:
            factor = np.hypot(theta, psi)[1:] / np.hypot(theta, psi)[:-1]
            found["spiral"] = (float(np.abs(factor - np.sqrt(1 + h**2)).max()), 16 * EPS)
        n = settings.critic.steps
        # How far the conserved form is from one that is no longer an ellipse's.
        room = 1 - h * np.sqrt(n) / 2
        if settings.method == "gradient" and settings.order == "alternating" and room > 0:
            cross = n * h if settings.first == "critic" else -n * h
            energy = n * theta**2 + psi**2 + cross * theta * psi
            error = float(np.abs(energy / energy[0] - 1).max())
            found["ellipse"] = (error, 16 * EPS * len(path) / room)
        expected = _closed_form(settings)
        matrix = moves.matrix(field.jacobian(path[:1, :2]))[0]
        values, vectors = np.linalg.eig(matrix)
        # Bauer and Fike: an eigenvalue moves by at most this times the rounding of the matrix.
        strain = min(float(np.linalg.cond(vectors)), EPS**-0.5) * float(np.linalg.norm(matrix))
        if expected is not None:
            error = abs(float(np.abs(values).max()) - expected)
            found["closed_form"] = (error, 256 * EPS * strain)
    if plain and own == {"none"} and _zero_sum(field, path):
        found["circle"] = _circle(field, path)
    if isinstance(field, DiracGAN) and "gradient_penalty" not in own:
        bent = field.jacobian(np.zeros((1, 2)))[0]
        found["jacobian"] = _eigenvalues(field, bent[1, 1], -bent[0, 1] * bent[1, 0])
        if settings.divergence.name in LOG_LOSSES and own <= {"none", "r1", "r2", "clip"}:
            weights = settings.weight * len(own & {"r1", "r2"})
            found["log_loss"] = _eigenvalues(field, weights, 0.25)
    rate = _rate(settings, field, moves, path)
    return found if rate is None else {**found, "rate": rate}


def spectrum(settings: GameSettings, field: VectorField, moves: Moves) -> Array:
    """Eigenvalues `(6, 2)`: four of the update, two of the flow, as real and imaginary part."""
    if "gradient_penalty" in settings.regularizer:  # no derivative at psi = 0
        return np.full((6, 2), np.nan)
    bent = field.jacobian(np.zeros((1, 2)))
    both = [np.linalg.eigvals(moves.matrix(bent)[0]), np.linalg.eigvals(-bent[0])]
    values = np.concatenate(both)
    return np.stack([values.real, values.imag], axis=-1)


def _closed_form(settings: GameSettings) -> float | None:
    """Spectral radius on V = xy, whose Jacobian has the eigenvalues ±i; None without one."""
    h, g, n = settings.lr, settings.consensus, settings.critic.steps
    match settings.method:
        case "extragradient":
            return float(np.hypot(1 - h**2, h))
        case "consensus" if settings.turns:
            kept = 1 - h * g
            return _larger_root(h**2 - 2 * kept, kept**2) if n == 1 else None
        case "consensus":
            return float(np.hypot(1 - h * g, h))
        case "symplectic_gradient_adjustment":
            return float(np.hypot(1 - h * settings.symplectic, h))
        case "competitive_gradient_descent":
            return float(1 / np.hypot(1, h))
        case "lead":
            beta, push = settings.momentum, 1j * settings.lead
            return _larger_root(-(1 + beta + 1j * h + push), beta + push)
        case "optimistic":
            return _larger_root(-(1 - 2j * h), -1j * h)
        case "lookahead":
            fast = np.roots([1, n * h**2 - 2, 1]) if settings.turns else np.array([1 + 1j * h])
            alpha = settings.share
            return float(np.abs(1 - alpha + alpha * fast**settings.rounds).max())
    beta = settings.momentum if settings.method == "momentum" else 0.0
    if not settings.turns:
        return _larger_root(-(1 + beta - 1j * h), beta + 0j)
    if beta and n > 1:
        return None
    # (l - 1)^2 (l - b)^2 + n h^2 l^3 = 0, from eliminating one player.
    square = np.polymul(np.poly([1, 1]), np.poly([beta, beta]))
    return float(np.abs(np.roots(np.polyadd(square, [n * h**2, 0, 0, 0]))).max())


def _larger_root(b: complex, c: complex) -> float:
    root = np.sqrt(complex(b * b - 4 * c))
    return float(max(abs(-b + root), abs(-b - root)) / 2)


def _zero_sum(field: VectorField, path: Array) -> bool:
    """Whether theta g_theta + psi g_psi is zero on the orbit, so that the flow circles."""
    if len(np.unique(path[:, :2], axis=0)) < 2:
        return False
    state = path[:: max(1, len(path) // 16), :2]
    one = [field.gradient(row[None])[0] for row in state]
    outward = np.abs((np.stack(one) * state).sum(-1))
    return bool((outward <= 1e-12 * (state**2).sum(-1)).all())


def _circle(field: VectorField, path: Array) -> Check:
    from scipy.integrate import solve_ivp

    span = (0.0, 12.0)
    solution = solve_ivp(
        lambda _, s: -field.gradient(s[None])[0],
        span,
        path[0, :2],
        method="DOP853",
        rtol=IVP_TOLERANCE,
        atol=IVP_TOLERANCE * float(np.hypot(*path[0, :2])),
    )
    energy = (solution.y**2).sum(0)
    return float(np.abs(energy / energy[0] - 1).max()), 100 * IVP_TOLERANCE


def _eigenvalues(field: DiracGAN, damping: float, turning: float) -> Check:
    """Differences of the gradients against the roots of l^2 + damping l + turning = 0."""

    def differences(h: float) -> Array:
        columns = [
            (field.gradient(h * unit[None])[0] - field.gradient(-h * unit[None])[0]) / (2 * h)
            for unit in np.eye(2)
        ]
        return np.stack(columns, axis=-1)

    stated = np.roots([1.0, damping, turning])
    fine, coarse = differences(1e-4), differences(2e-4)
    computed = np.linalg.eigvals(-fine)
    error = max(np.abs(stated - value).min() for value in computed)
    slack = float(np.abs(fine - coarse).max()) + 64 * EPS / 1e-4
    # A double eigenvalue moves by the root of what its matrix moves by.
    gap = abs(stated[0] - stated[1])
    return float(error), min(4 * slack / max(gap, EPS), 2 * float(np.sqrt(slack)))


def _rate(settings: GameSettings, field: VectorField, moves: Moves, path: Array) -> Check | None:
    r"""Change along the leading eigenvector over the last half of the steps.

    Maths   $z = w s$ with a left eigenvector w: $z' = \lambda z + w r$, and
            $|w r| \le |w| K |s|^3$; K is the largest departure of the update from its Jacobian over
            64 directions at three radii up to the orbit's, with a margin of a half.
    """
    if {"gradient_penalty", "clip"} & set(settings.regularizer):
        return None
    matrix = moves.matrix(field.jacobian(np.zeros((1, 2))))[0]
    values, vectors = np.linalg.eig(matrix)
    if np.linalg.cond(vectors) > 1e6:
        return None
    leading = int(np.argmax(np.abs(values)))
    left = np.linalg.eig(matrix.T)
    row = left[1][:, int(np.argmin(np.abs(left[0] - values[leading])))]
    tail = path[len(path) // 2 :]
    along = np.abs((tail * row).sum(-1))
    size = np.sqrt((tail**2).sum(-1))
    if along.min() < 1e-6 * size.max() * 1e-6 or along.min() <= 0:
        return None
    rho = float(np.abs(values[leading]))
    # What noise adds to a gradient cancels at the equilibrium, but for its own rounding.
    noise = settings.lr * settings.weight if "instance_noise" in settings.regularizer else 0.0
    strays = 16 * EPS * (size[:-1] + noise) / (rho * along[:-1])
    if isinstance(field, DiracGAN):
        bound = _departure(field, moves, matrix, float(size.max()))
        strays = strays + np.linalg.norm(row) * bound * size[:-1] ** 3 / (rho * along[:-1])
    if strays.max() > 0.5:
        return None
    steps = len(tail) - 1
    measured = float((along[-1] / along[0]) ** (1 / steps))
    return abs(measured - rho), rho * float(np.mean(-np.log1p(-strays))) + 1e-12


def _departure(field: DiracGAN, moves: Moves, matrix: Array, reach: float) -> float:
    """K with |update(s) - matrix s| <= K |s|^3 for |s| up to the orbit's reach."""
    directions = np.random.default_rng(0).normal(size=(64, 4))
    directions /= np.sqrt((directions**2).sum(-1, keepdims=True))
    # Below this the difference is rounding; a flat orbit's bound is taken there.
    reach = max(reach, 1e-3)
    found = 0.0
    for radius in (reach, reach / 2, reach / 4):
        states = radius * directions
        apart = moves.update(field, states) - (matrix * states[:, None]).sum(-1)
        found = max(found, float(np.sqrt((apart**2).sum(-1)).max()) / radius**3)
    return 1.5 * found
