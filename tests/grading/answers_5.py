"""Answers to assignment 5: right ones in unusual forms, and wrong ones with what each is told."""

from tests.grading.answers import Answer, edit

MASKS = """
def slot_masks(logits):
    return logits.softmax(1)
"""
LIKELIHOOD = """
def log_likelihood(images, pictures, logits, w):
    error = (images[:, None] - pictures).square().sum(2, keepdim=True)
    parts = logits.log_softmax(1) - w * error
    return parts.logsumexp(1).sum((1, 2, 3))
"""
INDICES = """
def pairs(counts):
    return (counts * (counts - 1) / 2).sum()

def index(true, found):
    table = np.array([[((true == t) & (found == f)).sum() for f in np.unique(found)] for t in np.unique(true)])
    both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    chance = rows * columns / max(pairs(np.array(len(true))), 1)
    room = (rows + columns) / 2 - chance
    return float((both - chance) / room) if room else 1.0

def two_indices(true, found):
    seen = true != 0
    return index(true, found), index(true[seen], found[seen])
"""
SCENE = """
def scene_without(pictures, logits, slot):
    kept = [k for k in range(len(logits)) if k != slot]
    masks = logits[kept].softmax(0)
    return (masks * pictures[kept]).sum(0)
"""
CHANGED = "your function changes {}, which its caller may still need"
TAKEN = "you call the library's own function"

RIGHT = {
    "slot_masks": [
        Answer("exp less the greatest", "", "def slot_masks(logits):\n    e = (logits - logits.amax(dim=1, keepdim=True)).exp()\n    return e / e.sum(dim=1, keepdim=True)"),
        Answer("exp of log_softmax", "", "def slot_masks(logits):\n    return torch.exp(torch.nn.functional.log_softmax(logits, dim=-4))"),
        Answer("slots moved to the end and back", "", "def slot_masks(logits):\n    return torch.softmax(logits.movedim(1, -1), -1).movedim(-1, 1)"),
        Answer("scene after scene", "", "def slot_masks(logits):\n    return torch.stack([scene.softmax(0) for scene in logits])"),
        Answer("a copy changed in place", "", "def slot_masks(logits):\n    e = logits - logits.logsumexp(1, keepdim=True)\n    e = e.clone()\n    return e.exp_()"),
    ],
    "log_likelihood": [
        Answer("slot after slot", "", """
def log_likelihood(images, pictures, logits, w):
    log_masks = logits - logits.logsumexp(1, keepdim=True)
    total = None
    for k in range(pictures.shape[1]):
        part = log_masks[:, k, 0] - w * ((images - pictures[:, k]) ** 2).sum(1)
        total = part if total is None else torch.logaddexp(total, part)
    return total.flatten(1).sum(1)
"""),
        Answer("in float64, einsum", "", """
def log_likelihood(images, pictures, logits, w):
    gap = images.double().unsqueeze(1) - pictures.double()
    error = torch.einsum('nkchw,nkchw->nkhw', gap, gap)
    return torch.logsumexp(torch.log_softmax(logits.double(), 1)[:, :, 0] - w * error, 1).sum((-1, -2))
"""),
        Answer("the greatest taken off by hand", "", """
def log_likelihood(images, pictures, logits, w):
    parts = logits.log_softmax(1) - w * (images.unsqueeze(1) - pictures).pow(2).sum(2, keepdim=True)
    top = parts.max(1, keepdim=True).values
    return (top.squeeze(1) + (parts - top).exp().sum(1).log()).sum(dim=(1, 2, 3))
"""),
        Answer("logits' sum taken off at the end", "", """
def log_likelihood(images, pictures, logits, w):
    error = (pictures - images[:, None]).square().sum(2, keepdim=True)
    pixels = (logits - w * error).logsumexp(1) - logits.logsumexp(1)
    return pixels.flatten(1).sum(1)
"""),
    ],
    "two_indices": [
        Answer("histogram2d", "", edit(INDICES, "table = np.array([[((true == t) & (found == f)).sum() for f in np.unique(found)] for t in np.unique(true)])", "t, f = (np.unique(v, return_inverse=True)[1] for v in (true, found))\n    table = np.histogram2d(t, f, bins=(t.max() + 1, f.max() + 1), range=((0, t.max() + 1), (0, f.max() + 1)))[0]")),
        Answer("a Counter", "", """
from collections import Counter
from math import comb

def index(true, found):
    true, found = true.tolist(), found.tolist()
    both, rows, columns = (sum(comb(n, 2) for n in Counter(values).values()) for values in (zip(true, found), true, found))
    every = comb(len(true), 2)
    if (rows == columns == 0) or rows == columns == every:
        return 1
    return (both - rows * columns / every) / ((rows + columns) / 2 - rows * columns / every)

def two_indices(true, found):
    return [index(true, found), index(true[true != 0], found[true != 0])]
"""),
        Answer("by scikit-learn", "", "from sklearn.metrics import adjusted_rand_score\n\ndef two_indices(true, found):\n    kept = np.flatnonzero(true)\n    return adjusted_rand_score(true, found), adjusted_rand_score(true[kept], found[kept])"),
        Answer("an array of two", "", edit(INDICES, "return index(true, found), index(true[seen], found[seen])", "return np.array([index(true, found), index(true[seen], found[seen])])")),
        Answer("one-hot matrices", "", edit(INDICES, "table = np.array([[((true == t) & (found == f)).sum() for f in np.unique(found)] for t in np.unique(true)])", "table = (true[:, None] == np.unique(true)).T.astype(float) @ (found[:, None] == np.unique(found))")),
    ],
    "scene_without": [
        Answer("minus infinity", "", "def scene_without(pictures, logits, slot):\n    left = logits.clone()\n    left[slot] = -torch.inf\n    return torch.einsum('kihw,kchw->chw', left.softmax(0), pictures)"),
        Answer("cut out and joined", "", "def scene_without(pictures, logits, slot):\n    p, l = (torch.cat([t[:slot], t[slot + 1:]]) for t in (pictures, logits))\n    return torch.softmax(l, dim=0).mul(p).sum(dim=0)"),
        Answer("a mask of truths", "", "def scene_without(pictures, logits, slot):\n    stays = torch.arange(len(logits)) != slot\n    return (logits[stays].softmax(0) * pictures[stays]).sum(0)"),
        Answer("logaddexp, slot after slot", "", """
def scene_without(pictures, logits, slot):
    kept = [k for k in range(pictures.shape[0]) if k != slot]
    total = torch.logsumexp(torch.stack([logits[k] for k in kept]), 0)
    return sum((logits[k] - total).exp() * pictures[k] for k in kept)
"""),
    ],
}  # fmt: skip
WRONG = {
    "slot_masks": [
        Answer("over the scenes", "a softmax over the scenes", edit(MASKS, "softmax(1)", "softmax(0)")),
        Answer("over the channel", "the masks", edit(MASKS, "softmax(1)", "softmax(2)")),
        Answer("over rows", "a softmax over the rows", edit(MASKS, "softmax(1)", "softmax(3)")),
        Answer("over columns", "a softmax over the columns", edit(MASKS, "softmax(1)", "softmax(-1)")),
        Answer("over pixels", "a softmax over all pixels", edit(MASKS, "logits.softmax(1)", "logits.flatten(3).softmax(3).view_as(logits)")),
        Answer("a sigmoid", "a sigmoid", edit(MASKS, "softmax(1)", "sigmoid()")),
        Answer("the winner alone", "masks of 0 and 1", edit(MASKS, "logits.softmax(1)", "(logits == logits.amax(1, keepdim=True)).float()")),
        Answer("logarithms", "the masks' logarithms", edit(MASKS, "softmax", "log_softmax")),
        Answer("exp alone", "exp alone", edit(MASKS, "softmax(1)", "exp()")),
        Answer("a minus", "a minus too many", edit(MASKS, "logits.", "(-logits).")),
        Answer("overflow", "logits about 1000", edit(MASKS, "logits.softmax(1)", "logits.exp() / logits.exp().sum(1, keepdim=True)")),
        Answer("clamped", "plus 1000", edit(MASKS, "logits.softmax", "logits.clamp(-80, 80).softmax")),
        Answer("a little added below", "the masks", edit(MASKS, "logits.softmax(1)", "logits.softmax(1) + 0.001")),
        Answer("changed in place", CHANGED.format("logits"), edit(MASKS, "    return", "    logits -= logits.amax(1, keepdim=True)\n    return")),
        Answer("the slots' axis lost", "has shape", edit(MASKS, "softmax(1)", "softmax(1)[:, :, 0]")),
        Answer("detached", "no gradient reaches logits", edit(MASKS, "softmax(1)", "softmax(1).detach()"), visible=False),
        Answer("the library's layers", TAKEN, "def slot_masks(logits):\n    return sbd_utils.Layers(logits, logits).masks"),
    ],
    "log_likelihood": [
        Answer("the blend", "the squared error of the blend", "def log_likelihood(images, pictures, logits, w):\n    blend = (logits.softmax(1) * pictures).sum(1)\n    return -w * (images - blend).square().sum((1, 2, 3))"),
        Answer("the logarithm inside", "before the masks weighed it", edit(LIKELIHOOD, "logits.log_softmax(1) - w * error", "-w * logits.softmax(1) * error", "parts.logsumexp(1).sum", "parts.sum(1).sum")),
        Answer("mean over pixels", "the mean over pixels", edit(LIKELIHOOD, ".sum((1, 2, 3))", ".mean((1, 2, 3))")),
        Answer("each channel for itself", "each channel chooses its own slot", edit(LIKELIHOOD, ".sum(2, keepdim=True)", "")),
        Answer("slots multiply", "slots multiply", edit(LIKELIHOOD, "parts.logsumexp(1).sum((1, 2, 3))", "parts.sum((1, 2, 3, 4))")),
        Answer("no masks", "no masks in it", edit(LIKELIHOOD, "logits.log_softmax(1) - ", "-")),
        Answer("w as a variance", "w multiplies", edit(LIKELIHOOD, "w * error", "error / (2 * w)")),
        Answer("w left out", "w is missing", edit(LIKELIHOOD, "w * error", "error")),
        Answer("its negative", "the likelihood's negative", edit(LIKELIHOOD, "return parts", "return -parts")),
        Answer("mean over channels", "averaged over channels", edit(LIKELIHOOD, ".sum(2, keepdim=True)", ".mean(2, keepdim=True)")),
        Answer("all scenes together", "has shape", edit(LIKELIHOOD, ".sum((1, 2, 3))", ".sum()")),
        Answer("pixels before the logarithm", "pixels were added", edit(LIKELIHOOD, ".logsumexp(1).sum((1, 2, 3))", ".logsumexp((1, 2, 3, 4))")),
        Answer("exp underflows", "brightness 21", edit(LIKELIHOOD, "parts.logsumexp(1)", "parts.exp().sum(1).log()")),
        Answer("a little added in the logarithm", "brightness 21", edit(LIKELIHOOD, "parts.logsumexp(1)", "(parts.exp().sum(1) + 1e-12).log()")),
        Answer("logits not normalised", "the log-likelihood", edit(LIKELIHOOD, "logits.log_softmax(1)", "logits")),
        Answer("images changed in place", CHANGED.format("images"), edit(LIKELIHOOD, "    parts", "    images.mul_(1.0).clamp_(0, 0.5)\n    parts")),
        Answer("detached", "no gradient reaches pictures", edit(LIKELIHOOD, "- pictures)", "- pictures.detach())"), visible=False),
        Answer("the library's mixture", TAKEN, "def log_likelihood(images, pictures, logits, w):\n    return sbd_utils.mixture(images, sbd_utils.Layers(pictures, logits), w).logsumexp(1).sum((1, 2, 3))"),
    ],
    "two_indices": [
        Answer("not adjusted", "not adjusted for chance", edit(INDICES, "float((both - chance) / room) if room else 1.0", "(pairs(np.array(len(true))) + 2 * both - rows - columns) / max(pairs(np.array(len(true))), 1)")),
        Answer("same numbers", "a slot's number means nothing", edit(INDICES, "    return float((both - chance) / room) if room else 1.0", "    return (true == found).mean()")),
        Answer("exchanged", "the two are exchanged", edit(INDICES, "index(true, found), index(true[seen], found[seen])", "index(true[seen], found[seen]), index(true, found)")),
        Answer("the foreground by found", "ask the truth", edit(INDICES, "seen = true != 0", "seen = found != 0")),
        Answer("the ground kept", "the ground is still in it", edit(INDICES, "index(true[seen], found[seen])", "index(true, found)")),
        Answer("chance not taken off", "chance is not taken off", edit(INDICES, "(both - chance) / room) if room", "both / ((rows + columns) / 2)) if rows + columns")),
        Answer("squares for pairs", "n² was taken", edit(INDICES, "(counts * (counts - 1) / 2).sum()", "(counts**2).sum()", "max(pairs(np.array(len(true))), 1)", "len(true) ** 2")),
        Answer("the larger below", "the larger number of pairs", edit(INDICES, "(rows + columns) / 2 - chance", "max(rows, columns) - chance")),
        Answer("chance above alone", "above alone", edit(INDICES, "(rows + columns) / 2 - chance", "(rows + columns) / 2")),
        Answer("0 / 0 is 0", "one slot for all: the objects' index is 0 where 1 is right", edit(INDICES, "if room else 1.0", "if room else 0.0")),
        Answer("0 / 0 not thought of", "the objects' index is nan; it must be finite", edit(INDICES, " if room else 1.0", "")),
        Answer("one number", "two numbers are asked for", edit(INDICES, "return index(true, found), index(true[seen], found[seen])", "return index(true, found)")),
        Answer("never below 0", "worse than by chance", edit(INDICES, "float((both - chance) / room) if room", "max(float((both - chance) / room), 0) if room")),
        Answer("true renumbered in place", CHANGED.format("true"), edit(INDICES, "    seen = true != 0", "    seen = true != 0\n    true[seen] = true[seen] + 1")),
        Answer("the foreground by greater than 0", "the indices of [0, 5, 5, -3, -3]", edit(INDICES, "true != 0", "true > 0"), visible=False),
        Answer("the library's index", TAKEN, "def two_indices(true, found):\n    seen = true != 0\n    return sbd_utils.adjusted_rand_index(true[None], found[None])[0], sbd_utils.adjusted_rand_index(true[None, seen], found[None, seen])[0]"),
    ],
    "scene_without": [
        Answer("nothing left out", "nothing was left out", edit(SCENE, " if k != slot", "")),
        Answer("a hole", "a hole is left", "def scene_without(pictures, logits, slot):\n    parts = logits.softmax(0) * pictures\n    return parts.sum(0) - parts[slot]"),
        Answer("a logit of 0", "a logit of 0 is no absence", "def scene_without(pictures, logits, slot):\n    left = logits.clone()\n    left[slot] = 0\n    return (left.softmax(0) * pictures).sum(0)"),
        Answer("painted black", "hole is left", "def scene_without(pictures, logits, slot):\n    left = pictures.clone()\n    left[slot] = 0\n    return (logits.softmax(0) * left).sum(0)"),
        Answer("the slot alone", "the slot alone", edit(SCENE, "k != slot", "k == slot")),
        Answer("shared in equal parts", "in equal parts", "def scene_without(pictures, logits, slot):\n    masks = logits.softmax(0)\n    kept = [k for k in range(len(logits)) if k != slot]\n    return ((masks[kept] + masks[slot] / len(kept)) * pictures[kept]).sum(0)"),
        Answer("the mean of the others", "the mean of the others' pictures", edit(SCENE, "(masks * pictures[kept]).sum(0)", "pictures[kept].mean(0)")),
        Answer("counted from 1", "slots count from 0", edit(SCENE, "k != slot", "k != (slot - 1) % len(logits)")),
        Answer("twice as bright", "twice as bright", edit(SCENE, ".sum(0)", ".sum(0) * 2")),
        Answer("over the rows", "the scene without slot", edit(SCENE, "softmax(0)", "softmax(2)")),
        Answer("renormalised by what may be 0", "hid all others", "def scene_without(pictures, logits, slot):\n    masks = logits.softmax(0)\n    kept = [k for k in range(len(logits)) if k != slot]\n    return (masks[kept] * pictures[kept]).sum(0) / masks[kept].sum(0)"),
        Answer("a large minus, not infinite", "hid all others", "def scene_without(pictures, logits, slot):\n    left = logits.clone()\n    left[slot] = -100\n    return (left.softmax(0) * pictures).sum(0)"),
        Answer("logits changed in place", CHANGED.format("logits"), "def scene_without(pictures, logits, slot):\n    logits[slot] = -torch.inf\n    return (logits.softmax(0) * pictures).sum(0)"),
        Answer("pictures changed in place", CHANGED.format("pictures"), edit(SCENE, "    return", "    pictures[slot] = 0\n    return")),
        Answer("a scene too many", "has shape", edit(SCENE, ".sum(0)", ".sum(0, keepdim=True)")),
        Answer("the winner alone", "the scene without slot", edit(SCENE, "logits[kept].softmax(0)", "(logits[kept] == logits[kept].amax(0)).float()")),
        Answer("the library's layers", TAKEN, "def scene_without(pictures, logits, slot):\n    kept = [k for k in range(len(logits)) if k != slot]\n    return sbd_utils.Layers(pictures[None, kept], logits[None, kept]).image[0]"),
    ],
}  # fmt: skip
