"""The target `images`: folders, arrays and MNIST's files, and every mistake in them in words."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiny import PICTURES, write_study

from ganstudy import targets
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.targets import RowsTarget

COUNT, SIDE = 30, 6

Pixels = NDArray[np.uint8]


def _target(path: Path, **settings: Any) -> RowsTarget:
    target = targets.from_config({"name": "images", "path": str(path), **settings})
    assert isinstance(target, RowsTarget)
    return target


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """Thirty images in colour, `(30, 6, 6, 3)`."""
    return np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), np.uint8)


def _idx(path: Path, array: NDArray[np.uint8]) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def _png(path: Path, image: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def _every(target: RowsTarget) -> NDArray[np.float32]:
    """All rows, those held out behind the others, sorted: which are held out is tested apart."""
    rows = np.concatenate(
        [target.values(own) for own in (target.rows().train, target.rows().held_out)]
    )
    return np.asarray(rows[np.lexsort(rows.T)])


def _write_as(kind: str, folder: Path, pixels: Pixels) -> tuple[Path, dict[str, Any]]:
    """The images in one of the usual forms, and what a study has to say of it."""
    path = folder / f"{kind}.npy"
    scaled = pixels.astype(np.float64)
    arrays = {
        "last": pixels,
        "first": np.moveaxis(pixels, -1, 1),
        "to_255": scaled,
        "to_1": scaled / 255,
        "to_both": (scaled / 127.5 - 1).astype(np.float32),
        "deep": pixels.astype(np.uint16) * 257,
        "wide": pixels.astype(np.uint16),
    }
    if kind in arrays:
        np.save(path, arrays[kind])
        return path, {}
    if kind == "npz":
        labels = np.arange(COUNT) % 3
        np.savez(folder / "many.npz", x=pixels, y=labels, z=np.zeros(2))
        return folder / "many.npz", {"label": "y"}
    for place, image in enumerate(pixels):
        _png(folder / "png" / f"c{place % 3}" / f"{place:02}.png", image)
    return folder / "png", {}


@pytest.mark.parametrize(
    "kind", ["last", "first", "to_255", "to_1", "to_both", "deep", "wide", "npz", "folder"]
)
def test_every_form_holds_the_same_images(tmp_path: Path, pixels: Pixels, kind: str) -> None:
    """Channel by channel, line by line, from -1 to 1; labels where there are any."""
    path, settings = _write_as(kind, tmp_path, pixels)
    target = _target(path, **settings)
    expected = np.moveaxis(pixels / 127.5 - 1, -1, 1).reshape(COUNT, -1)
    np.testing.assert_allclose(
        _every(target), expected[np.lexsort(expected.astype(np.float32).T)], atol=1e-6
    )
    assert target.image == (3, SIDE, SIDE)
    assert (len(target.rows().train), len(target.rows().held_out)) == (24, 6)
    assert target.labels == (3 if kind in ("npz", "folder") else 0)
    ends = (
        " numbers from -1 to 1"
        if kind in ("to_255", "to_1", "to_both", "wide")
        else " bytes from 0 to 255"
    )
    assert f"{COUNT} images of 3 x 6 x 6{ends}" in target.account()[0]
    if target.labels:
        rows, labels = target.sample_labelled(np.random.default_rng(0), 200)
        held, known = target.held_out_labelled(np.random.default_rng(0), 200)
        for own, of in ((rows, labels), (held, known)):
            place = [np.abs(expected - row).sum(axis=1).argmin() % 3 for row in own]
            np.testing.assert_array_equal(of, place)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("whole", [True, False])
def test_files_of_mnist(tmp_path: Path, pixels: Pixels, packed: str, whole: bool) -> None:
    """Their names and their bytes, gzipped or not; the test set is the held-out one."""
    grey, digits = pixels[..., 0], (np.arange(COUNT) % 10).astype(np.uint8)
    for name, part in (("train", slice(0, 20)), ("t10k", slice(20, COUNT))):
        _idx(tmp_path / f"{name}-images-idx3-ubyte{packed}", grey[part])
        _idx(tmp_path / f"{name}-labels-idx1-ubyte{packed}", digits[part])
    one = tmp_path / f"train-images-idx3-ubyte{packed}"
    target = _target(tmp_path if whole else one)
    rows = target.rows()
    assert target.image == (1, SIDE, SIDE)
    assert target.labels == 10
    if whole:
        np.testing.assert_array_equal(rows.train, grey[:20].reshape(20, -1))
        np.testing.assert_array_equal(rows.held_out, grey[20:].reshape(10, -1))
        np.testing.assert_array_equal(rows.held_out_labels, digits[20:])
        assert any("held out: the 10 images of t10k" in line for line in target.account())
    else:
        assert (len(rows.train), len(rows.held_out)) == (16, 4)


def test_arrays_as_keras_names_them(tmp_path: Path, pixels: Pixels) -> None:
    """Sets and labels by their names; and what is not read of another file is said."""
    labels = np.arange(COUNT) % 3
    parts = {"x_train": pixels[:20], "y_train": labels[:20], "x_test": pixels[20:]}
    np.savez(tmp_path / "keras.npz", **parts, y_test=labels[20:])
    target = _target(tmp_path / "keras.npz")
    rows = target.rows()
    assert rows.labels is not None
    np.testing.assert_array_equal(rows.labels, labels[:20])
    np.testing.assert_array_equal(rows.held_out, np.moveaxis(pixels[20:], -1, 1).reshape(10, -1))
    assert any("held out: the 10 images of x_test" in line for line in target.account())
    lone = _target(tmp_path / "keras.npz", key="x_test", label="y_test")
    assert any("not read: x_train, y_train" in line for line in lone.account())
    assert _target(tmp_path / "keras.npz", key="x_train").labels == 0


def test_labels_that_are_bytes_are_texts(tmp_path: Path, pixels: Pixels) -> None:
    """As HDF5 and C write them."""
    labels = np.array(["cat", "h\xe4tte", "dog"])[np.arange(COUNT) % 3]
    for name, own in (("text", labels), ("bytes", np.char.encode(labels, "utf-8"))):
        np.savez(tmp_path / f"{name}.npz", x=pixels, y=own)
    text, told = (_target(tmp_path / f"{name}.npz", label="y") for name in ("text", "bytes"))
    assert told.label_names == text.label_names == ("cat", "dog", "h\xe4tte")
    np.testing.assert_array_equal(told.rows().labels, text.rows().labels)
    np.savez(tmp_path / "broken.npz", x=pixels, y=np.array([b"a", b"\xff", b"\xfe"] * 10))
    assert _target(tmp_path / "broken.npz", label="y").label_names == (r"\xfe", r"\xff", "a")


def test_images_are_once_in_memory(tmp_path: Path) -> None:
    """Bytes as bytes, whatever has been asked of them."""
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 32, 32, 3), np.uint8)
    np.save(tmp_path / "many.npy", pixels)
    _target(PICTURES)  # what is imported on the way
    tracemalloc.start()
    target = _target(tmp_path / "many.npy")
    assert target.image == (3, 32, 32)
    assert target.account()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pixels.nbytes < held < 1.1 * pixels.nbytes


def test_more_than_memory_is_meant_for_is_refused(tmp_path: Path) -> None:
    """Four bytes for each number that is no byte."""
    pixels = np.random.default_rng(0).random((4200, 4, 4), np.float32)
    np.save(tmp_path / "many.npy", pixels)
    with pytest.raises(ValueError, match=r"many.npy: 4.1 GiB of pixels; `size: 64` makes them"):
        _target(tmp_path / "many.npy", size=512)


def test_pictures_of_all_modes_are_read(tmp_path: Path) -> None:
    """Grey, 16 bits, palette, transparency on black; one in colour makes all of them colour."""
    grey = np.full((4, 4), 200, np.uint8)
    _png(tmp_path / "a.png", grey)
    _png(tmp_path / "b.png", np.full((4, 4), 100 * 257, np.uint16))
    assert _target_after(tmp_path, "c.png", np.full((4, 4), 50, np.uint8)).image == (1, 4, 4)
    seen = np.zeros((4, 4, 4), np.uint8)
    seen[..., 0], seen[..., 3] = 255, 128
    _png(tmp_path / "d.png", seen)
    Image.fromarray(grey).convert("P").save(tmp_path / "e.png")
    target = _target(tmp_path)
    assert target.image == (3, 4, 4)
    levels = {tuple(((row.reshape(3, -1)[:, 0] + 1) * 127.5).round()) for row in _every(target)}
    assert levels == {(200, 200, 200), (100, 100, 100), (50, 50, 50), (128, 0, 0)}
    assert _target(tmp_path, grey=True).image == (1, 4, 4)


def test_names_may_be_in_no_encoding(tmp_path: Path, pixels: Pixels) -> None:
    """As old archives leave them: classes are told apart, and their names are text."""
    for place, image in enumerate(pixels[:9]):
        folder = os.fsencode(tmp_path) + (b"/h\xe4tte", b"/h\xf6tte", b"/haus")[place % 3]
        _png(Path(os.fsdecode(folder)) / f"{place}.png", image)
    (Path(os.fsdecode(folder)) / os.fsdecode(b"\xfc.txt")).touch()
    target = _target(tmp_path)
    assert target.labels == 3
    told = "\n".join(target.account())
    assert told.encode().decode() == told
    assert "left out: 1 file that is no PNG or JPEG: haus/\N{REPLACEMENT CHARACTER}.txt" in told


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "RGB", "RGBA"])
def test_what_has_no_colours_is_grey(tmp_path: Path, pixels: Pixels, mode: str) -> None:
    """Whatever way a file keeps it; and as bright as it is."""
    grey = 255 * (pixels[..., 0] > 128).astype(np.uint8)
    for place in range(4):
        Image.fromarray(grey[place]).convert(mode).save(tmp_path / f"{place}.png")
    target = _target(tmp_path)
    assert target.image == (1, SIDE, SIDE)
    assert {bytes(row) for row in target.rows().train} <= {bytes(own) for own in grey[:4]}


LEVELS = np.arange(3 * 36).reshape(3, 6, 6) / 107
"""From 0 to 1."""


@pytest.mark.parametrize(
    ("numbers", "ends", "largest"),
    [
        (LEVELS * 16, [0, 16], 16),
        ((LEVELS * 16).round().astype(np.int64), [0, 16], 16),
        ((LEVELS * 16).round().astype(np.uint8), [0, 16], 16),
        (LEVELS * 1.0000001, [0, 1], 1),
        ((LEVELS * 4095).round().astype(np.uint16), [0, 4095], 4095),
        ((LEVELS * 100).round().astype(np.uint16), [0, 100], 100),
        (LEVELS * 3000 - 1000, [-1000, 2000], None),
        ((LEVELS - 0.5).astype(np.float32), [-0.5, 0.5], 0.5),
    ],
)
def test_a_scale_that_is_one_of_several_is_refused_unless_it_is_told(
    tmp_path: Path, numbers: NDArray[Any], ends: list[int], largest: int | None
) -> None:
    """The pictures would be nearly black, or of a few levels; with its ends each is as it was."""
    path = tmp_path / "numbers.npy"
    np.save(path, numbers)
    with pytest.raises(ValueError, match="`range"):
        _target(path)
    target = _target(path, range=ends)
    expected = (2 * LEVELS - 1).reshape(3, -1)
    np.testing.assert_allclose(_every(target), expected, atol=0.13 if largest == 16 else 0.011)
    assert f", taken for [{ends[0]}, {ends[1]}]" in target.account()[-1]
    with pytest.raises(ValueError, match=r"lie beyond `range: \[0, 0.5\]`"):
        _target(path, range=[0, 0.5])


def test_ends_are_two_and_change_no_id_where_they_are_not_told(
    tmp_path: Path, pixels: Pixels
) -> None:
    np.save(tmp_path / "bytes.npy", pixels)
    plain = _target(tmp_path / "bytes.npy")
    assert "range" not in plain.model_dump()
    told = _target(tmp_path / "bytes.npy", range=[0, 255])
    np.testing.assert_array_equal(told.rows().train, plain.rows().train)
    assert told.rows().train.dtype == np.uint8
    with pytest.raises(ValueError, match="the first number is less than the second"):
        _target(tmp_path / "bytes.npy", range=[255, 0])


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.uint16, np.int64, np.float32])
def test_zero_and_one_are_black_and_white(tmp_path: Path, pixels: Pixels, kind: type) -> None:
    np.save(tmp_path / "masks.npy", (pixels > 128).astype(kind))
    target = _target(tmp_path / "masks.npy")
    assert set(np.unique(_every(target))) == {-1.0, 1.0}


def _target_after(folder: Path, name: str, image: NDArray[Any]) -> RowsTarget:
    _png(folder / name, image)
    return _target(folder)


def test_photographs_stand_as_their_cameras_say(tmp_path: Path, pixels: Pixels) -> None:
    """Orientation 6: the first line of pixels is the right edge."""
    for place in range(3):
        upright = pixels[place]
        turned = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))
        about = turned.getexif()
        about[0x0112] = 6
        turned.save(tmp_path / f"{place}.png", exif=about)
        _png(tmp_path / "upright" / f"{place}.png", upright)
    upright = _every(_target(tmp_path / "upright"))
    for path in (tmp_path / "upright").iterdir():
        path.unlink()
    np.testing.assert_array_equal(_every(_target(tmp_path)), upright)


@pytest.mark.parametrize("of_classes", [True, False])
@pytest.mark.parametrize(
    ("training", "name"), [("train", "test"), ("Train", "Val"), ("Training", "Testing")]
)
def test_folders_may_be_sets(
    tmp_path: Path, pixels: Pixels, of_classes: bool, training: str, name: str
) -> None:
    """As `train` beside another, below any one folder; the other is what is held out."""
    for place, image in enumerate(pixels[:9]):
        of_set = training if place < 6 else name
        of_class = f"c{place % 3}" if of_classes else ""
        _png(tmp_path / "data" / of_set / of_class / f"{place}.png", image)
    target = _target(tmp_path)
    rows = target.rows()
    for found, expected in ((rows.train, pixels[:6]), (rows.held_out, pixels[6:9])):
        flat = np.moveaxis(expected, -1, 1).reshape(len(expected), -1)
        assert sorted(map(bytes, found)) == sorted(map(bytes, flat))
    assert target.labels == (3 if of_classes else 0)
    assert target.account()[-1].strip() == f"held out: the 3 images of {name}"
    if of_classes:
        assert rows.held_out_labels is not None
        for row, label in zip(rows.held_out, rows.held_out_labels, strict=True):
            assert bytes(row) == bytes(np.moveaxis(pixels[6 + label], -1, 0))


def test_one_folder_alone_stands_for_its_own(tmp_path: Path, pixels: Pixels) -> None:
    """Classes are where there are several; a class of the name of one set alone is a class. What
    lies deeper is of the class around it, which is said.
    """
    for place, image in enumerate(pixels):
        name = ("train", "car", "bus/old")[place % 3]
        _png(tmp_path / "zip" / "data" / name / f"{place}.png", image)
    target = _target(tmp_path)
    assert target.labels == 3
    assert [line.strip() for line in target.account()[1:]] == [
        *("bus: 10", "car: 10", "train: 10"),
        "read as images of the class that they lie in: those of bus/old",
    ]


def test_links_are_followed_and_lead_back_to_nothing(tmp_path: Path, pixels: Pixels) -> None:
    """To folders and to files; those to nothing are told as what cannot be read."""
    for place, image in enumerate(pixels[:6]):
        _png(tmp_path / "elsewhere" / f"c{place % 2}" / f"{place}.png", image)
    own = tmp_path / "own"
    own.mkdir()
    for name in ("c0", "c1"):
        (own / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "elsewhere" / "c0" / "back").symlink_to(own)
    target = _target(own)
    assert (len(_every(target)), target.labels) == (6, 2)
    first = target.model_dump()["sha256"]
    _png(tmp_path / "elsewhere" / "c1" / "new.png", pixels[7])
    assert _target(own).model_dump()["sha256"] != first
    (tmp_path / "elsewhere" / "c1" / "gone.png").symlink_to(tmp_path / "nothing.png")
    with pytest.raises(ValueError, match=r"1 of 8 files cannot be read: c1/gone.png \(no file\)"):
        _target(own)


def test_images_are_cut_to_the_middle_square_and_resized(tmp_path: Path) -> None:
    """Halving takes means of weights that sum to 1: a flat image stays, black and white mix."""
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, 2:10, 0] = 80
    image[:4, 2:10, 1] = 255
    image[:, :2] = 255  # cut off
    np.save(tmp_path / "wide.npy", np.stack([image, image, 255 - image]))
    _png(tmp_path / "folder" / "0.png", image)
    _png(tmp_path / "folder" / "1.png", image)
    _png(tmp_path / "folder" / "2.png", (255 - image)[:, 2:10])
    for path in (tmp_path / "wide.npy", tmp_path / "folder"):
        target = _target(path, size=4)
        assert target.image == (3, 4, 4)
        rows = (_every(target) + 1) * 127.5
        own = rows[np.abs(rows[:, :16] - 80).max(axis=1) < 1].reshape(-1, 3, 4, 4)
        assert len(own) == 2
        assert own[0, 1, 0].min() > 250
        assert own[0, 1, 3].max() < 5
        assert own[0, 2].max() == 0
        grey = (_every(_target(path, size=4, grey=True)) + 1) * 127.5
        assert np.abs(grey[:, -1] - 0.299 * 80).min() < 1


def test_only_whole_groups_are_held_out_and_content_makes_the_id(
    tmp_path: Path, pixels: Pixels
) -> None:
    """Other content, another configuration; what changes later is noticed."""
    path, _ = _write_as("folder", tmp_path, pixels)
    first = _target(path)
    assert first == _target(path)
    (path / "notes.txt").write_text("hello")
    (path / ".hidden").mkdir()
    (path / ".hidden" / "._a.png").write_bytes(b"no image")
    second = _target(path)
    assert second != first
    assert any("left out: 1 file that is no PNG or JPEG: notes.txt" in x for x in second.account())
    np.testing.assert_array_equal(_every(first), _every(second))
    with pytest.raises(ValueError, match="has changed: its SHA-256 is"):
        _target(path, sha256=first.model_dump()["sha256"])


STUDY = """\
question: What do my images say?
trial:
  target:
    name: images
    path: {path}
    {more}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 2
seeds: 1
"""


def _bad(folder: Path, pixels: Pixels) -> None:
    for place in range(4):
        _png(folder / "good" / f"{place}.png", pixels[place])
        _png(folder / "broken" / f"{place}.png", pixels[place])
        _png(folder / "sizes" / f"{place}.png", pixels[place, : 4 + place // 3])
        _png(folder / "mixed" / f"{place}.png", pixels[place])
    _png(folder / "mixed" / "cats" / "0.png", pixels[5])
    for of_set in ("train", "test", "val"):
        _png(folder / "sets" / of_set / "0.png", pixels[6])
        _png(folder / "third" / of_set.replace("val", "extra") / "a" / "0.png", pixels[6])
    for place, name in enumerate(("a/train", "a/test", "b/train", "b/test")):
        _png(folder / "turned" / name / f"{place}.png", pixels[place])
    for name in ("one_class/dogs", "one_inside/test/dogs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("one_class/cats", "one_inside/train/cats", "one_inside/test/cats"):
        _png(folder / name / "0.png", pixels[0])
    _png(folder / "no_set" / "train" / "0.png", pixels[0])
    (folder / "no_set" / "Testing").mkdir()
    (folder / "no_set" / "Testing" / "0.webp").touch()
    _png(folder / "other_class" / "cats" / "0.png", pixels[0])
    (folder / "other_class" / "dogs" / "a").mkdir(parents=True)
    (folder / "other_class" / "dogs" / "a" / "0.WebP").touch()
    for place, name in enumerate(("train/a", "train/b", "test/a", "test/c")):
        _png(folder / "strange" / name / "0.png", pixels[place])
    for place, name in enumerate(("train/a", "train/b", "test")):
        _png(folder / "kaggle" / "in" / name / f"{place}.png", pixels[place])
    (folder / "others").mkdir()
    for place in range(5):
        (folder / "others" / f"{place}.gif").write_bytes(b"GIF89a")
    whole = (folder / "good" / "0.png").read_bytes()
    (folder / "broken" / "1.png").write_bytes(whole[: len(whole) // 2])
    (folder / "broken" / "2.png").write_bytes(b"no image")
    (folder / "empty").mkdir()
    np.save(folder / "flat.npy", np.zeros((5, 36)))
    np.save(folder / "two_ways.npy", np.zeros((5, 3, 8, 3)))
    np.save(folder / "five.npy", np.zeros((5, 8, 8, 5)))
    np.save(folder / "wild.npy", np.linspace(-3, 900, 300).reshape(3, 10, 10))
    np.save(folder / "half.npy", (pixels / 255 - 0.5).astype(np.float32))
    np.save(folder / "gap.npy", np.where(np.arange(300) == 150, np.nan, 0.5).reshape(3, 10, 10))
    np.save(folder / "same.npy", np.ones((5, 8, 8), np.uint8))
    np.savez(folder / "two.npz", a=pixels, b=pixels, c=np.zeros(COUNT))
    np.savez(folder / "none.npz")
    (folder / "text.npy").write_text("no array")
    np.savez(folder / "short.npz", a=pixels, c=np.zeros(COUNT - 1), n=np.full(COUNT, np.nan))
    keras = {"x_train": pixels[:20], "x_test": pixels[20:]}
    np.savez(folder / "hot.npz", **keras, y_train=np.eye(20), y_test=np.eye(20)[:10])
    half = {"x_train": pixels[:20], "x_test": pixels[20:], "y_test": np.zeros(10)}
    np.savez(folder / "half.npz", **half)
    np.savez(folder / "lone.npz", data=np.zeros((5, 36)))
    np.savez(folder / "flat.npz", data=np.zeros((5, 36)), n=np.array(5))
    (folder / "mnist").mkdir()
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        _idx(folder / "mnist" / name, pixels[..., 0])
    _idx(folder / "mnist" / "train-labels-idx1-ubyte", np.arange(COUNT, dtype=np.uint8) % 3)
    _idx(folder / "cut-images-idx3-ubyte", pixels[..., 0])
    cut = (folder / "cut-images-idx3-ubyte").read_bytes()[:-9]
    (folder / "cut-images-idx3-ubyte").write_bytes(cut)
    (folder / "other.bin").write_bytes(b"what is this?")


@pytest.mark.parametrize(
    ("path", "more", "line", "message"),
    [
        ("goood", "", 5, "trial.target.path: no such file: .*goood; did you mean 'good'"),
        ("broken", "", 3, r"2 of 4 files cannot be read: 1.png \(.*\), 2.png \(no PNG or JPEG\)"),
        ("sizes", "", 3, "0.png has 4 x 6 pixels, 3.png 5 x 6; `size: 32`"),
        ("mixed", "", 3, "images beside the folder 'cats'"),
        ("sets", "", 3, "sets test, train, val; two are read, for training and held out"),
        ("third", "", 3, "sets extra, test, train; two are read, for training and held out"),
        ("turned", "", 3, "have sets in them; sets hold classes, as in train/cats"),
        ("one_class", "", 3, "folder 'dogs' has no images; put some there or take it away"),
        ("one_inside", "", 3, "one_inside/test: folder 'dogs' has no images"),
        ("no_set", "", 3, "folder 'Testing' has no images"),
        ("other_class", "", 3, "'dogs' has no images that are PNG or .*; it has a/0.WebP: conv"),
        ("strange", "", 3, "all images of class 'c' are held out, and none is left to train on"),
        ("kaggle", "", 3, "train has folders of.*, test has none; `path: .*/in/train` reads train"),
        (
            "mnist",
            "",
            3,
            r"t10k-images\S+ has none \(t10k-labels-idx1-ubyte is.*; the path of tr",
        ),
        ("half.npz", "", 3, "one of x_train, x_test only; `key: x_test` and `label: y_test` read"),
        ("hot.npz", "label: y_train", 3, "needs `key`, one of x_train, x_test; without `label`, x"),
        ("lone.npz", "", 3, r"no array of images, which are \(.*\); it has data of 5 x 36"),
        ("flat.npz", "", 3, "it has data of 5 x 36, n of one number"),
        ("empty", "", 3, "no PNG or JPEG files, nor those of MNIST$"),
        ("others", "", 3, "those of MNIST; it has 0.gif, 1.gif, 2.gif and 2 more"),
        ("good/0.png", "", 3, "one image; `path` is that of the folder that holds them"),
        ("good", "range: [0, 16]", 3, "`range` is for .npz and .npy files"),
        ("good", "key: x", 3, "`key` is for .npz and .npy files"),
        ("flat.npy", "", 3, r"an array of 5 x 36; images are \(count, height, width\)"),
        ("two_ways.npy", "", 3, "can be read in two ways; write `layout`"),
        ("five.npy", "", 3, "has 5 channels, not 1 or 3"),
        ("wild.npy", "", 3, r"values from -3 to 900 are on none of \[0, 255\]"),
        ("half.npy", "", 3, r"values from -0.5 to 0.5 may be on .*; `range: \[-0.5, 0.5\]` says"),
        ("gap.npy", "", 3, r"image 1 \(from 0\) has values that are not finite"),
        ("same.npy", "", 3, "all images are the same"),
        ("two.npz", "", 3, "key is needed, one of a, b"),
        ("two.npz", "key: d", 3, "no array 'd'; it has a, b, c"),
        ("none.npz", "key: d", 3, "no array 'd'; it has none at all"),
        ("text.npy", "", 3, "cannot be read: it holds no numbers that NumPy has written, but"),
        ("short.npz", "label: c", 3, "an array of 29 labels for 30 images, which take one each"),
        ("short.npz", "label: n", 3, r"the label of image 0 \(from 0\) is not finite"),
        ("short.npz", "label: d", 3, "no array 'd'; it has a, c, n"),
        ("hot.npz", "", 3, "an array of 30 x 20 labels for 30 images, which take one each"),
        ("cut-images-idx3-ubyte", "", 3, "it is cut off"),
        ("other.bin", "", 3, "neither a folder of images, .npz, .npy, nor an IDX file"),
    ],
)
def test_mistakes_name_file_line_and_key(
    tmp_path: Path, pixels: Pixels, path: str, more: str, line: int, message: str
) -> None:
    _bad(tmp_path, pixels)
    study = write_study(tmp_path, STUDY.format(path=tmp_path / path, more=more))
    with pytest.raises(StudyError, match=message) as caught:
        load(study)
    assert f"{study}:{line}: " in str(caught.value)


def test_broken_files_can_be_left_out(tmp_path: Path, pixels: Pixels) -> None:
    _bad(tmp_path, pixels)
    for place in range(4, 6):
        _png(tmp_path / "broken" / f"{place}.png", pixels[place])
    target = _target(tmp_path / "broken", unreadable="drop")
    assert len(_every(target)) == 4
    assert "left out: 2 files that cannot be read: 1.png" in target.account()[-1]


@pytest.mark.parametrize("broken", ["test/a", "train/b"])
def test_no_set_or_class_is_left_out_with_its_files(
    tmp_path: Path, pixels: Pixels, broken: str
) -> None:
    """Others were held out in place of the test set, and labels were fewer."""
    for place, name in enumerate(("train/a", "train/b", "test/a") * 3):
        _png(tmp_path / name / f"{place}.png", pixels[place])
    (tmp_path / "train/a/0.png").write_bytes(b"no image")
    target = _target(tmp_path, unreadable="drop")
    assert [len(own) for own in (target.rows().train, target.rows().held_out)] == [5, 3]
    for path in (tmp_path / broken).iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=f"no file of {broken} can be read, and a set or class"):
        _target(tmp_path, unreadable="drop")


def test_copies_of_training_images_among_those_held_out_are_told(
    tmp_path: Path, pixels: Pixels
) -> None:
    """As `check` prints them: two of three, where 0 and -0 are one number."""
    levels = (pixels / 127.5 - 1).astype(np.float32)
    levels[2, 0, 0, 0] = 0
    held_out = levels[[2, 20, 2]]
    held_out[0, 0, 0, 0] = -0.0
    np.savez(tmp_path / "copies.npz", x_train=levels[:20], x_test=held_out)
    told = _target(tmp_path / "copies.npz").account()
    assert told[-1].strip() == "2 of the 3 held-out images are also among the training images"
    np.savez(tmp_path / "none.npz", x_train=pixels[:20], x_test=pixels[20:])
    assert "also" not in _target(tmp_path / "none.npz").account()[-1]


@pytest.mark.parametrize("form", ["gif", "eps", "tiff", "bmp"])
def test_what_its_name_says_is_what_is_read(
    tmp_path: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Of other formats Pillow reads a first frame, or has another program run what they say."""
    for name in ("check_call", "Popen", "run"):
        monkeypatch.setattr(subprocess, name, lambda *_, **__: pytest.fail("a program was run"))
    for place in range(4):
        _png(tmp_path / f"{place}.png", pixels[place])
    Image.fromarray(pixels[5]).save(tmp_path / "4.png", format=form)
    with pytest.raises(ValueError, match=r"1 of 5 files cannot be read: 4.png \(no PNG or JPEG\)"):
        _target(tmp_path)


@pytest.mark.parametrize("suffix", [".jpe", ".JFIF", ".apng"])
def test_formats_have_several_names(tmp_path: Path, pixels: Pixels, suffix: str) -> None:
    form = "PNG" if suffix == ".apng" else "JPEG"
    for place in range(3):
        Image.fromarray(pixels[place]).save(tmp_path / f"{place}{suffix}", format=form)
    assert len(_every(_target(tmp_path))) == 3


@pytest.mark.parametrize(
    ("name", "is_class"), [("0.pbm", True), ("0.HEIC", True), ("0.dng", True), ("0.md", False)]
)
def test_a_folder_is_a_class_if_its_files_are_images_by_their_names(
    tmp_path: Path, pixels: Pixels, name: str, is_class: bool
) -> None:
    """Whether or not these can be read: a class was left out where their format was not known."""
    for own in ("cats", "dogs"):
        _png(tmp_path / own / "0.png", pixels[0])
        _png(tmp_path / own / "1.png", pixels[1])
    (tmp_path / "owls").mkdir()
    (tmp_path / "owls" / name).touch()
    if is_class:
        with pytest.raises(ValueError, match=f"folder 'owls' has no images .*; it has {name}"):
            _target(tmp_path)
    else:
        assert _target(tmp_path).labels == 2


def test_photographs_of_several_images_are_their_first(tmp_path: Path, pixels: Pixels) -> None:
    """As phones write JPEG, with another one of the depth behind it."""
    for place in range(3):
        one, other = map(Image.fromarray, pixels[[place, place + 3]])
        one.save(tmp_path / f"{place}.jpg", format="MPO", save_all=True, append_images=[other])
    assert len(_every(_target(tmp_path))) == 3


def test_a_file_that_claims_to_be_huge_is_not_decoded(
    tmp_path: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(3):
        _png(tmp_path / f"{place}.png", pixels[place])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(ValueError, match=r"3 of 3 files cannot be read: 0.png .*exceeds limit"):
        _target(tmp_path)


def test_the_images_of_the_suite_are_those_of_scikit_learn() -> None:
    """What the conformance suites take for the user's own: digits 0, 1 and 4."""
    target = targets.from_config({"name": "images", "path": str(PICTURES), "label": "y"})
    assert target.image == (1, 8, 8)
    assert target.labels == 3
