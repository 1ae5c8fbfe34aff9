"""What points a reader somewhere: notebook 00's tables, the page for instructors, the reading list."""

import re

import pytest

import sbd_utils
from grading.exports import SYSTEMS
from tests.test_habits import check_command
from tests.test_notebooks import FOLDER, prose

ROOT = FOLDER.parent
INSTRUCTORS = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
START = prose("00_start_here")
POST = START.partition("### From the blog post to the course")[2]
SECTION = re.compile(r"\b(0\d) · ([^|;\n]+)")


def headings(number: str) -> list[str]:
    """The headings of a notebook without their own numbers."""
    (text,) = FOLDER.glob(f"{number}_*.py")
    found = re.findall(r"^# #{2,3} (.+?)\s*$", text.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"^\d+\. ", "", heading) for heading in found]


def sections(text: str) -> list[tuple[str, str]]:
    """Number of the notebook and heading of every section that a table names."""
    named = [(number, title.strip()) for number, title in SECTION.findall(text)]
    return [(number, title.partition(", the Predict")[0].rstrip("*")) for number, title in named]


@pytest.mark.parametrize(("text", "least"), [(POST, 35), (INSTRUCTORS, 15)], ids=["post", "plans"])
def test_every_section_that_is_named_is_there(text, least):
    named = sections(text)
    assert len(named) >= least
    missing = [f"{number} · {title}" for number, title in named if title not in headings(number)]
    assert not missing


def test_the_table_has_every_heading_and_every_function_of_the_post():
    """As they stand in dfdazac/monet: notebooks/01-sbd.ipynb, utils.py, data/data.py, models.py."""
    for heading in (
        "**The Spatial Broadcast Decoder**",
        "**Testing the SBD**",
        "**Measuring variance in the latent space**",
    ):
        assert heading in POST
    functions = "get_avg_variance get_smallest_pair encode_coordinates generate_spaced_coordinates"
    functions += " plot_examples make_data_iterator add_observers Sprite draw_sprites"
    functions += " generate_random_img generate_dataset generate_circles generate_sprites_single"
    functions += " generate_sprites_multi show_samples VAE encoder decoder deconv_decoder sample"
    functions += " sb_decoder loss"
    missing = [name for name in functions.split() if not re.search(rf"`[^`]*\b{name}\b", POST)]
    assert not missing


def test_what_the_table_offers_instead_is_public():
    """Column 2 of the table of functions: each name that is called is one of the library's."""
    rows = [line.split("|")[2] for line in POST.splitlines() if "<br>" in line]
    called = {name for row in rows for name in re.findall(r"`(\w+)\(", row)}
    assert len(called) >= 12
    assert called - {"model"} <= set(sbd_utils.__all__)


def test_the_words_are_explained_where_the_course_begins():
    for word in (
        "encoder",
        "decoder",
        "latent",
        "code",
        "prior",
        "posterior",
        "KL",
        "factor of variation",
    ):
        assert f"| **{word}** |" in START


def test_what_is_cited_has_a_link():
    cited = re.findall(r"\[([A-Z][^\]]*? 20\d\d)\]\((https://[^)]+)\)", START)
    links = dict(cited)
    assert {url for _, url in cited} == set(links.values())  # one address for a paper
    assert {
        "Higgins et al. 2017",
        "Burgess et al. 2018",
        "Kingma & Welling 2014",
        "Watters et al. 2019",
    } <= set(links)
    known = r"https://(arxiv\.org/abs/\d{4}\.\d{5}|arxiv\.org/abs/\d{4}\.\d{4}|openreview\.net/forum\?id=\w+|distill\.pub/\S+)"
    assert all(re.fullmatch(known, url) for url in links.values())


@pytest.mark.parametrize("page", ["README.md", "docs/instructors.md"])
def test_every_link_to_a_file_leads_somewhere(page):
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if not target.startswith("https://")]
    assert len(local) >= 7
    assert not [target for target in local if not (path.parent / target).exists()]


def test_the_commands_of_the_week_are_there():
    """Each line of the block is a verb of make, with options that the grader has."""
    lines = re.findall(r"^    (make .*?)(?:  +#.*)?$", INSTRUCTORS, re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        check_command(re.sub(r' \w+="[^"]*"', "", line))  # without ARGS="…"
    told = " ".join(lines) + INSTRUCTORS
    for system in SYSTEMS:
        assert f"--for {system}" in told
    for file in ("hand_marks.csv", "marks.csv", "feedback/"):
        assert f"graded/{file}" in INSTRUCTORS
