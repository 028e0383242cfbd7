"""Trained generators of a run: their samples, and each as a module of PyTorch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor

from ganstudy import plugins
from ganstudy.engine.arithmetic import NotPortable, environment
from ganstudy.engine.session import Session, outside_steps
from ganstudy.existing import reopen
from ganstudy.family import canonical_json
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.named_trial import BEST, named_trial
from ganstudy.plural import plural
from ganstudy.sampled import Sampled, legend
from ganstudy.schedule.devices import one
from ganstudy.store import RunDirectory, RunError
from ganstudy.trial import Trial
from ganstudy.whole_file import Damaged, write_whole

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ganstudy.store.records import Entry

    Array = NDArray[np.float32]

__all__ = ["BEST", "Sampled", "load_generator", "sample", "write_onnx"]


@dataclass(frozen=True, eq=False)
class _Kept:
    """A trial whose generator is kept, with its entry among the records."""

    directory: RunDirectory
    trial: Trial[Adversarial]
    entry: Entry
    content: bytes

    @property
    def arithmetic(self) -> str:
        """That of its samples, which are computed as they are written."""
        return outside_steps(self.entry.arithmetic)


def sample(
    run: Path | str,
    trial: str = BEST,
    count: int = 64,
    *,
    seed: int | None = None,
    averaged: bool = False,
    device: str = "cpu",
    run_plugins: bool = False,
) -> Sampled:
    """Samples of a trained generator.

    trial     an id, the beginning of one, or `best`
    seed      draws other latent noise; without one it is that which the trial was measured with,
              and the samples are the first of those that it stored, bit for bit where the
              arithmetic is that of its record
    averaged  by the averaged parameters
    device    `cpu`, a GPU such as `cuda:0`, or `auto`, which is the first of these if there is one

    Errors  `RunError` for a run that cannot be read, a trial that it does not have, and one that
            keeps no generator, or takes labels of data that are gone; `ValueError` for a device
            that is not there, a count below 1 and a seed below 0; `TypeError` for no name.
    """
    if count < 1 or (seed or 0) < 0:
        raise ValueError(f"count is at least 1 and seed at least 0 (got {count} and {seed})")
    device = one(device)
    kept = _kept(Path(run), trial, averaged, run_plugins)
    own = kept.trial
    if own.configuration.labels and (gone := own.configuration.target.gone):
        raise RunError(f"{run}: trial {own.id} takes labels, which are drawn of its data: {gone}")
    drawn = own if seed is None else Trial(own.configuration, seed)
    latents = _latents(drawn, count)
    session = Session(device, kept.entry.program)
    found, arithmetic = _computed(kept, latents, averaged, session)
    samples = np.concatenate(found)[:count]
    latent = np.concatenate(latents)[:count]
    labels = own.configuration.labels
    told = latent[:, latent.shape[1] - labels :].argmax(axis=1) if labels else None
    image = own.configuration.target.image
    words = f"{plural(count, 'sample')} of trial {own.id} (seed {own.seed}, {kept.entry.status})"
    words += ", averaged parameters" * averaged
    known = legend(own.configuration)
    words += ", standardised" * ("scale" in known)
    if drawn.seed == own.seed and not averaged:
        words += f": {_held_against_stored(kept, samples, arithmetic)}"
    return Sampled(
        own.id,
        samples if image is None else samples.reshape(count, *image),
        latent[:, : latent.shape[1] - labels],
        told,
        known,
        image,
        own.configuration.target.settings,
        words,
    )


def load_generator(
    run: Path | str, trial: str = BEST, *, averaged: bool = False, run_plugins: bool = False
) -> torch.nn.Module:
    """A trained generator as a module in which nothing is ours: torch alone can unpickle it.

    It takes rows of latent noise, with one-hot labels behind it if the trial was told labels, and
    gives rows, or images `(batch, channels, height, width)` of a target that has them. Its samples
    are those of `sample` to rounding: its products are those of `torch.nn`. Batch norm without
    `norm_average` divides by the moments of the batch at hand, as it did when it was measured.

    Errors  as `sample`.
    """
    from ganstudy.kinds.adversarial.kept_generator import module

    kept = _kept(Path(run), trial, averaged, run_plugins)
    return module(kept.trial, kept.content, averaged)


def write_onnx(
    run: Path | str,
    path: Path | str,
    trial: str = BEST,
    *,
    averaged: bool = False,
    run_plugins: bool = False,
) -> str:
    """Write the module of `load_generator` as an ONNX file; what it takes and gives, in a line.

    Input `latent` and output `samples` are those of the module, for a batch of any size. The
    metadata tell trial, seed and settings, as JSON, and the legend of `Sampled`. The file appears
    whole or not at all.

    Errors  as `sample`; `RunError` for a path that does not end in .onnx, without the packages of
            the extra `onnx`, and for a network that PyTorch cannot write.
    """
    from ganstudy.kinds.adversarial.kept_generator import module
    from ganstudy.kinds.adversarial.onnx_file import NotExported, content

    path = Path(path)
    if path.suffix != ".onnx":
        raise RunError(f"{path}: a generator is written as .onnx")
    kept = _kept(Path(run), trial, averaged, run_plugins)
    own, configuration = kept.trial, kept.trial.configuration
    inputs = configuration.generator.latent + configuration.labels
    known = {name: array.tolist() for name, array in legend(configuration).items()}
    about = {"averaged": averaged, "seed": own.seed, "settings": own.settings, "trial": own.id}
    whole = module(own, kept.content, averaged)
    try:
        write_whole(path, content(whole, inputs, canonical_json(about | known)))
    except NotExported as error:
        raise RunError(f"{path}: {error}") from None
    shape = configuration.target.image or (configuration.target.dimension,)
    made = " x ".join(map(str, ("batch", *shape)))
    words = f"generator of trial {own.id}" + ", averaged parameters" * averaged
    standardised = ", standardised" * ("scale" in known)
    return f"{words}: latent, batch x {inputs}, to samples, {made}{standardised}"


def _kept(path: Path, name: str, averaged: bool, run_plugins: bool) -> _Kept:
    """The trial of a name with its generator.

    Errors  `RunError`.
    """
    directory, search = reopen(path, run_plugins=run_plugins)
    trial = named_trial(directory, search, name)
    where = f"{path}: trial {trial.id}"
    entry, configuration = directory.entries()[trial.id], trial.configuration
    if entry.status == "failed":
        raise RunError(f"{where} failed; it has no generator")
    if not isinstance(configuration, Adversarial):
        raise RunError(f"{where} is of kind {configuration.name}, which trains no generator")
    if averaged and configuration.generator.average is None:
        raise RunError(f"{where} keeps no average: it was trained without `generator.average`")
    own_setting = "" if configuration.keeps_generator else " trial.record.generator=true"
    retry = f"`ganstudy retry {quote(str(path))} --generators{own_setting}`"
    if not entry.generator_digest:
        raise RunError(
            f"{where} keeps no generator: it was trained without `record.generator: true`; "
            f"{retry} trains it again"
        )
    try:
        content = directory.generators.read(trial.id, entry.generator_digest)
    except Damaged as error:
        file = directory.generators.path(trial.id, entry.generator_digest)
        raise RunError(f"{file}: {error}; {retry} trains the trial again") from None
    return _Kept(directory, Trial(configuration, trial.seed), entry, content)


def _latents(trial: Trial[Adversarial], count: int) -> list[Array]:
    """Latent noise for so many samples, in the batches by which the trial is measured."""
    from ganstudy.kinds.adversarial.draws import evaluation_latents

    batches = math.ceil(count / trial.configuration.record.samples)
    return list(islice(evaluation_latents(trial), batches))


def _computed(
    kept: _Kept, latents: Sequence[Array], averaged: bool, session: Session
) -> tuple[list[Array], str]:
    """Samples, and their arithmetic: here, or in a process that is started for that of the record.

    Errors  `RunError` where the trial's program cannot be had.
    """
    from ganstudy.kinds.adversarial.kept_generator import samples

    asked = kept.trial, kept.content, latents, averaged, session
    try:
        found = samples(*asked)
        if session.device != "cpu" or found[1] == kept.arithmetic:
            return found
    except NotPortable as error:
        if session.device != "cpu":
            raise RunError(f"{kept.directory.path}: {error}") from None
    try:
        with ProcessPoolExecutor(1, env=environment(session.program)) as pool:
            drawn: tuple[list[Array], str] = pool.submit(_there, plugins.carried(asked)).result()
    except NotPortable as error:
        raise RunError(f"{kept.directory.path}: {error}") from None
    return drawn


def _there(content: bytes) -> tuple[list[Array], str]:
    """Samples by the process that this was carried to, with the plug-ins of its trial."""
    from ganstudy.kinds.adversarial.kept_generator import samples

    return samples(*plugins.received(content))


def _held_against_stored(kept: _Kept, samples: Array, arithmetic: str) -> str:
    """Whether samples have the bits of the stored ones; how far they are from them if not."""
    (record,) = kept.directory.read(trials={kept.trial.id})
    stored = record.values["samples"][: len(samples)]
    own = samples[: len(stored)]
    which = "the stored ones" if len(own) == len(samples) else f"the {len(own):,} stored ones"
    if np.array_equal(own, stored, equal_nan=True):
        return f"the same bits as {which}"
    largest = float(np.abs(own.astype(np.float64) - stored).max())
    there = kept.arithmetic
    why = f"; the trial: {there}; here: {arithmetic}" if there != arithmetic else ""
    return f"differ from {which} by at most {largest:.3g}{why}"
