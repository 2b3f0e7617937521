"""Whole servers, call manager and callers in virtual time, under seeded faults.

``network`` stands in for the kernels and the wires between them, ``processes`` for what can be
stopped and killed, ``store`` for a store that answers late, not, or twice; ``house`` puts the real
servers, the real call manager and callers into it, ``judge`` looks on from inside the call
manager, and ``faults`` draws bad luck from a seed. ``play`` is one schedule.
"""
