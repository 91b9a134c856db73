# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy and status traffic of agents that are in the middle of their task sequences."""

from data import add_devices
from measure import Row
from place import Bench

RATE_PER_S, TARGET_MS = 5000, 50
AGENTS = 1000  # of whatever number of devices: so many run a task sequence at the same time
MOST_AGENTS = 200  # each asking again as soon as it is answered


def describe(found: dict) -> str:
    return f"{found['requests_per_s']:.0f} requests/s, 99 % within {found['all']['p99_us'] / 1000:.1f} ms, half within {found['all']['p50_us'] / 1000:.1f} ms"


def cost(found: dict) -> str:
    """Processor time of a request; registrations and what goes before are in it too, and are counted as four requests each."""
    n = found["all"]["n"] + 4 * found["registration"]["n"]
    shares = {**found["cpu_s"], "slipway-sim": found["sim_cpu_s"]}
    return ", ".join(f"{what} {spent / n * 1e6:.0f} us" for what, spent in shares.items() if spent > 0.05)


def steady(site: Bench, seconds: int) -> dict:
    return site.agents("--count", AGENTS, "--rate", RATE_PER_S, "--seconds", seconds)


def measure_traffic(bench):
    """At 5,000 a second with more and more devices; then as much as there can be."""
    n_before = 0
    with Bench(bench.build) as site:
        site.add_boot_image()
        site.deploy()
        for n in bench.sizes.growth:
            add_devices(site, n_before, n - n_before)
            n_before = n
            found = steady(site, bench.sizes.seconds)
            name = f"traffic: 5000 requests/s, {n} devices"
            yield Row(name, describe(found), f"{TARGET_MS} ms", found["all"]["p99_us"] / 1000 / TARGET_MS, 1.0, True,
                      why=f"processor for a request: {cost(found)}; {found['n_again']} sent again, {found['n_failed']} lost")
        found = site.agents("--count", MOST_AGENTS, "--rate", 0, "--seconds", bench.sizes.seconds)
        yield Row("traffic: as fast as it is answered", describe(found), f"{RATE_PER_S} requests/s", found["requests_per_s"] / RATE_PER_S, 1.0,
                  why=f"{MOST_AGENTS} agents; processor for a request: {cost(found)}")
