"""Files are whole or absent; tensors come back exactly as they went, or not at all."""

import errno
import os
import pickle
import threading

import pytest
import safetensors.torch
import torch

from sbd_utils.files import CorruptFileError, load_tensors, save_tensors, sha256, write_atomically

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
    with pytest.raises(OSError, match=f"cannot write {path}: No space left on device") as caught:
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
