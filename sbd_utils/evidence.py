"""Tables of results: a typed row for each training run, and its encoded grid beside them."""

import csv
import dataclasses
import io
import os
import platform
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from sbd_utils.files import load_tensors, locked, read_text, save_tensors, write_text
from sbd_utils.pretrained import FOLDER

EVIDENCE = FOLDER / "evidence"


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One training run: what was trained, its scores, its times, and what it ran on.

    A field that may be None has been added since the first tables were written, or tells of
    something that may not have happened.
    """

    dataset: str
    recipe: str
    decoder: str
    """A key of VARIANTS."""
    seed: int
    channels: int
    updates: int
    recovered: bool
    """See `Scores.recovered`."""
    informative_latents: int
    variance_1: float
    """Average posterior variance of the latent that has the least; the next three follow."""
    variance_2: float
    variance_3: float | None = None
    variance_4: float | None = None
    affine_r2: float
    similarity_r2: float
    angle_mod_90: float
    """Degrees."""
    reflected: bool
    squared_error: float
    """Summed over the pixels of an image."""
    kl_nats: float
    linear_r2: float | None = None
    """Of (x, y) by least squares from all latents; held out, see `held_out_r2`."""
    neighbor_r2: float | None = None
    """Of (x, y) by the five nearest codes; held out, see `neighbor_r2`."""
    factor_r2: str | None = None
    """Of each factor that varies, by all latents: words such as `hue=0.913`; see `r2_of`."""
    pair_share: float | None = None
    """See `Scores.pair_share`."""
    training_seconds: float
    """By the clock on the wall, whatever else the machine was doing."""
    processor_seconds: float | None = None
    """Of all threads of the run together, spent on updates."""
    seconds_to_affine_095: float | None = None
    """By the clock on the wall, until a scoring first met the goal, as the next five."""
    seconds_to_two_latents: float | None = None
    seconds_to_affine_099: float | None = None
    seconds_to_similarity_099: float | None = None
    seconds_to_squared_error: float | None = None
    seconds_to_recovered: float | None = None
    updates_to_recovered: int | None = None
    threads: int
    precision: str
    processor: str
    software: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What tells one row of a table from another."""
        return self.dataset, self.recipe, self.decoder, self.seed

    @property
    def name(self) -> str:
        """The key as one word: dataset-recipe-decoder-seed."""
        return row_name(dataclasses.asdict(self))


@dataclass(frozen=True, kw_only=True)
class CurveRow:
    """One scoring of a run while it trained; the columns are those of `RunRow`."""

    dataset: str
    recipe: str
    decoder: str
    seed: int
    updates: int
    """Made before this scoring."""
    processor_seconds: float
    """Spent on them, of all threads together."""
    informative_latents: int
    affine_r2: float
    similarity_r2: float
    angle_mod_90: float
    squared_error: float
    kl_nats: float
    linear_r2: float | None
    neighbor_r2: float | None
    factor_r2: str | None = None
    pair_share: float | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The key of the run."""
        return self.dataset, self.recipe, self.decoder, self.seed


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """The scores of one trained network's code; see `score_code` for what they are.

    Of each score: the value, that of an ideal code of the same samples (`_ceiling`), and that of
    the ideal code turned by 45 degrees (`_turned`).
    """

    dataset: str
    recipe: str
    decoder: str
    seed: int
    precision: str
    """In which the network was trained."""
    weights: str
    """The numbers that were scored: 'fp32', or 'fp16' where half of their digits are kept."""
    channels: int
    samples: int
    informative_latents: int
    affine_r2: float
    """Of the pair of least variance, as the next two."""
    similarity_r2: float
    direction: float
    """In which a latent of the pair grows, degrees modulo 90; see `latent_direction`."""
    linear_r2: float
    """Of the factors by least squares from all latents; held out, see `held_out_r2`."""
    mig: float
    mig_ceiling: float
    mig_turned: float
    mig_upright: float
    """Of all latents, once the pair is turned by its direction, so as to lie along the axes."""
    sap: float
    sap_ceiling: float
    sap_turned: float
    disentanglement: float
    disentanglement_ceiling: float
    disentanglement_turned: float
    completeness: float
    completeness_ceiling: float
    completeness_turned: float
    informativeness: float
    informativeness_ceiling: float
    informativeness_turned: float
    factor_vae: float
    factor_vae_ceiling: float
    factor_vae_turned: float
    processor_seconds: float
    """Of all threads together: images drawn and encoded, and all scores."""
    processor: str
    """On which the scores were computed."""
    software: str

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What tells one row of a table from another."""
        return self.dataset, self.recipe, self.decoder, self.seed, self.precision


@dataclass(frozen=True, kw_only=True)
class SceneRow:
    """One scoring of a model of scenes, or of a control; see `SegmentationScores`.

    Of each score: the mean over the scenes, and that of the true masks and images averaged over
    blocks of `pool` pixels (`_ceiling`), which nothing of that resolution can pass by much.
    """

    dataset: str
    """A key of SCENES."""
    recipe: str
    """A key of SCENE_RECIPES, or 'control-' and what was not learned."""
    seed: int
    updates: int
    """Made before this scoring."""
    pool: int
    """Width in pixels of the blocks that were asked for."""
    slots: int
    scenes: int
    """That were scored; training uses none of them."""
    foreground_ari: float
    foreground_ari_ceiling: float
    ari: float
    ari_ceiling: float
    matched_iou: float
    matched_iou_ceiling: float
    held: float
    held_ceiling: float
    surplus_slots: float
    surplus_slots_ceiling: float
    squared_error: float
    """Mean over pixels and channels."""
    squared_error_ceiling: float
    """Which is the lowest here."""
    pair_r2: float | None = None
    """See `SceneScores`."""
    factor_r2: str | None = None
    """Of each factor of an object, by all latents of its slot; see `r2_of`."""
    processor_seconds: float | None = None
    """Of all threads together, spent on the updates."""
    threads: int
    precision: str
    processor: str
    software: str

    @property
    def run(self) -> tuple[str, str, int]:
        """What tells one run from another."""
        return self.dataset, self.recipe, self.seed

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What tells one row from another."""
        return *self.run, self.updates


@dataclass(frozen=True, kw_only=True)
class AskedRow:
    """What a committed model of scenes makes of a question; see `SegmentationScores`."""

    weights: str
    """Their name, see `load_pretrained`."""
    dataset: str
    """A key of SCENES."""
    slots: int
    """That were asked for."""
    steps: int
    """Of inference: refinements or iterations; 0 of a model that takes none."""
    pool: int
    """Width in pixels of the blocks that were asked for."""
    scenes: int
    """That were scored."""
    foreground_ari: float
    ari: float
    matched_iou: float
    held: float
    surplus_slots: float
    squared_error: float
    """Mean over pixels and channels."""
    processor: str
    software: str


KEY = ("dataset", "recipe", "decoder", "seed")


def r2_of(row: RunRow | CurveRow | SceneRow) -> dict[str, float]:
    """R² of each factor, by its name; see `Scores.factor_r2`. None for older rows."""
    pairs = (word.partition("=") for word in (row.factor_r2 or "").split())
    return {name: float(number) for name, _, number in pairs}


def words_of(r2: Mapping[str, float] | None) -> str | None:
    """R² by the factors' names as one cell of a table, which `r2_of` reads."""
    if r2 is None:
        return None
    return " ".join(f"{name}={number:.4f}" for name, number in r2.items())


def row_name(key: dict[str, Any]) -> str:
    """The key of a run as one word: dataset-recipe-decoder-seed."""
    return "-".join(str(key[name]) for name in KEY)


def read_evidence(
    name: str, folder: str | Path = EVIDENCE
) -> tuple[list[RunRow], dict[str, np.ndarray]]:
    """A table of the course, and its encoded evaluation grids.

    Args:
        name: Such as 'seeds_circles'.
        folder: Where the table is.

    Returns:
        The rows, and the grids [310, 2] by the rows' names.

    Raises:
        FileNotFoundError: There is no such table.
    """
    path = Path(folder) / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; the tables come with a clone of the course")
    grids, _ = load_tensors(grids_path(path))
    return read_rows(path), {key: grid.double().numpy() for key, grid in grids.items()}


def read_curves(name: str, folder: str | Path = EVIDENCE) -> list[CurveRow]:
    """Every scoring of the runs of a table while they trained, run by run; none if none is kept."""
    return read_rows(curves_path(Path(folder) / f"{name}.csv"), CurveRow)


def read_rows(path: str | Path, kind: type[Any] = RunRow) -> list[Any]:
    """The rows of a table as dataclasses of that kind; none if there is no file.

    A column that the file lacks takes its default.

    Raises:
        ValueError: A column is unknown or comes twice, one without a default is missing, a line has
            more or fewer cells than there are columns, or a value is not of its column's type.
    """
    path = Path(path)
    if not path.exists():
        return []
    reader = csv.DictReader(io.StringIO(read_text(path)))
    columns = list(reader.fieldnames or [])
    _check_columns(path, columns, kind)
    hints = typing.get_type_hints(kind)
    rows = []
    for number, texts in enumerate(reader, 2):
        if None in texts or None in texts.values():  # what csv makes of more, or fewer, cells
            raise ValueError(f"{path}, line {number}: it must have {len(columns)} cells")
        values = {}
        for name in columns:
            try:
                values[name] = _parse(texts[name], hints[name])
            except ValueError:
                where = f"{path}, line {number}: {name}"
                raise ValueError(f"{where} is {texts[name]!r}; it must be {hints[name]}") from None
        rows.append(kind(**values))
    return rows


def _check_columns(path: Path, columns: list[str], kind: type[Any]) -> None:
    """Raise ValueError unless these are columns of that kind, each once, and none is missing."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    needed = [name for name, f in fields.items() if f.default is dataclasses.MISSING]
    problems = {
        "the unknown column": [name for name in columns if name not in fields],
        "no column": [name for name in needed if name not in columns],
        "twice the column": sorted({name for name in columns if columns.count(name) > 1}),
    }
    for label, names in problems.items():
        if names:
            raise ValueError(f"{path} has {label} {', '.join(names)}; it is not of this version")


def write_rows(path: str | Path, rows: Iterable[Any]) -> Path:
    """Write dataclasses of one kind as a table, atomically; None is an empty cell.

    Raises:
        ValueError: There is no row.
        OSError: The file cannot be written.
    """
    dicts = [dataclasses.asdict(row) for row in rows]
    if not dicts:
        raise ValueError("rows is empty; a table needs at least one")
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(dicts[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(dicts)
    return write_text(path, text.getvalue())


def add_row(path: str | Path, row: RunRow, grid: ArrayLike, curve: Sequence[CurveRow] = ()) -> None:
    """Put a row into a table, in the order of its key, its grid and curve into files beside it.

    A row of the same key is replaced. Each file is replaced whole, the table last: a row never
    lacks its grid. Several processes may add to one table.

    Args:
        path: The table.
        row: The row.
        grid: The encoded evaluation grid [N, 2].
        curve: The scorings of the run while it trained.

    Raises:
        ValueError: The table is not of this kind; nothing is written.
        OSError: A file cannot be written.
    """
    grids = grids_path(path)
    with locked(path):
        rows = {old.key: old for old in read_rows(path)} | {row.key: row}
        tensors = load_tensors(grids)[0] if grids.exists() else {}
        tensors[row.name] = torch.as_tensor(np.asarray(grid), dtype=torch.float32)
        content = "encoded evaluation grids [310, 2], by dataset-recipe-decoder-seed"
        save_tensors(grids, tensors, {"content": content})
        if curve:
            _add_curve(curves_path(path), row.key, curve)
        write_rows(path, [rows[key] for key in sorted(rows)])


def _add_curve(path: Path, key: tuple[str, str, str, int], curve: Sequence[CurveRow]) -> None:
    """Put the scorings of a run into a file of them, in place of those it had."""
    others = [point for point in read_rows(path, CurveRow) if point.key != key]
    points = [*others, *curve]
    write_rows(path, sorted(points, key=lambda point: (point.key, point.updates)))


def grids_path(table: str | Path) -> Path:
    """Where the encoded grids of a table are: beside it, `NAME_grids.safetensors`."""
    table = Path(table)
    return table.with_name(f"{table.name.removesuffix('.csv')}_grids.safetensors")


def curves_path(table: str | Path) -> Path:
    """Where the scorings during training of a table's runs are: beside it, `NAME_curves.csv`."""
    table = Path(table)
    return table.with_name(f"{table.name.removesuffix('.csv')}_curves.csv")


def weights_path(table: str | Path) -> Path:
    """Where weights of a table's runs are kept, if they are: beside it."""
    table = Path(table)
    return table.with_name(f"{table.name.removesuffix('.csv')}_weights.safetensors")


def machine_kind() -> str:
    """The machine in words: processor and software."""
    return f"{processor_kind()}; {software_kind()}"


def processor_kind() -> str:
    """Cores, architecture, bfloat16 instructions and GPU, if any."""
    capable = torch.cpu.get_capabilities()
    bf16 = ", AVX-512 bf16" if capable.get("avx512_bf16") else ""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{os.cpu_count()} cores {platform.machine()}{bf16}{gpu}"


def software_kind() -> str:
    """Versions of Python and torch."""
    return f"Python {platform.python_version()}, torch {torch.__version__}"


def _parse(text: str, hint: Any) -> Any:
    """A cell as its column's type; raises ValueError for another."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if text == "" and type(None) in options:
        return None
    wanted = next(option for option in options if option is not type(None))
    if wanted is not bool:
        return wanted(text)
    if text not in ("True", "False"):
        raise ValueError(text)
    return text == "True"
