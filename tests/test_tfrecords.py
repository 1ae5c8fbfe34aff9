"""Records of TensorFlow: checksums by their published values, damage told, examples as a writer of our own writes them."""

import gzip
import struct

import numpy as np
import pytest

from sbd_utils.files import CorruptFileError
from sbd_utils.tfrecords import MAX_RECORD, crc32c, parse_example, read_records


def bitwise(content):
    """CRC-32C one bit after another, as the polynomial says."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("content", "checksum"),
    [
        (b"", 0),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_checksums_are_those_of_rfc_3720(content, checksum):
    assert crc32c(content) == checksum == bitwise(content)


@pytest.mark.parametrize("length", [1, 3, 4, 63, 64, 65, 127, 128, 200, 1000])
def test_checksums_of_any_length(length):
    content = np.random.default_rng(length).bytes(length)
    assert crc32c(content) == bitwise(content)


# A writer, as the format says


def checksum(content):
    turned = bitwise(content)
    turned = (turned >> 15 | turned << 17) & 0xFFFFFFFF
    return struct.pack("<I", (turned + 0xA282EAD8) & 0xFFFFFFFF)


def framed(content):
    length = struct.pack("<Q", len(content))
    return length + checksum(length) + content + checksum(content)


def write(path, contents):
    path.write_bytes(gzip.compress(b"".join(map(framed, contents)), mtime=0))
    return path


def varint(number):
    groups = []
    while True:
        number, low = divmod(number, 128)
        groups.append(low | (128 if number else 0))
        if not number:
            return bytes(groups)


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(value, packed=True):
    if isinstance(value, bytes):
        return field(1, field(1, value))
    numbers = [struct.pack("<f", number) for number in value]
    if packed:
        return field(2, field(1, b"".join(numbers)))
    return field(2, b"".join(varint(1 << 3 | 5) + number for number in numbers))


def example(values, packed=True):
    """What TensorFlow's `tf.train.Example(...).SerializeToString()` may give."""
    entries = [
        field(1, field(1, name.encode()) + field(2, feature(value, packed)))
        for name, value in values.items()
    ]
    return field(1, b"".join(entries))


CONTENTS = [b"first", b"", b"\x00" * 300, bytes(range(256))]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("records") / "four.tfrecords", CONTENTS)


def test_records_come_as_they_were_written(path):
    assert list(read_records(path)) == CONTENTS
    assert list(read_records(str(path))) == CONTENTS


def test_a_known_file_of_one_record(tmp_path):
    """Byte by byte: the length 3, its checksum, the content, its checksum."""
    known = bytes.fromhex("0300000000000000") + checksum(bytes.fromhex("0300000000000000"))
    known += b"abc" + checksum(b"abc")
    assert crc32c(b"abc") == 0x364B3FB7
    (tmp_path / "one").write_bytes(gzip.compress(known))
    assert list(read_records(tmp_path / "one")) == [b"abc"]


def test_a_file_without_records_has_none(tmp_path):
    assert list(read_records(write(tmp_path / "none", []))) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*away"):
        next(read_records(tmp_path / "away"))


@pytest.mark.parametrize("at", [0, 8, 12, 14])
def test_a_changed_byte_is_noticed(tmp_path, at):
    """In the length, its checksum, the content: of the second record; the first still comes."""
    raw = bytearray(b"".join(map(framed, [b"good", b"changed"])))
    raw[len(framed(b"good")) + at] ^= 1
    (tmp_path / "changed").write_bytes(gzip.compress(bytes(raw)))
    records = read_records(tmp_path / "changed")
    assert next(records) == b"good"
    with pytest.raises(CorruptFileError, match=r"record 1 cannot be read .*checksum"):
        next(records)


@pytest.mark.parametrize("kept", range(len(framed(b"cut off"))))
def test_a_file_that_was_cut_before_it_was_compressed_is_noticed(tmp_path, kept):
    (tmp_path / "cut").write_bytes(gzip.compress(framed(b"good") + framed(b"cut off")[:kept]))
    records = read_records(tmp_path / "cut")
    assert next(records) == b"good"
    if kept == 0:
        assert list(records) == []
        return
    with pytest.raises(CorruptFileError, match=r"record 1 cannot be read .*ends"):
        next(records)


def test_a_file_that_was_cut_after_it_was_compressed_is_noticed(tmp_path, path):
    content = path.read_bytes()
    for kept in range(1, len(content), 5):
        (tmp_path / "cut").write_bytes(content[:kept])
        with pytest.raises(CorruptFileError, match="cannot be read"):
            list(read_records(tmp_path / "cut"))


def test_other_files_are_refused(tmp_path):
    for content in (b"".join(map(framed, CONTENTS)), b"PK\x03\x04", b"\x1f\x8bgarbage"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(CorruptFileError, match="no whole TFRecord file in GZIP"):
            list(read_records(tmp_path / "other"))


def test_a_length_that_asks_for_too_much_memory_is_refused(tmp_path):
    length = struct.pack("<Q", MAX_RECORD + 1)
    (tmp_path / "long").write_bytes(gzip.compress(length + checksum(length) + b"x"))
    with pytest.raises(CorruptFileError, match=f"it has {MAX_RECORD + 1} bytes; at most"):
        next(read_records(tmp_path / "long"))


# Examples


@pytest.mark.parametrize("packed", [True, False])
def test_values_come_as_they_were_written(packed):
    values = {"image": bytes(range(200)), "x": [0.5, -1.25, 3e8], "größe": [], "empty": b""}
    found = parse_example(example(values, packed))
    assert list(found) == list(values)
    assert found["image"] == values["image"]
    assert found["empty"] == b""
    np.testing.assert_array_equal(found["x"], np.float32(values["x"]))
    assert len(found["größe"]) == 0


def test_fields_that_are_not_asked_for_are_passed_over():
    unknown = varint(9 << 3 | 0) + varint(2**40) + varint(10 << 3 | 1) + bytes(8)
    found = parse_example(unknown + example({"x": [1.0]}) + field(12, b"abc"))
    assert {name: value.tolist() for name, value in found.items()} == {"x": [1.0]}


def test_an_example_that_ends_early_is_refused():
    whole = example({"image": b"abcdef", "x": [1.0, 2.0]})
    for kept in range(1, len(whole)):
        with pytest.raises(CorruptFileError, match="an Example"):
            parse_example(whole[:kept])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (field(1, field(1, field(1, b"n") + field(2, field(3, field(1, b"\x05"))))), "feature 'n'"),
        (field(1, field(1, field(1, b"n"))), "no name or no value"),
        (
            field(1, field(1, field(1, b"n") + field(2, field(1, field(1, b"a") * 2)))),
            "feature 'n'",
        ),
        (field(1, field(1, field(1, b"n") + field(2, field(2, field(1, b"abc"))))), "feature 'n'"),
        (b"\x0b", "unknown way"),
        (b"\xff" * 11, "more than 64 bits"),
    ],
)
def test_other_examples_are_refused(content, told):
    with pytest.raises(CorruptFileError, match=told):
        parse_example(content)
