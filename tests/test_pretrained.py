"""Weights load as they were published, or not at all."""

import json

import pytest
import torch

from sbd_utils import VAE, available_pretrained, load_pretrained, load_weights, save_weights
from sbd_utils.files import CorruptFileError, load_tensors, save_tensors, sha256
from sbd_utils.pretrained import publish

NAME = "tiny"


@pytest.fixture
def folder(tmp_path):
    """A folder of pretrained models that holds one small network."""
    torch.manual_seed(0)
    run = save_weights(VAE(im_size=32, channels=4, z_dim=3), tmp_path / "run" / "w.safetensors")
    run.with_suffix(".json").write_text(
        json.dumps({"command": "train it", "scores": {"seed": 0, "kl": None}})
    )
    publish(run, NAME, tmp_path / "pretrained", "A network for this test.")
    return tmp_path / "pretrained"


def enter_checksum(folder):
    """Let the manifest agree with whatever the file holds now, so that the inner checks are reached."""
    manifest = {NAME: {"sha256": sha256(folder / f"{NAME}.safetensors")}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_published_weights_load_unchanged(folder):
    torch.manual_seed(0)
    original = VAE(im_size=32, channels=4, z_dim=3).state_dict()
    model = load_pretrained(NAME, folder)
    assert available_pretrained(folder) == [NAME]
    assert not model.training
    assert all(torch.equal(value, original[name]) for name, value in model.state_dict().items())


def test_the_card_states_note_command_and_scores(folder):
    card = (folder / f"{NAME}.md").read_text()
    assert "A network for this test." in card
    assert "train it" in card
    assert "| seed | 0 |" in card
    assert "| kl |" not in card  # a score that was not reached is left out


@pytest.mark.parametrize("manifest_agrees", [False, True])
def test_200_random_corruptions_never_load(folder, manifest_agrees):
    """Bits flipped, ends cut off, stretches overwritten: at first the manifest notices, then the file's own digest."""
    path = folder / f"{NAME}.safetensors"
    whole = path.read_bytes()
    generator = torch.Generator().manual_seed(1)
    for i in range(200):
        spoilt = bytearray(whole)
        # Every other one hits the header, which is where names, shapes and metadata are.
        reach = len(whole) if i % 2 else 8 + int.from_bytes(whole[:8], "little")
        at = int(torch.randint(reach, (1,), generator=generator))
        if i % 3 == 0:
            spoilt[at] ^= 1 << int(torch.randint(8, (1,), generator=generator))
        elif i % 3 == 1:
            del spoilt[at:]
        else:
            spoilt[at : at + 64] = (
                torch.randint(256, (64,), generator=generator, dtype=torch.uint8).numpy().tobytes()
            )
        path.write_bytes(spoilt)
        if manifest_agrees:
            enter_checksum(folder)
        with pytest.raises(CorruptFileError, match=None if manifest_agrees else NAME):
            load_pretrained(NAME, folder)


def test_another_networks_file_under_this_name_is_noticed(folder):
    save_weights(VAE(im_size=32, channels=4, z_dim=3), folder / f"{NAME}.safetensors")
    with pytest.raises(CorruptFileError, match="does not have the SHA-256 of the manifest"):
        load_pretrained(NAME, folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("encoder.mean.bias"), "lacks tensor encoder.mean.bias"),
        (lambda t: t.update(extra=torch.zeros(1)), "has the unknown tensor extra"),
        (
            lambda t: t.update({"encoder.mean.bias": torch.zeros(4)}),
            r"encoder.mean.bias is torch.float32 \[4\]",
        ),
        (lambda t: t.update({"encoder.mean.bias": torch.zeros(3).long()}), "is torch.int64"),
        (lambda t: t["encoder.mean.bias"].fill_(float("nan")), "not finite"),
    ],
)
def test_tensors_must_be_those_of_the_network(folder, change, message):
    path = folder / f"{NAME}.safetensors"
    tensors, metadata = load_tensors(path)
    change(tensors)
    save_tensors(path, tensors, metadata)
    enter_checksum(folder)
    with pytest.raises(CorruptFileError, match=message):
        load_pretrained(NAME, folder)


@pytest.mark.parametrize("config", ["{", '{"im_size": 33}', '{"color": 1}', "[]"])
@pytest.mark.parametrize("key", ["config", "vae"])  # 'vae': files of version 0.1
def test_a_file_that_describes_no_network(folder, key, config):
    path = folder / f"{NAME}.safetensors"
    tensors, _ = load_tensors(path)
    save_tensors(path, tensors, {key: config})
    with pytest.raises(CorruptFileError, match="does not describe a VAE"):
        load_weights(path)


def test_a_file_of_version_0_1_loads(folder):
    path = folder / f"{NAME}.safetensors"
    tensors, metadata = load_tensors(path)
    save_tensors(path, tensors, {"vae": metadata["config"]})
    assert torch.equal(load_weights(path).encoder.mean.bias, tensors["encoder.mean.bias"])


def test_a_class_that_is_not_registered_is_named(folder):
    path = folder / f"{NAME}.safetensors"
    tensors, metadata = load_tensors(path)
    save_tensors(path, tensors, {**metadata, "class": "GAN"})
    with pytest.raises(CorruptFileError, match="holds a GAN; known are VAE"):
        load_weights(path)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_of_another_dtype_comes_back_as_it_was(dtype, tmp_path):
    model = VAE(im_size=32, channels=4, z_dim=3).to(dtype)
    loaded = load_weights(save_weights(model, tmp_path / "w"))
    assert {parameter.dtype for parameter in loaded.parameters()} == {dtype}
    assert torch.equal(loaded.encoder.mean.weight, model.encoder.mean.weight)


def test_a_pickle_is_refused_unread(tmp_path):
    torch.save(VAE(im_size=32, channels=4).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(CorruptFileError, match="not a readable safetensors file"):
        load_weights(tmp_path / "w.safetensors")


def test_unknown_name_lists_what_there_is(folder):
    with pytest.raises(ValueError, match="name is 'vea'; available are 'tiny'"):
        load_pretrained("vea", folder)


def test_missing_files_are_named(folder, tmp_path):
    (folder / f"{NAME}.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="missing"):
        load_pretrained(NAME, folder)
    with pytest.raises(FileNotFoundError, match="the weights come with a clone"):
        available_pretrained(tmp_path / "nowhere")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(CorruptFileError, match="not JSON"):
        available_pretrained(folder)
