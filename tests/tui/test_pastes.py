"""What is pasted is text: no control character of it reaches the parser of keys."""

from __future__ import annotations

import random

from textual.events import Key, Paste

from hopper_tui.tui.pastes import BEGIN, END, Pastes

HOSTILE = (
    "one\x1b[1;31mred\x1b[0m\ttwo\r\nthree\x1b \x9b5m\x00\x07 \x1b]0;title\x07 日本 \x1b[20 end"
)
PLAIN = "onered\ttwo\r\nthree 5m ]0;title 日本 nd"
STREAM = f"a\x1b[A{BEGIN}{HOSTILE}{END}\x1bOP{BEGIN}{END}b{BEGIN}x{END}{END}\x1b"
CLEAN = f"a\x1b[A{BEGIN}{PLAIN}{END}\x1bOP{BEGIN}{END}b{BEGIN}x{END}{END}\x1b"


def test_wherever_a_paste_is_cut_it_is_cleaned_and_nothing_else_is() -> None:
    for seed in range(200):
        dice, pastes, out, left = random.Random(seed), Pastes(), "", STREAM
        while left:
            size = dice.choice((1, 1, 2, 3, 7, 40))
            out, left = out + pastes.clean(left[:size]), left[size:]
        assert out == CLEAN, seed


def test_keys_are_never_kept_back() -> None:
    pastes = Pastes()
    for keys in ("\x1b", "\x1b[", "\x1b[20", "0", "\x1b[2", "\x1b"):
        assert pastes.clean(keys) == keys


def test_a_parser_of_textual_makes_one_paste_of_it() -> None:
    from textual._xterm_parser import XTermParser

    from hopper_tui.tui import pastes

    pastes.install()
    parser = XTermParser()
    events = [
        event
        for piece in (STREAM[:20], STREAM[20:60], STREAM[60:-1])
        for event in parser.feed(piece)
    ]
    pasted = [event.text for event in events if isinstance(event, Paste)]
    keys = [event.key for event in events if isinstance(event, Key)]
    assert pasted == [PLAIN, "", "x"]
    assert keys == ["a", "up", "f1", "b"]
    assert list(parser.feed("")) == []
