"""The book as a site: whole, readable by everybody, alone in the world; and what must not be in it."""

import calendar
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from grading.assignments import names, read_source
from grading.release import student_version
from tests.browser import ROOT, open_page, require_browser
from tests.test_setup import needed, pinned
from tools.book import sources
from tools.book.extension import papers

require_browser("chromium")

TELEPHONE = {"width": 390, "height": 844}
MARKED = re.compile(r"### BEGIN [A-Z ]+?\b.*?\n(.*?)### END", re.DOTALL)
"""Solutions, hidden tests and mark schemes in the source of an assignment."""
TELLING = 25
"""A line of so many characters stands nowhere by chance."""


@pytest.fixture(scope="module")
def pages(site) -> dict[str, BeautifulSoup]:
    """All pages by their path."""
    return {
        path.relative_to(site).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
    }


# What is there


def test_every_package_that_is_installed_for_the_book_is_pinned(site):
    assert needed("book") - pinned().keys() == set()


def test_every_notebook_assignment_and_room_has_its_page(pages):
    chapters = [path.relative_to(ROOT).with_suffix(".html") for path in sources.chapters()]
    texts = [
        *(ROOT / "notebooks").glob("[0-9]*.py"),
        *(ROOT / "notebooks/appendix").glob("[0-9]*.py"),
    ]
    assert len(chapters) == len(texts) >= 9
    assert {path.as_posix() for path in chapters} <= pages.keys()
    assert {f"notebooks/assignments/{name}.html" for name in names()} <= pages.keys()
    for room, subject in sources.rooms():
        page = pages[f"reference/{sources.family_of(room)}.html"]
        headings = [heading.get_text().replace("’", "'") for heading in page.select("h1, h2")]
        assert any(heading.startswith(f"{room} · {subject}") for heading in headings), room
    menu = {link.get("href") for link in pages["index.html"].select(".sidebar-tree a")}
    assert {path.as_posix() for path in chapters} <= menu


def test_every_room_is_documented_or_said_not_to_be():
    table = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M)
    shown = {room for room, _ in sources.rooms()}
    assert {room for room in table if room not in shown} == {
        room for room in table if room.startswith(("checks.", "__main__"))
    }
    assert len(shown) > 25


def test_public_names_are_in_the_reference(pages):
    import sbd_utils
    from tools.book.extension import public_names

    anchors = {node["id"] for page in pages.values() for node in page.select("dt[id]")}
    documented = {
        name: path for name, path in public_names().items() if path.startswith("sbd_utils.")
    }
    missing = {name for name, path in documented.items() if path not in anchors}
    assert missing <= {"checks"}
    assert len(documented) > 0.7 * len(sbd_utils.__all__)


def test_numbers_are_those_of_the_notebooks(pages):
    """Every line that a chapter's cells printed stands on its page."""
    for path in sources.chapters():
        text = pages[path.relative_to(ROOT).with_suffix(".html").as_posix()].get_text()
        printed = [
            line.strip()
            for cell in nbformat.read(path, as_version=4).cells
            for output in cell.get("outputs", [])
            if output.output_type == "stream" and output.name == "stdout"
            for line in output.text.splitlines()
        ]
        assert [line for line in printed if line not in text] == []


# What must not be there


@pytest.mark.parametrize("name", names())
def test_solutions_and_hidden_tests_are_not_on_the_page(pages, name):
    source = read_source(name)
    secret = {
        line.strip()
        for cell in source.cells
        for part in [*MARKED.findall(cell.source)]
        for line in part.splitlines()
        if len(line.strip()) >= TELLING
    }
    given = "\n".join(cell.source for cell in student_version(read_source(name)).cells)
    secret = {line for line in secret if line not in given}
    assert len(secret) > 20
    page = pages[f"notebooks/assignments/{name}.html"].get_text()
    assert [line for line in secret if line in page] == []
    assert not re.search(r"(BEGIN|END) (SOLUTION|HIDDEN|MARK)", page)
    assert "NotImplementedError" in page


def test_the_worked_examples_of_marks_are_for_teachers(pages):
    page = pages["notebooks/assignments/README.html"].get_text()
    assert "Hand out, collect, grade" in page
    assert "earns 17 of 18" not in page


def test_no_page_says_what_only_a_kernel_can_show(pages):
    for path, page in pages.items():
        outputs = " ".join(node.get_text() for node in page.select(".cell_output"))
        assert not re.search(r"\b([VH]Box|LatentExplorer|FloatSlider)\(", outputs), path


# Words, formulas, sections


def test_words_lead_to_the_glossary_where_they_first_appear(pages):
    chapter = pages["notebooks/00_start_here.html"]
    linked = [a.get_text().lower() for a in chapter.select("a[href*='glossary.html#term-']")]
    assert {"encoder", "latent", "prior", "posterior", "kl"} <= set(linked)
    assert len(linked) == len(set(linked))
    terms = {
        dt.get_text(strip=True).rstrip("#")
        for dt in pages["docs/glossary.html"].select("dl.glossary dt")
    }
    assert len(terms) >= 30
    anchors = {
        a["href"].partition("#")[2]
        for path, page in pages.items()
        if path.startswith("notebooks/")
        for a in page.select("a[href*='glossary.html#term-']")
    }
    unused = [
        dt for dt in pages["docs/glossary.html"].select("dl.glossary dt") if dt["id"] not in anchors
    ]
    assert [dt.get_text() for dt in unused] == []


def test_names_of_the_library_lead_to_the_reference(pages):
    chapter = pages["notebooks/01_data.html"]
    assert chapter.select("a[href='../reference/sprites.html#sbd_utils.sprites.draw_sprites']")


def test_formulas_are_mathml_in_which_nothing_is_left_over(pages):
    formulas = [math for page in pages.values() for math in page.select("math")]
    assert len(formulas) > 100
    for math in formulas:
        text = math.get_text()
        assert text
        assert not re.search(r"&|\\[a-z]|\$", text), text
    for path in ("notebooks/02_architecture.html", "notebooks/03_training.html"):
        prose = " ".join(p.get_text() for p in pages[path].select("article p"))
        assert "$" not in prose


def test_sections_that_are_named_are_links(pages):
    for page, least in (("docs/from_the_blog_post.html", 30), ("docs/instructors.html", 12)):
        links = pages[page].select("a[href*='notebooks/0'][href*='#']")
        assert len(links) >= least


# Whole, and alone


def test_no_link_is_broken(pages, site):
    ids = {path: {node["id"] for node in page.select("[id]")} for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for node in page.select("[href], [src]"):
            target = urlsplit(urljoin(f"https://site/{path}", node.get("href") or node.get("src")))
            if target.netloc != "site" or target.scheme != "https":
                continue
            file = unquote(target.path).lstrip("/") or "index.html"
            known = ids.get(file)
            if not (site / file).is_file() or (
                known is not None and target.fragment and unquote(target.fragment) not in known
            ):
                broken.append(f"{path}: {node.get('href') or node.get('src')}")
    assert broken == []


def test_nothing_comes_from_another_host(pages, site):
    for path, page in pages.items():
        for node in page.select("[src], link[href], iframe, object, embed"):
            address = node.get("src") or node.get("href") or ""
            assert not re.match(r"(\w+:)?//", address), (path, address)
    for style in site.rglob("*.css"):
        text = style.read_text("utf-8")
        assert not re.search(r"@import|url\(['\"]?(https?:)?//", text), style


def test_the_lock_file_names_versions_and_checksums_and_no_address():
    lock = json.loads((ROOT / "docs/package-lock.json").read_text("utf-8"))
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert all(about["integrity"].startswith("sha512-") for about in packages.values())
    assert not any("resolved" in about for about in packages.values())


def test_licences_of_what_is_brought_along_are_listed_with_their_texts(pages, site):
    rows = {
        row.td.get_text(): row.get_text(" ")
        for row in pages["docs/licences.html"].select("tbody tr")
    }
    assert "1.30.0" in rows["onnxruntime-web"]
    assert "MIT" in rows["onnxruntime-web"]
    assert {"furo", "Sphinx", "Pygments"} <= rows.keys()
    assert all(len(row.split()) >= 3 for row in rows.values())
    texts = {
        name: details.pre.get_text()
        for details in pages["docs/licences.html"].select("article details")
        for name in details.summary.get_text().split(", ")
    }
    assert rows.keys() - texts.keys() == {"guid-typescript"}  # it brings none
    assert "Copyright (c) Microsoft Corporation" in texts["onnxruntime-web"]
    shipped = (site / "_static/explorer/ort/ort.wasm.min.mjs").read_text("utf-8")
    assert "Copyright (c) Microsoft Corporation" in shipped[:200]
    for name, text in texts.items():
        assert re.search("copyright|©", text, re.IGNORECASE), name
        assert "AS IS" in text, name


def test_papers_that_are_cited_are_in_the_references_with_these_links(pages):
    texts = [path.read_text("utf-8") for path in (ROOT / "notebooks").rglob("*.py")]
    cited = set(
        re.findall(
            r"https://(?:arxiv\.org|openreview\.net|distill\.pub)/[^\s)\]>]+", "".join(texts)
        )
    )
    listed = {a["href"] for a in pages["docs/references.html"].select("article a[href^=https]")}
    assert len(cited) >= 10
    assert cited <= listed


NAMED = re.compile(
    r"\b([A-Z][\w-]+(?:, [A-Z][\w-]+)*(?:,? (?:&|and) [A-Z][\w-]+| et al\.)?)(?:['’]s)? \(?(?:19|20)\d\d\b"
)
"""A paper in a text: authors and a year."""


def named_papers(text: str) -> set[str]:
    """The papers named in Python or in Markdown within it."""
    running = re.sub(r"\s*\n[ #]*", " ", text)
    return {found[0] for found in NAMED.finditer(running) if found[1] not in calendar.month_name}


def test_every_paper_that_is_named_is_in_the_references():
    texts = [*(ROOT / "notebooks").rglob("*.py"), *(ROOT / "sbd_utils").rglob("*.py")]
    texts += (ROOT / "docs").glob("*.md")
    named = set().union(*(named_papers(path.read_text("utf-8")) for path in texts))
    assert {"Watters et al. 2019", "Clopper & Pearson 1934", "Efron 1979"} <= named
    assert len(named) > 25
    assert {name for name in named if not papers().search(name)} == set()


def test_papers_that_are_named_lead_to_the_references(pages):
    entries = {
        entry["id"]: entry.get_text() for entry in pages["docs/references.html"].select(".citation")
    }
    found = {}
    for path, page in pages.items():
        for link in page.select("article a[href*='docs/references.html#']"):
            entry = entries[link["href"].partition("#")[2]]
            name = " ".join(link.get_text().split())
            found.setdefault(path, set()).add(name)
            first = re.match(r"[\w-]+", name)[0]
            assert first in entry, (path, name)
            assert re.search(r"\d{4}", name)[0] in entry, (path, name)
    assert "He et al. 2015" in found["notebooks/05_deconv_comparison.html"]
    assert "Eckart and Young 1936" in found["notebooks/appendix/02_decoders.html"]
    assert "Chen et al. (2018)" in found["reference/metrics.html"]
    assert sum(map(len, found.values())) > 25
    # Whatever a notebook has made a link of leads where the notebook says.
    direct = pages["notebooks/00_start_here.html"].select(
        "a[href='https://arxiv.org/abs/1901.07017']"
    )
    assert "Watters et al. 2019" in [" ".join(link.get_text().split()) for link in direct]


# For everybody


def test_every_picture_has_a_text(pages):
    pictures = [(path, img) for path, page in pages.items() for img in page.select("img")]
    assert len(pictures) > 70
    without = [(path, img["src"]) for path, img in pictures if len(img.get("alt", "")) < 20]
    assert without == []


def test_pictures_are_sharp(pages):
    """Those of notebooks have twice the pixels that they are shown with."""
    for path in ("notebooks/01_data.html", "notebooks/05_deconv_comparison.html"):
        assert pages[path].select(".cell_output img")
        assert all(img.get("width") for img in pages[path].select(".cell_output img"))


@pytest.fixture(scope="module")
def reader(chromium, address):
    """A telephone; it fails on any request that is not to the site."""
    page = open_page(chromium, viewport=TELEPHONE, color_scheme="light")
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []
    assert page.errors == []
    page.context.close()


# Blocks of code are colored alike, and so are signatures and formulas: what brings no new kind of token is taken out,
# as the check of thousands of tokens would take minutes. The menu, the same everywhere, is looked at once.
TAKE_OUT = """(isFirst) => {
    const seen = new Set();
    const isNew = (node) => {
        const kinds = [...node.querySelectorAll("*")].map((part) => `${part.tagName} ${part.className}`);
        const news = kinds.filter((kind) => !seen.has(kind));
        for (const kind of news) seen.add(kind);
        return news.length > 0;
    };
    for (const node of document.querySelectorAll(".highlight, math")) if (!isNew(node)) node.remove();
    for (const node of document.querySelectorAll("dt.sig")) if (!isNew(node)) node.textContent = node.textContent;
    if (!isFirst) document.querySelector(".sidebar-tree")?.remove();
    const still = document.createElement("style");
    still.textContent = "* { transition: none !important }";  // or a color is looked at on its way to another
    document.head.append(still);
}"""
# The background, and what axe calls serious or critical.
LOOK = """async (options) => {
    const { violations } = await axe.run({ resultTypes: ["violations"], ...options });
    const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    const found = grave.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
    return [getComputedStyle(document.body).backgroundColor, found];
}"""
COLORS = {"runOnly": ["color-contrast"]}
ALL_BUT_COLORS = {"rules": {"color-contrast": {"enabled": False}}}
# Most of axe's time goes into contrasts, text by text. Texts that agree in their style, and whose ancestors agree in tag,
# class and background, up to the root, by day and by night, have the same: three of each kind stay. Called once in each
# scheme, to tell the kinds.
TELL_KINDS = """() => {
    const numbers = new Map();  // of what is said of a node and of those above it
    const known = new Map();
    const tell = (node) => {
        if (!node) return 0;
        if (!known.has(node)) {
            const style = getComputedStyle(node);
            const said = [tell(node.parentElement), node.tagName, node.getAttribute("class"), style.color, style.fontSize,
                style.fontWeight, style.textShadow, style.backgroundColor, style.backgroundImage, style.opacity, style.filter];
            const text = said.join("|");
            if (!numbers.has(text)) numbers.set(text, numbers.size + 1);
            known.set(node, numbers.get(text));
        }
        return known.get(node);
    };
    window.kinds ??= new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        if (text.data.trim()) kinds.set(text, `${kinds.get(text) ?? ""} ${tell(text.parentElement)}`);
    }
}"""
LEAVE_SOME_OF_EACH = """() => {
    const counts = new Map();
    for (const [text, kind] of kinds) {
        if (!/\\w{2}/.test(text.data) || !text.parentElement.checkVisibility()) continue;  // axe may pass it over
        const count = counts.get(kind) ?? 0;
        if (count === 3) text.data = "";
        else counts.set(kind, count + 1);
    }
    return [kinds.size, counts.size];
}"""


def look(page, is_first: bool) -> list[str]:
    """What axe finds on the page that is open, by day and by night; what is no color is the same in both."""
    page.emulate_media(color_scheme="light")
    page.evaluate(TAKE_OUT, is_first)
    page.evaluate(Axe().axe_script)
    day, found = page.evaluate(LOOK, ALL_BUT_COLORS)
    page.evaluate(TELL_KINDS)
    page.emulate_media(color_scheme="dark")
    page.evaluate(TELL_KINDS)
    texts, kinds = page.evaluate(LEAVE_SOME_OF_EACH)
    assert 0 < kinds <= texts
    night, by_night = page.evaluate(LOOK, COLORS)
    page.emulate_media(color_scheme="light")
    again, by_day = page.evaluate(LOOK, COLORS)
    assert day == again != night
    return found + by_day + by_night


def test_axe_finds_nothing_serious_on_any_page_and_none_is_wider_than_a_telephone(
    reader, address, site
):
    """One visit a page."""
    wrong = {}
    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert len(paths) > 40
    for path in paths:
        reader.goto(address + path)
        width = reader.evaluate("document.documentElement.scrollWidth")
        found = look(reader, path == paths[0])
        if found or width > TELEPHONE["width"]:
            wrong[path] = found, width
    assert wrong == {}


SPOIL = """([selector, day, night]) => {
    const hasWord = (node) => node.checkVisibility() && [...node.childNodes].some(({ data }) => /\\w{4}/.test(data ?? ""));
    const spoilt = [...document.querySelectorAll(selector)].filter(hasWord).at(-1);
    const rule = (color) => `.spoilt { color: ${color} !important }`;
    const style = document.createElement("style");
    style.textContent = `${rule(day)} @media (prefers-color-scheme: dark) { ${rule(night)} }`;
    document.head.append(style);
    spoilt.classList.add("spoilt");
}"""


@pytest.mark.parametrize(("day", "night"), [("#ccc", "#fff"), ("#000", "#333")])
@pytest.mark.parametrize("selector", ["article p", "td p", ".highlight span"])
def test_one_pale_word_is_found_by_day_and_by_night(reader, address, selector, day, night):
    reader.goto(f"{address}notebooks/00_start_here.html")
    reader.evaluate(TAKE_OUT, False)  # as the check does, or the last block of code is gone by then
    reader.evaluate(SPOIL, [selector, day, night])
    assert [text.partition(":")[0] for text in look(reader, False)] == ["color-contrast"]


def test_a_picture_without_a_text_is_found(reader, address):
    reader.goto(address)
    reader.evaluate("document.querySelector('article img').removeAttribute('alt')")
    assert [text.partition(":")[0] for text in look(reader, False)] == ["image-alt"]


def test_the_first_page_is_light(chromium, address):
    page = open_page(chromium, viewport=TELEPHONE)  # nothing is in its cache
    answers = {}
    page.on("response", lambda response: answers.update({response.url: response}))
    page.goto(address, wait_until="networkidle")
    sizes = {url: len(answer.body()) for url, answer in answers.items()}
    page.context.close()
    assert sizes[f"{address}_static/explorer/live.js"] > 1000
    assert sizes[address] > 1000
    assert sum(sizes.values()) < 1e6, sizes


def test_search_finds_a_chapter(reader, address):
    reader.goto(address)
    reader.goto(f"{address}search.html?q=checkerboard")
    hit = reader.locator("ul.search a", has_text="02 · Architecture").first
    hit.click()
    reader.wait_for_url("**/notebooks/02_architecture.html*")


def test_by_day_by_night_and_on_paper(reader, address):
    reader.goto(f"{address}notebooks/00_start_here.html")
    background = "getComputedStyle(document.body).backgroundColor"
    reader.emulate_media(color_scheme="dark")
    night = reader.evaluate(background)
    reader.emulate_media(color_scheme="light")
    assert reader.evaluate(background) == "rgb(255, 255, 255)" != night
    reader.emulate_media(media="print")
    assert not reader.locator(".sidebar-drawer").is_visible()
    assert reader.locator("article h1").is_visible()
    reader.emulate_media(media="screen")


# Links to a repository


def test_a_notebook_can_be_opened_elsewhere_once_there_is_an_address_and_not_before(
    tmp_path, monkeypatch
):
    path = Path("notebooks/01_data.ipynb")
    for repository in (None, "someone/course"):
        notebook = sources.as_page(nbformat.read(ROOT / path, as_version=4), path, repository)
        text = notebook.cells[1].source
        assert ("colab" in text) == ("mybinder.org" in text) == (repository is not None)
        if repository:
            assert "github/someone/course/blob/HEAD/notebooks/01_data.ipynb" in text
            assert "git clone --quiet --depth 1 https://github.com/someone/course course" in text
    project = tmp_path / "pyproject.toml"
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    for line, found in (
        ("", None),
        ('urls.Repository = "https://github.com/someone/course"', "someone/course"),
        ('urls.Repository = "https://example.org/course"', None),
    ):
        project.write_text(f"[project]\n{line}\n", "utf-8")
        assert sources.find_repository() == found


def test_what_colab_is_told_to_run_brings_the_course_along(tmp_path):
    """The lines above a notebook, of a copy of this repository, up to the installation."""
    lines = sources.FETCH.format(repository="someone/course", folder="notebooks").splitlines()
    clone, install, enter = lines
    clone = clone.removeprefix("!").replace("https://github.com/someone/course", f"'file://{ROOT}'")
    subprocess.run(clone, shell=True, cwd=tmp_path, check=True, capture_output=True)
    [wanted] = re.findall(r'"\./course\[([\w,]+)\]"', install)
    project = tomllib.loads((tmp_path / "course/pyproject.toml").read_text("utf-8"))["project"]
    assert set(wanted.split(",")) <= project["optional-dependencies"].keys()
    folder = tmp_path / enter.removeprefix("%cd ")
    assert list(folder.glob("0*.ipynb"))
    found = [sys.executable, "-c", "import course, sbd_utils; print(sbd_utils.__file__)"]
    printed = subprocess.run(found, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert Path(printed.strip()).is_relative_to(tmp_path)
