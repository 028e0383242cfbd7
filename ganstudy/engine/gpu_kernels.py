"""The kernels of fixed tiles, for Triton; imported where there is a GPU, since Triton is there."""

import triton
import triton.language as tl

__all__ = ["product", "total"]


@triton.jit
def product(
    a, b, out, rows, columns, inner, across, down,
    a_pack, a_row, a_inner, b_pack, b_inner, b_column,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, INNER: tl.constexpr,
):  # fmt: skip
    """One tile of one trial's product."""
    place = tl.program_id(0)
    pack = (place // (across * down)).to(tl.int64)
    tile = place % (across * down)
    row = (tile // down) * ROWS + tl.arange(0, ROWS)
    column = (tile % down) * COLUMNS + tl.arange(0, COLUMNS)
    terms = tl.arange(0, INNER)
    result = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    for start in range(0, inner, INNER):
        term = start + terms
        left = tl.load(
            a + pack * a_pack + row[:, None] * a_row + term[None, :] * a_inner,
            mask=(row[:, None] < rows) & (term[None, :] < inner),
            other=0.0,
        )
        right = tl.load(
            b + pack * b_pack + term[:, None] * b_inner + column[None, :] * b_column,
            mask=(term[:, None] < inner) & (column[None, :] < columns),
            other=0.0,
        )
        result = tl.dot(left, right, result, input_precision="ieee")
    tl.store(
        out + (pack * rows + row[:, None]) * columns + column[None, :],
        result,
        mask=(row[:, None] < rows) & (column[None, :] < columns),
    )


@triton.jit(do_not_specialize_on_alignment=["x", "out"])
def total(
    x, out, count, inner, across, COUNT: tl.constexpr, INNER: tl.constexpr
):  # fmt: skip
    """A few columns of the sum over the middle axis of `(outer, count, inner)`."""
    place = tl.program_id(0)
    outer = (place // across).to(tl.int64)
    column = (place % across) * INNER + tl.arange(0, INNER)
    terms = tl.arange(0, COUNT)
    result = tl.zeros((COUNT, INNER), dtype=tl.float32)
    for start in range(0, count, COUNT):
        term = start + terms
        result += tl.load(
            x + (outer * count + term[:, None]) * inner + column[None, :],
            mask=(term[:, None] < count) & (column[None, :] < inner),
            other=0.0,
        )
    tl.store(out + outer * inner + column, tl.sum(result, axis=0), mask=column < inner)
