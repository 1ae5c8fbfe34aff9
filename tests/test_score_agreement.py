"""The table of our scores beside disent's: where the definitions are the same, the numbers are."""

import csv

import pytest

from tools.score_agreement import TABLE, arrays

SAME = ("mig", "sap", "sap, continuous")
"""To 1e-6; SAP of latents of variance 1, as ours takes them."""
OTHER = {
    "sap, codes not standardized": 0.01,
    "disentanglement": 0.06,
    "completeness": 0.06,
    "informativeness": 0.02,
    "factor_vae": 0.03,
}
"""What another scale, trees over quantiles for each class, and other votes were seen to change."""


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_score_of_every_code_is_there():
    scores = {*SAME, *OTHER}
    assert {(row["code"], row["score"]) for row in rows()} == {
        (c, s) for c in arrays() for s in scores
    }


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['code']}-{row['score']}")
def test_ours_and_theirs(row):
    difference = float(row["ours"]) - float(row["disent"])
    assert float(row["difference"]) == pytest.approx(difference, abs=2e-7)
    assert abs(difference) <= OTHER.get(row["score"], 1e-6)


def test_the_codes_are_told_apart():
    """Were all scores 1, agreement would say little."""
    mig = {row["code"]: float(row["ours"]) for row in rows() if row["score"] == "mig"}
    assert mig["ideal"] > 0.99 > 0.5 > mig["turned"] > mig["mixed"]
