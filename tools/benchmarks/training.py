"""Images per second of a training update: layout, precision, compilation, blocks; peak memory."""

import resource
import time

import torch

from sbd_utils import VAE, CircleStream, elbo_loss, machine_kind

BATCH, UPDATES = 32, 6


def rate(
    decoder: str, layout: torch.memory_format, bf16: bool, compiled: bool = False, pool: int = 1
) -> float:
    """Images per second: rendering, forward, backward and Adam.

    The best of UPDATES updates, after two to warm up.
    """
    torch.manual_seed(0)
    model = VAE(decoder=decoder).to(memory_format=layout)
    run = torch.compile(model) if compiled else model
    optimizer, stream = torch.optim.Adam(model.parameters(), lr=1e-4), CircleStream()
    best = float("inf")
    for step in range(UPDATES + 2):
        start = time.perf_counter()
        x = stream.batch(step, BATCH)[0].to(memory_format=layout)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            reconstruction, mean, logvar = run(x, pool=pool)
        target = torch.nn.functional.avg_pool2d(x, pool)
        elbo_loss(target, reconstruction.float(), mean.float(), logvar.float()).total.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step >= 2:
            best = min(best, time.perf_counter() - start)
    return BATCH / best


def main() -> None:
    """Print a table of rates, and the peak of memory."""
    plain, last = torch.contiguous_format, torch.channels_last
    cases = {
        "float32, contiguous": (plain, False),
        "float32, channels last": (last, False),
        "bfloat16, contiguous": (plain, True),
        "bfloat16, channels last": (last, True),
        "bfloat16, channels last, compiled": (last, True, True),
        "bfloat16, channels last, means of 2 x 2": (last, True, False, 2),
        "bfloat16, channels last, means of 8 x 8": (last, True, False, 8),
    }
    setting = f"batch {BATCH}, {torch.get_num_threads()} threads"
    print(f"\nimages per second, default architecture, {setting}")
    print(f"{machine_kind()}\n")
    print(f"{'':<42}{'SBD':>8}{'deconv':>8}")
    for name, case in cases.items():
        print(f"{name:<42}", *(f"{rate(decoder, *case):>7.0f}" for decoder in ("sbd", "deconv")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory of this process: {peak:.0f} MiB")
