"""Assignment 4: the record of an experiment."""

import pytest

from sbd_utils import checks


def record(**changes) -> list[dict]:
    """Two decoders over three seeds; `changes` replace values in the last row."""
    table = [
        dict(decoder=decoder, seed=seed, affine_r2=0.9)
        for decoder in ("sbd", "deconv")
        for seed in (0, 1, 2)
    ]
    table[-1] |= changes
    return table


def test_a_complete_record_passes(capsys):
    checks.rows(record())
    assert capsys.readouterr().out.startswith("rows: the check found nothing wrong")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ([], "no runs are recorded in rows"),
        (None, "no runs are recorded in rows"),
        (record()[:-1], r"the two decoders have other seeds: \[0, 1, 2\] and \[0, 1\]"),
        (record(seed=7), r"have other seeds: \[0, 1, 2\] and \[0, 1, 7\]"),
        (record(decoder="third"), r"runs of \['deconv', 'sbd', 'third'\] are recorded; two"),
        (record()[:3], r"runs of \['sbd'\] are recorded"),
        ([row for row in record() if row["seed"] < 2], "2 seeds are recorded; 3 are the least"),
        ([dict(decoder="sbd", seed=0)], "records no result"),
        ([dict(decoder="sbd")], "lacks 'decoder' or 'seed'"),
        ([["sbd", 0, 0.9]], "lacks 'decoder' or 'seed'"),
    ],
)
def test_an_incomplete_record_is_told_what_is_missing(table, sentence):
    with pytest.raises(checks.NotYet, match=sentence):
        checks.rows(table)
