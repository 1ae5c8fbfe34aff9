"""Files are whole or absent; tensors come back exactly as they went, or not at all."""

import errno
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import safetensors.torch
import torch

from sbd_utils.files import (
    CorruptFileError,
    beside,
    check_writable,
    load_tensors,
    read_text,
    save_tensors,
    sha256,
    write_atomically,
    write_text,
)

ROOT = Path(__file__).resolve().parents[1]

TENSORS = {
    "weight": torch.linspace(-1, 1, 24).view(2, 3, 4),
    "half": torch.tensor([1.5, -2], dtype=torch.bfloat16),
    "step": torch.tensor(7),
    "empty": torch.zeros(0, 3),
}


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    assert write_atomically(path, b"one") == path
    assert path.read_bytes() == b"one"
    write_atomically(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def fail(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(function, tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, function, fail)
    with pytest.raises(
        OSError, match=f"cannot write {path}: No space left on device; make room"
    ) as caught:
        write_atomically(path, b"new")
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_in_the_middle_leaves_the_old_file(tmp_path, monkeypatch):
    """What is not an OSError passes through, as a kill would; the name still holds the old content."""
    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_in_the_way_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match=f"cannot write {tmp_path / 'file'}"):
        write_atomically(tmp_path / "file", b"x")
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(OSError, match="cannot write"):
        write_atomically(tmp_path / "plain" / "file", b"x")


def test_a_reader_never_sees_a_part(tmp_path):
    path, size, seen = tmp_path / "file", 1_000_000, []
    write_atomically(path, b"0" * size)
    done = threading.Event()

    def read():
        while not done.is_set():
            content = path.read_bytes()
            seen.append((len(content), len(set(content))))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(30):
        write_atomically(path, str(i % 10).encode() * size)
    done.set()
    reader.join()
    assert set(seen) == {(size, 1)}


def test_tensors_go_round(tmp_path):
    tensors = {
        **TENSORS,
        "turned": torch.rand(4, 5).T,
        "laid out": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last),
    }
    words = {
        "note": "ä ≠ a",
        **{str(i): "" for i in range(9)},
    }  # so many that no two shuffles are alike
    path = save_tensors(tmp_path / "a.safetensors", tensors, words)
    loaded, metadata = load_tensors(path)
    assert metadata == words
    assert sorted(loaded) == sorted(tensors)
    for name, value in tensors.items():
        assert loaded[name].dtype == value.dtype
        assert torch.equal(loaded[name], value)
    other = save_tensors(tmp_path / "b.safetensors", tensors, dict(reversed(words.items())))
    assert path.read_bytes() == other.read_bytes()
    assert sha256(path) == sha256(other)


def test_every_damage_is_noticed(tmp_path):
    """Cut anywhere or with one bit turned anywhere, the file does not load."""
    content = save_tensors(tmp_path / "good.safetensors", TENSORS, {"note": "x"}).read_bytes()
    damaged = [content[:n] for n in range(0, len(content), 7)] + [content + b"\0"]
    for i in range(0, len(content), 5):
        damaged.append(content[:i] + bytes([content[i] ^ 0x10]) + content[i + 1 :])
    path = tmp_path / "bad.safetensors"
    for bad in damaged:
        path.write_bytes(bad)
        with pytest.raises(CorruptFileError, match=str(path)):
            load_tensors(path)
    path.write_bytes(content)
    load_tensors(path)


def test_changed_words_and_renamed_tensors_are_noticed(tmp_path):
    path = save_tensors(tmp_path / "a.safetensors", TENSORS, {"step": "100"})
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    renamed = {"bias" if name == "weight" else name: value for name, value in tensors.items()}
    reshaped = {**tensors, "weight": tensors["weight"].view(3, 2, 4)}
    for changed in [
        (tensors, {**metadata, "step": "900"}),
        (renamed, metadata),
        (reshaped, metadata),
        (tensors, None),
    ]:
        safetensors.torch.save_file(changed[0], path, changed[1])
        with pytest.raises(CorruptFileError, match="does not match its own digest"):
            load_tensors(path)
    safetensors.torch.save_file(tensors, path, metadata)
    load_tensors(path)


class Exploit:
    def __reduce__(self):
        return os.mkdir, ("exploited",)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "pickle": pickle.dumps(Exploit()),
        "text": b"hello",
        "nothing": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorruptFileError, match="is not a readable safetensors file"):
            load_tensors(name)
    assert not (tmp_path / "exploited").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*gone\.safetensors"):
        load_tensors(tmp_path / "gone.safetensors")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_tensors(tmp_path)  # a folder


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-4, the example of one block
    assert (
        sha256(tmp_path / "abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


WRITER = """
import sys
from sbd_utils.files import write_atomically
for i in range(60):
    write_atomically(sys.argv[1], sys.argv[2].encode() * 100_000)
"""


def test_two_processes_write_one_file_without_disturbing_each_other(tmp_path):
    path = tmp_path / "file"
    line = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*line, letter], cwd=ROOT) for letter in "ab"]
    assert [writer.wait(600) for writer in writers] == [0, 0]
    assert path.read_bytes() in (b"a" * 100_000, b"b" * 100_000)
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_lets_one_process_change_a_file_at_a_time(tmp_path):
    path = tmp_path / "count"
    write_text(path, "0")
    code = (
        "import sys\nfrom sbd_utils.files import locked, read_text, write_text\n"
        "for _ in range(40):\n    with locked(sys.argv[1]):\n"
        "        write_text(sys.argv[1], str(int(read_text(sys.argv[1])) + 1))"
    )
    line = [sys.executable, "-c", code, str(path)]
    counters = [subprocess.Popen(line, cwd=ROOT) for _ in range(2)]
    assert [counter.wait(600) for counter in counters] == [0, 0]
    assert read_text(path) == "80"


def test_loaded_tensors_do_not_change_with_the_file(tmp_path):
    path = save_tensors(tmp_path / "a.safetensors", TENSORS, {})
    loaded, _ = load_tensors(path)
    with open(path, "r+b") as file:  # in place, as no atomic writer does
        file.seek(0)
        file.write(b"\xff" * path.stat().st_size)
    assert all(torch.equal(loaded[name], value) for name, value in TENSORS.items())


def test_a_name_that_is_too_long_is_told_so(tmp_path):
    with pytest.raises(OSError, match="File name too long; choose a shorter name"):
        write_atomically(tmp_path / ("n" * 300), b"x")


def test_text_is_utf_8_in_any_locale(tmp_path):
    path = tmp_path / "Zoë 日本.txt"
    code = (
        "import sys\nfrom sbd_utils.files import read_text, write_text\n"
        "write_text(sys.argv[1], '\\u00eb \\u2260 \\u65e5\\u672c\\n')\nassert read_text(sys.argv[1])"
    )
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    line = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning"]
    subprocess.run([*line, "-c", code, str(path)], cwd=ROOT, env=environment, check=True)
    assert path.read_bytes().decode("utf-8") == "ë ≠ 日本\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.safetensors", "a.json"),
        ("run.v1", "run.v1.json"),
        ("run.v2.safetensors", "run.v2.json"),
        ("a.json", "a.json.json"),
    ],
)
def test_what_stands_beside_a_file_has_its_whole_name(name, expected):
    assert beside(Path("folder") / name, ".json") == Path("folder") / expected


def test_whether_a_path_can_be_written_is_known_before(tmp_path):
    check_writable(tmp_path / "new" / "file")
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(OSError, match=f"cannot write {tmp_path}: it is a folder"):
        check_writable(tmp_path)
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(OSError, match="cannot write"):
        check_writable(tmp_path / "plain" / "file")
