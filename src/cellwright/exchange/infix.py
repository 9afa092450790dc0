"""Expressions as arithmetic in text, as Python and BPX write it."""

from collections.abc import Callable

from cellwright.schema.expressions import Expression, fold

Spelling = Callable[[Expression, list[str]], str]
"""Writes a node that is no arithmetic, given its operands in text; what it returns binds tightly."""

_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)
_RANKS = {"<": _COMPARISON, "<=": _COMPARISON, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}


def infix(expression: Expression, spelling: Spelling) -> str:
    """Return an expression in text, with no more brackets than its order of operations needs."""
    return str(fold(expression, lambda node, operands: _step(node, operands, spelling))[0])


def terms(expression: Expression, spelling: Spelling) -> list[str]:
    """Return the terms of a sum in text; each but the first begins with its sign."""
    if expression.op not in {"+", "-"}:
        return [infix(expression, spelling)]
    left, right = expression.children
    text, rank = fold(right, lambda node, operands: _step(node, operands, spelling))
    return [*terms(left, spelling), f"{expression.op} {_bracketed(text, rank, _PRODUCT)}"]


def _step(node: Expression, operands: list[tuple[str, int]], spelling: Spelling) -> tuple[str, int]:
    if node.op == "neg":
        return f"-{_bracketed(*operands[0], _SIGN)}", _SIGN
    if node.op in _RANKS:
        rank = _RANKS[node.op]
        left, right = operands
        over_left, over_right = (_ATOM, _SIGN) if node.op == "**" else (rank, rank + 1)
        text = f"{_bracketed(*left, over_left)} {node.op} {_bracketed(*right, over_right)}"
        return (f"({text})", _ATOM) if rank == _COMPARISON else (text, rank)
    text = spelling(node, [text for text, _ in operands])
    return text, _SIGN if text.startswith("-") else _ATOM


def _bracketed(text: str, rank: int, over: int) -> str:
    return text if rank >= over else f"({text})"
