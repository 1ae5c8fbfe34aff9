"""Files in the layout of the blog post's code, made here, read as models that compute the same."""

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d, linear, relu

from sbd_utils import VAE, load_weights
from sbd_utils.__main__ import main
from sbd_utils.files import CorruptFileError
from sbd_utils.post_weights import load_post_weights


def layer(kind: str, outputs: int, inputs: int, kernel: int) -> dict[str, torch.Tensor]:
    """A layer's weight and bias, as torch lays them out."""
    shape = {"conv": (outputs, inputs), "deconv": (inputs, outputs), "linear": (outputs, inputs)}[
        kind
    ]
    size = () if kind == "linear" else (kernel, kernel)
    return {"weight": 0.1 * torch.randn(*shape, *size), "bias": 0.1 * torch.randn(outputs)}


def post_file(decoder: str, colors: int = 1, z_dim: int = 10) -> dict[str, torch.Tensor]:
    """Random weights in the post's layout."""
    torch.manual_seed(0)
    layers = {f"enc_convs.{i}": layer("conv", 64, 64 if i else colors, 4) for i in range(4)}
    layers["fc.0"] = layer("linear", 256, 1024, 1)
    layers["fc.2"] = layer("linear", 2 * z_dim, 256, 1)
    buffers = {}
    if decoder == "deconv":
        layers["dec_linear"] = layer("linear", 256, z_dim, 1)
        layers |= {f"dec_convs.{i}": layer("deconv", 64, 64, 4) for i in range(4)}
        layers["last_conv"] = layer("deconv", colors, 64, 4)
    else:
        layers["dec_convs.0"] = layer("conv", 64, z_dim + 2, 3)
        layers["dec_convs.1"] = layer("conv", 64, 64, 3)
        layers["last_conv"] = layer("conv", colors, 64, 3)
        line = torch.linspace(-1, 1, 64)
        buffers["x_grid"] = (
            line.view(1, 1, 64, 1).expand(1, 1, 64, 64).clone()
        )  # grows with the row
        buffers["y_grid"] = line.view(1, 1, 1, 64).expand(1, 1, 64, 64).clone()
    flat = {
        f"{name}.{part}": value for name, parts in layers.items() for part, value in parts.items()
    }
    return flat | buffers


def parameters(content, name):
    return content[f"{name}.weight"], content[f"{name}.bias"]


def encode_there(content, x):
    for i in range(4):
        x = relu(conv2d(x, *parameters(content, f"enc_convs.{i}"), stride=2, padding=1))
    h = relu(linear(x.flatten(1), *parameters(content, "fc.0")))
    return linear(h, *parameters(content, "fc.2")).chunk(2, 1)


def decode_there(content, z):
    if "dec_linear.weight" in content:
        h = relu(linear(z, *parameters(content, "dec_linear"))).view(-1, 64, 2, 2)
        for i in range(4):
            h = relu(
                conv_transpose2d(h, *parameters(content, f"dec_convs.{i}"), stride=2, padding=1)
            )
        return conv_transpose2d(h, *parameters(content, "last_conv"), stride=2, padding=1)
    tiled = z[:, :, None, None].expand(-1, -1, 64, 64)
    grids = [content[name].expand(len(z), -1, -1, -1) for name in ("x_grid", "y_grid")]
    h = torch.cat([*grids, tiled], 1)
    for i in range(2):
        h = relu(conv2d(h, *parameters(content, f"dec_convs.{i}"), padding=1))
    return conv2d(h, *parameters(content, "last_conv"), padding=1)


@pytest.mark.parametrize("decoder", ["sbd", "deconv"])
@pytest.mark.parametrize(("colors", "z_dim"), [(1, 10), (3, 4)])
def test_the_model_computes_what_the_posts_code_computes(decoder, colors, z_dim, tmp_path):
    content = post_file(decoder, colors, z_dim)
    torch.save(content, tmp_path / "post.pt")
    model = load_weights(tmp_path / "post.pt")
    assert not model.training
    assert (model.config["decoder"], model.config["in_channels"]) == (decoder, colors)
    x, z = torch.rand(3, colors, 64, 64), torch.randn(3, z_dim)
    with torch.no_grad():
        for ours, theirs in zip(model.encoder(x), encode_there(content, x), strict=True):
            torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(model.decoder(z), decode_there(content, z), atol=1e-5, rtol=1e-4)


def test_convert_writes_a_file_of_this_course(tmp_path, capsys):
    torch.save(post_file("sbd"), tmp_path / "post.pt")
    out = tmp_path / "mine.safetensors"
    assert main(["convert", str(tmp_path / "post.pt"), str(out)]) == 0
    assert "load_weights" in capsys.readouterr().out
    a, b = load_weights(out).state_dict(), load_post_weights(tmp_path / "post.pt").state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def without(content, name):
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (VAE(im_size=32, channels=4).state_dict(), "expected is the state_dict of the blog post's"),
        ([1, 2], "expected is the state_dict"),
        (torch.zeros(3), "expected is the state_dict"),
        (without(post_file("sbd"), "x_grid"), "expected is the state_dict"),
        ({}, "holds nothing; expected is the state_dict"),
        ({1: torch.zeros(3)}, "holds 1; expected is the state_dict"),
        (post_file("sbd") | {"epoch": 3}, "expected is the state_dict"),
        (post_file("sbd") | {"x_grid": torch.tensor(64)}, "expected is the state_dict"),
        (post_file("sbd") | {"fc.2.weight": torch.zeros(20)}, "expected is the state_dict"),
        (without(post_file("sbd"), "dec_convs.0.weight"), "another network.*expected is"),
        (post_file("sbd") | {"fc.2.bias": torch.tensor(1.0)}, "another network.*expected is"),
        (post_file("sbd") | {"dec_convs.0.weight": torch.zeros(3)}, "another network.*expected is"),
        (post_file("sbd") | {"x_grid": torch.zeros(40, 40)}, "another network.*im_size is 40"),
        (without(post_file("sbd"), "dec_convs.1.bias"), "another network than the post's.*Missing"),
        (post_file("deconv") | {"more.weight": torch.zeros(1)}, "another network.*more.weight"),
        (post_file("sbd") | {"fc.2.bias": torch.full((20,), float("nan"))}, "not finite"),
    ],
)
def test_what_is_no_file_of_the_post_is_told_what_was_expected(content, message, tmp_path, capsys):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(CorruptFileError, match=f"(?s){message}"):
        load_post_weights(tmp_path / "w.pt")
    assert main(["convert", str(tmp_path / "w.pt"), str(tmp_path / "out.safetensors")]) == 1
    assert not (tmp_path / "out.safetensors").exists()
    assert "CorruptFileError" in capsys.readouterr().err


class Exploit:
    def __reduce__(self):
        return print, ("exploited",)


def test_nothing_but_tensors_is_read(tmp_path, capsys):
    torch.save({"enc_convs.0.weight": Exploit()}, tmp_path / "w.pt")
    message = "(?s)not a file of tensors that torch can read.*expected is the state_dict"
    with pytest.raises(CorruptFileError, match=message):
        load_post_weights(tmp_path / "w.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(CorruptFileError, match="not a file of tensors"):
        load_weights(tmp_path / "text.pt")
    assert "exploited" not in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_weights(tmp_path / "gone.pt")
