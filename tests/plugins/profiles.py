"""The two profiles of the property tests: ``quick`` in every run, ``long`` before an issue is called resolved."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_common = {
    "deadline": None,  # two shared cores: a slow example says nothing
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
settings.register_profile("quick", max_examples=25, stateful_step_count=20, derandomize=True, **_common)
settings.register_profile("long", max_examples=500, stateful_step_count=80, **_common)
