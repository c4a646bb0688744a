"""The values everything speaks: Task, Instance, Delegation, Decision, Event, and their rules.

Pure and immutable; imports nothing but the standard library. Every other package may import it.
Values are named tuples: a one-shot command defines every class anew, and a frozen dataclass costs
five times as much to define.
"""
