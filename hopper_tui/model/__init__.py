"""The values everything speaks: Task, Instance, Delegation, Decision, Event, and their rules.

Pure and immutable; imports nothing but the standard library. Every other package may import it.
"""
