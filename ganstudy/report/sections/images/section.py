"""What generators of images make: beside real ones, over training, by mode, and beside data."""

from __future__ import annotations

from ganstudy.report.sections._base import Chart, Section
from ganstudy.report.sections.images import frames, gallery, modes, neighbours
from ganstudy.report.sections.images.firsts import missing


class Images(Section):
    """Images, where samples are some."""

    place = 95
    label = "Images"
    heading = "Images"
    charts = (
        Chart(
            "images",
            """Real images, and the first of the first seed of each arm at each setting.

            `images(ds.sel(seed=[3]))` shows another seed, and so on for arms and settings.
            """,
            gallery.draw,
            gallery.draw_on,
            missing=missing,
        ),
        Chart(
            "image_film",
            """Images of the same latent noise at several M-steps, a row for each arm.

            On `ax` the last frame.
            """,
            frames.draw,
            frames.draw_on,
            missing=frames.why_missing,
        ),
        Chart(
            "mode_map",
            """Which modes the trials of each arm cover, and in what share of the trials.""",
            modes.draw,
            modes.draw_on,
            missing=modes.why_missing,
        ),
        Chart(
            "nearest_images",
            """Images beside the training images nearest to them, of each arm and held out.""",
            neighbours.draw,
            neighbours.draw_on,
            missing=neighbours.why_missing,
        ),
        Chart(
            "memory",
            """How far images are from the nearest training image, beside held-out images.

            A panel for each target; on `ax` that of the first arm.
            """,
            neighbours.draw_distances,
            neighbours.draw_distances_on,
            missing=neighbours.why_missing,
            single=True,
        ),
    )
