"""Models of scenes: masks, the mixture, refinements and attention by hand; gradients against slopes; resuming; refusals."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from sbd_utils import (
    IODINE,
    Layers,
    MONet,
    SceneStream,
    SlotAttention,
    SlotAttentionVAE,
    SlotDecoder,
    elbo_loss,
    fit,
    kl_divergence,
    load_weights,
    mixture,
    save_weights,
)
from sbd_utils.models.iodine import clues_of_pixels, picture_gradient
from sbd_utils.models.monet import mask_divergence
from sbd_utils.models.slot_attention import mask_entropy
from sbd_utils.models.slots import Starts

KINDS = {"IODINE": IODINE, "SlotAttentionVAE": SlotAttentionVAE, "MONet": MONet}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_form = pytest.mark.parametrize("flat", [True, False], ids=["flat", "rgb"])
TINY = dict(im_size=16, slots=3, z_dim=2, channels=4)


def tiny(kind, seed=0, **options):
    torch.manual_seed(seed)
    return KINDS[kind](**{**TINY, **options})


def count(module):
    return sum(p.numel() for p in module.parameters())


def noise_for(images, seed=1, dtype=None):
    """The same numbers in every call of a loss."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(
        len(images), *shape, generator=generator, dtype=dtype or images.dtype
    )


def some_layers(count=2, slots=3, size=2, dtype=torch.float64):
    pictures = torch.rand(count, slots, 3, size, size, dtype=dtype)
    return Layers(pictures, torch.randn(count, slots, 1, size, size, dtype=dtype))


# What every model gives


@each_kind
@each_form
def test_shapes_and_masks(kind, flat):
    model = tiny(kind, flat=flat)
    images = torch.rand(5, 3, 16, 16)
    for mode in (True, False):
        for pool in (1, 4):
            slots = model.train(mode)(images, pool=pool)
            size = 16 // pool
            assert slots.layers.pictures.shape == (5, 3, 3, size, size)
            assert slots.layers.masks.shape == (5, 3, 1, size, size)
            assert slots.mean.shape == slots.logvar.shape == (5, 3, 2)
            assert slots.kl().shape == (5, 3)
            assert (slots.layers.masks >= 0).all()
            torch.testing.assert_close(slots.layers.masks.sum(1), torch.ones(5, 1, size, size))
            torch.testing.assert_close(slots.layers.masks.log(), slots.layers.log_masks)
            blend = sum(slots.layers.masks[:, k] * slots.layers.pictures[:, k] for k in range(3))
            torch.testing.assert_close(slots.layers.image, blend)


@each_kind
@pytest.mark.parametrize("slots", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("own", [True, False])
def test_any_number_of_slots(kind, slots, own):
    options = {} if kind == "MONet" else {"own_starts": own}
    model = tiny(kind, **options).eval()
    found = model(torch.rand(2, 3, 16, 16), slots=slots)
    assert found.mean.shape == (2, slots, 2)
    torch.testing.assert_close(found.layers.masks.sum(1), torch.ones(2, 1, 16, 16))
    if slots > 1:  # no two begin alike and so stay alike
        assert (found.mean[:, None] != found.mean[:, :, None]).any(3).sum() == 2 * slots * (
            slots - 1
        )


@each_kind
def test_a_pixel_of_a_flat_picture_is_as_any_other(kind):
    pictures = tiny(kind).eval()(torch.rand(2, 3, 16, 16)).layers.pictures
    assert torch.equal(pictures, pictures[..., :1, :1].expand_as(pictures))
    free = tiny(kind, flat=False).eval()(torch.rand(2, 3, 16, 16)).layers.pictures
    assert free.std((3, 4)).min() > 0


@each_kind
def test_in_eval_mode_the_same_images_give_the_same_slots(kind):
    model, images = tiny(kind), torch.rand(2, 3, 16, 16)
    assert not torch.equal(model(images).layers.image, model(images).layers.image)
    model.eval()
    first, second = model(images), model(images)
    assert torch.equal(first.layers.logits, second.layers.logits)
    drawn = model.decoder(first.mean)
    assert torch.equal(drawn.pictures, first.layers.pictures)
    if kind != "MONet":  # whose masks are cut, not drawn
        assert torch.equal(drawn.logits, first.layers.logits)


def test_parameter_counts_are_those_of_the_architecture():
    def conv(inputs, outputs, kernel=3):
        return (kernel * kernel * inputs + 1) * outputs

    def linear(inputs, outputs):
        return (inputs + 1) * outputs

    sbd = conv(8 + 2, 32) + conv(32, 32)
    flat = sbd + conv(32, 1) + linear(8, 32) + linear(32, 3)
    assert count(SlotDecoder()) == flat
    assert count(SlotDecoder(flat=False)) == sbd + conv(32, 4)
    lstm = 4 * 64 * (64 + 4 * 8 + 64 + 2)
    mend = conv(17, 32) + 2 * conv(32, 32) + linear(32, 64) + lstm + linear(64, 16)
    assert count(IODINE()) == flat + mend + 5 * 8 + 8
    assert count(IODINE(own_starts=False)) == flat + mend + 3 * 8
    gru = 3 * 32 * (32 + 32 + 2)
    attention = 4 * 32 + 3 * 32 * 32 + gru + 2 * 32 + linear(32, 64) + linear(64, 32)
    look = conv(3, 32) + 2 * conv(32, 32) + linear(2, 32) + 2 * 32 + 2 * linear(32, 32)
    assert count(SlotAttentionVAE()) == flat + attention + look + linear(32, 16) + 5 * 32


# The decoder


@each_form
def test_slots_are_drawn_apart_and_in_any_order(flat):
    torch.manual_seed(0)
    decoder = SlotDecoder(16, z_dim=2, channels=4, flat=flat).double()
    codes = torch.randn(2, 4, 2, dtype=torch.float64)
    layers, order = decoder(codes), [2, 0, 3, 1]
    permuted = decoder(codes[:, order])
    torch.testing.assert_close(permuted.pictures, layers.pictures[:, order])
    torch.testing.assert_close(permuted.masks, layers.masks[:, order])
    torch.testing.assert_close(permuted.image, layers.image)
    alone = decoder(codes[:, 1:2])
    torch.testing.assert_close(alone.pictures, layers.pictures[:, 1:2])
    assert torch.equal(alone.masks, torch.ones_like(alone.masks))
    # Without a slot, the others share what was its own, each in proportion.
    fewer = decoder(codes[:, :3]).masks
    kept = layers.masks[:, :3]
    torch.testing.assert_close(fewer, kept / kept.sum(1, keepdim=True))


def test_what_is_added_to_all_logits_changes_nothing():
    layers = some_layers()
    raised = Layers(layers.pictures, layers.logits + 700)
    torch.testing.assert_close(raised.masks, layers.masks)
    torch.testing.assert_close(raised.log_masks, layers.log_masks)
    far = Layers(layers.pictures, torch.tensor([0.0, 2000.0, 0.0]).view(1, 3, 1, 1, 1))
    assert far.log_masks.flatten().tolist() == [-2000, 0, -2000]  # where the mask itself is 0


# The mixture


def test_the_mixture_of_two_pixels_by_hand():
    """Black and white slots on a grey and a white pixel, with w = 2 and masks of 1 to 3."""
    pictures = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 2).double()
    logits = torch.tensor([1.0, 3.0]).log().view(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 2).double()
    images = torch.tensor([0.5, 1.0]).view(1, 1, 1, 2).double()
    found = mixture(images, Layers(pictures, logits), w=2.0)
    grey = [0.25 * math.exp(-2 * 0.25), 0.75 * math.exp(-2 * 0.25)]
    white = [0.25 * math.exp(-2), 0.75]
    expected = torch.tensor([grey, white], dtype=torch.float64).T.view(1, 2, 1, 1, 2)
    torch.testing.assert_close(found.exp(), expected)
    whose = found.softmax(1)[0, :, 0, 0]
    torch.testing.assert_close(whose[:, 0], torch.tensor([0.25, 0.75]).double())
    torch.testing.assert_close(whose[0, 1].item(), math.exp(-2) / (math.exp(-2) + 3))


def test_the_mixture_is_that_of_torch_distributions():
    layers, images, w = some_layers(), torch.rand(2, 3, 2, 2).double(), 3.5
    weights = Categorical(layers.masks[:, :, 0].permute(0, 2, 3, 1))
    means = layers.pictures.permute(0, 3, 4, 1, 2)  # [N, h, w, K, C]
    slots = MultivariateNormal(means, torch.eye(3).double() / (2 * w))
    expected = MixtureSameFamily(weights, slots).log_prob(images.permute(0, 2, 3, 1))
    constant = 3 / 2 * math.log(w / math.pi)
    found = mixture(images, layers, w).logsumexp(1)[:, 0]
    torch.testing.assert_close(found + constant, expected)


@each_kind
@each_form
def test_with_one_slot_the_loss_is_that_of_a_vae(kind, flat):
    model, images = tiny(kind, slots=1, flat=flat), torch.rand(4, 3, 16, 16)
    loss = model.loss(images, noise_for(images), w=3.0, beta=0.7)
    slots = model(images, noise_for(images))  # the same noise
    expected = elbo_loss(
        images, slots.layers.image, slots.mean.flatten(1), slots.logvar.flatten(1), 3.0, 0.7
    )
    total = loss.parts["negative_elbo"][-1] if kind == "IODINE" else loss.total
    torch.testing.assert_close(total, expected.total)
    torch.testing.assert_close(loss.parts["squared_error"], expected.squared_error)
    torch.testing.assert_close(loss.parts["kl"], expected.kl.sum()[None])


@each_kind
def test_a_block_counts_as_much_as_its_pixels(kind):
    model = tiny(kind)
    for parameter in model.decoder.parameters():
        nn.init.zeros_(parameter)  # black pictures
    images = torch.full((2, 3, 16, 16), 0.25)
    for pool in (1, 2, 4):
        loss = model.loss(images, noise_for(images), pool=pool)
        assert loss.parts["squared_error"].item() == pytest.approx(3 * 16 * 16 * 0.25**2)
    # IODINE's masks are equal then, and nothing is left but the error.
    if kind == "IODINE":
        loss = model.loss(images, noise_for(images), w=2.0, beta=0.0, pool=4)
        assert loss.parts["negative_elbo"].tolist() == pytest.approx([2 * 48.0] * 4)


# Gradients


def slope(loss, model, parameters, seed=0):
    """The loss's slope along a random direction, by its gradient and by two values of it."""
    generator = torch.Generator().manual_seed(seed)
    directions = [
        torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in parameters
    ]
    model.zero_grad()
    loss().backward()
    by_gradient = sum((p.grad * d).sum() for p, d in zip(parameters, directions, strict=True))
    values, step = [], 1e-7  # so short that hardly a ReLU turns on it
    with torch.no_grad():
        for sign in (1, -2):
            for p, d in zip(parameters, directions, strict=True):
                p += sign * step * d
            values.append(loss())
        for p, d in zip(parameters, directions, strict=True):
            p += step * d
    by_values = (values[0] - values[1]) / (2 * step)
    return by_gradient.item(), by_values.item()


@pytest.mark.parametrize("kind", ["SlotAttentionVAE", "MONet"])
@each_form
@pytest.mark.parametrize("pool", [1, 2])
def test_the_gradient_is_the_slope_of_the_loss(kind, flat, pool):
    model, images = tiny(kind, flat=flat).double(), torch.rand(2, 3, 16, 16).double()
    more = {"entropy": 0.5} if kind == "SlotAttentionVAE" else {}

    def loss():
        return model.loss(images, noise_for(images), pool=pool, **more).total

    for name, part in model.named_children():
        found, expected = slope(loss, model, list(part.parameters()))
        assert found == pytest.approx(expected, rel=1e-4), name
        assert found != 0, name


@each_form
def test_the_gradient_of_iodine_is_the_slope_of_its_loss(flat):
    """As far as it goes through the posteriors: what a refinement reads counts as given.

    What mends does not change what the first refinement reads; with one refinement, its gradient is exact.
    """
    model = tiny("IODINE", flat=flat, refinements=1).double()
    images = torch.rand(2, 3, 16, 16).double()

    def loss():
        return model.loss(images, noise_for(images), beta=0.3, pool=2).total

    found, expected = slope(loss, model, list(model.mend.parameters()))
    assert found == pytest.approx(expected, rel=1e-4)
    assert found != 0

    def first():
        return model.loss(images, noise_for(images), beta=0.3, pool=2).parts["negative_elbo"][0]

    for part in (model.decoder, model.starts):
        found, expected = slope(first, model, list(part.parameters()))
        assert found == pytest.approx(expected, rel=1e-4)


@each_kind
@each_form
def test_gradients_reach_every_parameter(kind, flat):
    model, images = tiny(kind, flat=flat), torch.rand(4, 3, 16, 16)
    model.loss(images, noise_for(images)).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_what_a_refinement_reads_is_the_gradient_of_the_likelihood():
    layers, images = some_layers(slots=4, size=5), torch.rand(2, 3, 5, 5).double()
    pictures = layers.pictures.clone().requires_grad_()
    log_masks = layers.log_masks.clone().requires_grad_()
    # `log_masks` are free here: not through the softmax that makes masks of logits.
    error = (images[:, None] - pictures).square().sum(2, keepdim=True)
    likelihood = (log_masks - 6.0 * error).logsumexp(1).sum()
    by_picture, by_mask = torch.autograd.grad(likelihood, (pictures, log_masks))
    torch.testing.assert_close(picture_gradient(images, layers, 6.0), by_picture)
    torch.testing.assert_close(mixture(images, layers, 6.0).softmax(1), by_mask)


def test_the_clues_in_their_order():
    layers, images = some_layers(slots=4, size=5), torch.rand(2, 3, 5, 5).double()
    clues = clues_of_pixels(images, layers, 6.0)
    assert [clue.shape[1:3] for clue in clues] == [
        *[(1, 3), (4, 3), (4, 1), (4, 1), (4, 1)],
        *[(4, 3), (4, 1), (1, 1), (4, 1)],
    ]
    assert torch.equal(clues[0][:, 0], images)
    assert torch.equal(clues[1], layers.pictures)
    for clue in clues[5:]:  # of each slot
        torch.testing.assert_close(clue.mean((2, 3, 4)), torch.zeros(clue.shape[:2]).double())
        deviation = clue.std((2, 3, 4), correction=0)
        torch.testing.assert_close(
            deviation, torch.ones_like(deviation), atol=1e-3, rtol=0
        )  # 1e-5 guards against flat ones
    flat = clues_of_pixels(images[..., :1, :1], Layers(*(v[..., :1, :1] for v in layers)), 6.0)
    assert all(clue.isfinite().all() for clue in flat)


# Refinements


def test_refinements_go_on_from_each_other():
    model, images = tiny("IODINE").eval(), torch.rand(2, 3, 16, 16)
    five = model.refine(images, refinements=5)
    assert len(five) == 6
    assert len(model.refine(images)) == 4  # three, as it was built
    for ours, theirs in zip(model.refine(images, refinements=2), five, strict=False):
        assert torch.equal(ours.mean, theirs.mean)
    moves = [(b.mean - a.mean).abs().max() for a, b in itertools.pairwise(five)]
    assert min(moves) > 0
    torch.testing.assert_close(five[0].mean, model.starts.mean.expand(2, 3, 2))
    assert torch.equal(model(images, refinements=0).mean, five[0].mean)


def test_refining_needs_no_gradients_of_the_session_and_leaves_none():
    model, images = tiny("IODINE").eval(), torch.rand(2, 3, 16, 16)
    plain = model(images)
    with torch.no_grad():
        assert torch.equal(model(images).mean, plain.mean)
    with torch.inference_mode():
        assert torch.equal(model(images + 0).mean, plain.mean)
    assert not any(t.requires_grad for t in (*plain.layers, plain.mean, plain.logvar))
    assert all(p.grad is None for p in model.parameters())


def test_refinements_follow_the_weights_of_the_last_training(tmp_path):
    model, images = tiny("IODINE"), torch.rand(2, 3, 16, 16)
    model.loss(images, noise_for(images), w=2.0, beta=0.5)
    low = model.eval()(images).mean
    model.loss(images, noise_for(images), w=20.0, beta=0.5)
    high = model(images).mean
    assert not torch.equal(low, high)
    again = load_weights(save_weights(model, tmp_path / "iodine.safetensors"))
    assert torch.equal(again(images).mean, high)


def test_log_variances_stay_in_their_range():
    model = tiny("IODINE").eval()
    nn.init.constant_(model.mend.change.bias, 100.0)
    assert model(torch.rand(1, 3, 16, 16)).logvar.unique().tolist() == [3]
    nn.init.constant_(model.mend.change.bias, -100.0)
    assert model(torch.rand(1, 3, 16, 16)).logvar.unique().tolist() == [-8]


@pytest.mark.parametrize("kind", ["IODINE", "SlotAttentionVAE"])
def test_slots_differ_by_where_they_start_alone(kind):
    model, images = tiny(kind).double().eval(), torch.rand(2, 3, 16, 16).double()
    before, order = model(images), [2, 0, 1]
    with torch.no_grad():
        model.starts.mean.copy_(model.starts.mean[order].clone())
    after = model(images)
    torch.testing.assert_close(after.mean, before.mean[:, order])
    torch.testing.assert_close(after.layers.masks, before.layers.masks[:, order])
    torch.testing.assert_close(after.layers.image, before.layers.image)


# Attention


def test_places_have_no_order_and_slots_compete():
    torch.manual_seed(0)
    module = SlotAttention(6).double()
    places, slots = torch.randn(2, 7, 6).double(), torch.randn(2, 3, 6).double()
    steps = module(places, slots, 4)
    assert len(steps) == 4
    assert steps[-1].attention.shape == (2, 3, 7)
    torch.testing.assert_close(steps[-1].attention.sum(1), torch.ones(2, 7).double())
    order = torch.randperm(7)
    mixed = module(places[:, order], slots, 4)[-1]
    torch.testing.assert_close(mixed.slots, steps[-1].slots)
    torch.testing.assert_close(mixed.attention, steps[-1].attention[:, :, order])


def test_slots_that_begin_alike_share_and_stay_alike():
    torch.manual_seed(0)
    module, places = SlotAttention(6).double(), torch.randn(2, 7, 6).double()
    same = torch.randn(2, 1, 6).double().expand(2, 3, 6)
    found = module(places, same, 1)[-1]
    torch.testing.assert_close(found.attention, torch.full((2, 3, 7), 1 / 3).double())
    # Each gets the mean over all places, whatever there is to see.
    mean = module.value(module.normed_places(places)).mean(1)
    renewed = module.renew(mean, same[:, 0])
    expected = renewed + module.think(renewed)
    torch.testing.assert_close(found.slots, expected[:, None].expand(2, 3, 6))


def test_attention_is_seen_at_a_quarter_of_the_size():
    model = tiny("SlotAttentionVAE").eval()
    steps = model.attend(torch.rand(2, 3, 16, 16), slots=4, iterations=2)
    assert [step.attention.shape for step in steps] == [(2, 4, 16)] * 2


def test_the_entropy_of_masks():
    even = Layers(torch.zeros(1, 4, 3, 2, 2), torch.zeros(1, 4, 1, 2, 2))
    assert mask_entropy(even).item() == pytest.approx(4 * math.log(4))
    sure = torch.zeros(1, 4, 1, 2, 2)
    sure[:, 2] = 1000
    assert mask_entropy(Layers(even.pictures, sure)).item() == 0


# Starts


def test_starts_of_their_own_and_further_ones():
    starts, noise = Starts(3, 2, own=True), torch.randn(4, 6, 2)
    assert torch.equal(starts(3, noise), starts.mean.expand(4, 3, 2))
    assert torch.equal(starts(2, noise), starts.mean[:2].expand(4, 2, 2))
    more = starts(6, noise)
    assert torch.equal(more[:, :3], starts.mean.expand(4, 3, 2))
    spread = starts.mean.std(0)
    torch.testing.assert_close(more[:, 3:], starts.mean.mean(0) + spread * noise[:, 3:])
    assert Starts(1, 2, own=True)(2, noise).isfinite().all()


def test_scatter_moves_starts_of_their_own():
    starts, noise = Starts(3, 2, own=True), torch.randn(4, 6, 2)
    torch.testing.assert_close(starts(2, noise, 0.6), starts.mean[:2] + 0.6 * noise[:, :2])
    more = starts(6, noise, 0.6)
    torch.testing.assert_close(more[:, :3], starts.mean + 0.6 * noise[:, :3])
    assert torch.equal(more[:, 3:], starts(6, noise)[:, 3:])


def test_scatter_reaches_the_first_step_of_iodine():
    model = tiny("IODINE").eval()
    images = torch.rand(2, 3, 16, 16)
    still, moved = (model.refine(images, scatter=s)[0].mean for s in (0.0, 0.5))
    assert torch.equal(still, model.starts.mean.expand(2, 3, 2))
    assert not torch.equal(moved[0], moved[1])
    total = model.loss(images, noise_for(images), scatter=0.5).total
    assert total != model.loss(images, noise_for(images)).total


def test_starts_from_one_gaussian():
    starts, noise = Starts(3, 2, own=False), torch.randn(4, 5, 2)
    expected = starts.mean + math.exp(-0.5) * noise
    torch.testing.assert_close(starts(5, noise), expected)


# Cutting


def test_cuts_share_what_is_left():
    model, images = tiny("MONet"), torch.rand(2, 3, 16, 16)
    masks = model.cut(images, slots=4).exp()
    torch.testing.assert_close(masks.sum(1), torch.ones(2, 1, 16, 16))
    # How many come after does not matter to the first.
    torch.testing.assert_close(model.cut(images, slots=6).exp()[:, :3], masks[:, :3])
    share = torch.sigmoid(model.knife(torch.cat([images, torch.zeros(2, 1, 16, 16)], 1)))
    torch.testing.assert_close(masks[:, 0], share)
    assert torch.equal(model.cut(images, slots=1), torch.zeros(2, 1, 1, 16, 16))


def test_the_divergence_of_masks():
    first = Layers(torch.zeros(1, 2, 3, 1, 1), torch.tensor([0.2, 0.8]).log().view(1, 2, 1, 1, 1))
    second = Layers(first.pictures, torch.tensor([0.5, 0.5]).log().view(1, 2, 1, 1, 1))
    expected = 0.2 * math.log(0.2 / 0.5) + 0.8 * math.log(0.8 / 0.5)
    assert mask_divergence(first, second).item() == pytest.approx(expected)
    assert mask_divergence(first, first).item() == 0
    empty = Layers(first.pictures, torch.tensor([0.0, -1e4]).view(1, 2, 1, 1, 1))
    assert mask_divergence(first, empty).isfinite()


def test_the_parts_of_the_loss_add_up():
    images = torch.rand(2, 3, 16, 16)
    loss = tiny("MONet").loss(images, noise_for(images), beta=0.4, gamma=0.7)
    parts = loss.parts
    expected = parts["negative_log_likelihood"] + 0.4 * parts["kl"].sum() + 0.7 * parts["mask_kl"]
    torch.testing.assert_close(loss.total, expected)
    loss = tiny("IODINE").loss(images, noise_for(images))
    weights = torch.tensor([1, 2, 3, 4]) / 4
    torch.testing.assert_close(loss.total, (weights * loss.parts["negative_elbo"]).sum())
    model = tiny("SlotAttentionVAE")
    loss = model.loss(images, noise_for(images), w=3.0, beta=0.4, entropy=0.5)
    parts = loss.parts
    expected = 3 * parts["squared_error"] + 0.4 * parts["kl"].sum() + 0.5 * parts["entropy"]
    torch.testing.assert_close(loss.total, expected)
    slots = model(images, noise_for(images))
    kl = kl_divergence(slots.mean, slots.logvar)
    torch.testing.assert_close(parts["kl"], kl.sum(2).mean(0))


# Training


def train(kind, initial=0, **options):
    model = tiny(kind, initial)
    arguments = dict(batch_size=2, pool=4, lr=2e-3, seed=3, progress=False)
    history = fit(model, SceneStream(im_size=16), **{**arguments, "steps": 4, **options})
    return model, history


def weights(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


@each_kind
def test_resumed_training_is_bit_identical(kind, tmp_path):
    whole, history = train(kind)
    path = tmp_path / "run.checkpoint"
    train(kind, checkpoint=path, callback=lambda *_: True, callback_every=2)
    resumed, again = train(kind, initial=5, checkpoint=path)
    assert torch.equal(weights(whole), weights(resumed))
    for name, values in history.parts.items():
        assert torch.equal(values, again.parts[name]), name


@each_kind
@each_form
def test_weights_go_round(kind, flat, tmp_path):
    model, images = tiny(kind, flat=flat).eval(), torch.rand(2, 3, 16, 16)
    again = load_weights(save_weights(model, tmp_path / "model.safetensors"))
    assert type(again) is type(model)
    assert again.config == model.config
    ours, theirs = model(images), again(images)
    assert torch.equal(ours.layers.logits, theirs.layers.logits)
    assert torch.equal(ours.layers.pictures, theirs.layers.pictures)
    assert not any("grid" in name for name in model.state_dict())


@each_kind
def test_training_learns(kind):
    _, history = train(kind, steps=60, batch_size=8)
    errors = history.squared_error
    assert errors[-10:].mean() < 0.75 * errors[:3].mean()


@each_kind
def test_bf16_trains(kind):
    _, history = train(kind, steps=2, precision="bf16")
    assert history.squared_error.isfinite().all()


# Bad input


@each_kind
@pytest.mark.parametrize("name", ["im_size", "in_channels", "slots", "z_dim", "channels"])
def test_a_number_below_one_is_named(kind, name):
    with pytest.raises(ValueError, match=f"{name} is 0; it must be at least 1"):
        tiny(kind, **{name: 0})


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        ("IODINE", dict(refinements=0), "refinements is 0; it must be at least 1"),
        ("IODINE", dict(hidden=-1), "hidden is -1; it must be at least 1"),
        ("SlotAttentionVAE", dict(iterations=0), "iterations is 0; it must be at least 1"),
        ("SlotAttentionVAE", dict(im_size=18), "im_size is 18; it must be a multiple of 4"),
        ("MONet", dict(im_size=24), "im_size is 24; it must be a multiple of 16"),
    ],
)
def test_a_model_refuses(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        tiny(kind, **wrong)


@each_kind
@pytest.mark.parametrize(
    "shape", [(2, 1, 16, 16), (2, 3, 32, 32), (2, 3, 16, 32), (3, 16, 16), (2, 1, 3, 16, 16)]
)
def test_wrong_images_are_refused(kind, shape):
    message = r"images has shape \[.*\]; this model takes \[N, 3, 16, 16\]"
    with pytest.raises(ValueError, match=message):
        tiny(kind)(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3), (6, 2, 1), (2, 3, 2, 1)])
def test_wrong_codes_are_refused(shape):
    message = r"codes has shape \[.*\]; this decoder takes \[N, K, 2\]"
    with pytest.raises(ValueError, match=message):
        SlotDecoder(16, z_dim=2)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        ("IODINE", dict(slots=0), "slots is 0; it must be at least 1"),
        ("IODINE", dict(refinements=-1), "refinements is -1; it must not be negative"),
        ("IODINE", dict(pool=0), "pool is 0; it must be at least 1"),
        ("SlotAttentionVAE", dict(slots=0), "slots is 0; it must be at least 1"),
        ("SlotAttentionVAE", dict(iterations=0), "iterations is 0; it must be at least 1"),
        ("SlotAttentionVAE", dict(pool=0), "pool is 0; it must be at least 1"),
        ("MONet", dict(slots=0), "slots is 0; it must be at least 1"),
        ("MONet", dict(pool=8), "pool is 8; 4 times that must divide 16 pixels"),
        ("MONet", dict(pool=0), "pool is 0; 4 times that must divide 16 pixels"),
    ],
)
def test_what_cannot_be_asked_of_a_model(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        tiny(kind)(torch.zeros(1, 3, 16, 16), **wrong)
