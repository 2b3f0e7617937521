"""The demonstration: PA1 dies and comes home, with real processes, frames and audio."""
